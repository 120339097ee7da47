"""Which toolchain is planned, compared with the one that the real go tries to download."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.gomod import go_lines
from go_prefetch.golang.toolchain import name_of

_DOWNLOAD = re.compile(r"^go: downloading (\S+ \(\S+\))$", re.MULTILINE)
_ENVIRON = {**os.environ, "GOENV": "off", "GOWORK": "off", "GOFLAGS": "", "GOPROXY": "off"}

VERSIONS = st.one_of(
    st.sampled_from(["", "1", "1.20", "1.21", "1.21rc2", "1.21.0", "1.26", "1.27.3", "1.99", "1.99rc1", "1.99.0", "x"]),
    st.builds("1.{}.{}".format, st.integers(18, 40), st.integers(0, 12)),
    st.builds("1.{}{}{}".format, st.integers(18, 40), st.sampled_from(["rc", "beta", "."]), st.integers(0, 12)),
)
NAMES = st.one_of(
    st.sampled_from(["", "default", "local", "bash", "go", "gccgo-go1.99", "go1.99.0-custom", "1.99.0", "go2.0.0"]),
    VERSIONS.map("go{}".format),
)
SWITCHES = st.one_of(
    st.sampled_from(["auto", "path", "local", "local+auto", "local+path", "auto+auto", "+auto"]),
    NAMES,
    st.builds("{}+{}".format, NAMES, st.sampled_from(["auto", "auto", "path", "", "other"])),
)
LINES = st.sampled_from(
    ["{key} {value}", "\t{key}  {value}\t// why", "{key}\t{value}\r", "// {key} {value}", "{key}({value}"]
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def environment(project: Path) -> GoEnvironment:
    return GoCommand(_ENVIRON).environment(project)


@settings(max_examples=60, deadline=None)
@given(switch=SWITCHES, go=VERSIONS, toolchain=NAMES, go_form=LINES, toolchain_form=LINES)
@example("auto", "1.99", "", "{key} {value}", "{key} {value}")
@example("auto", "1.99rc1", "go1.99.0", "{key} {value}", "{key} {value}")
@example("go1.99.0+auto", "1.99.1", "default", "{key} {value}", "{key} {value}")
def test_toolchain_of_the_plan_is_the_one_that_go_downloads(
    project: Path, environment: GoEnvironment, switch: str, go: str, toolchain: str, go_form: str, toolchain_form: str
) -> None:
    """For any GOTOOLCHAIN, go line and toolchain line, also those that Go refuses."""
    lines = [go_form.format(key="go", value=go) if go else ""]
    lines += [toolchain_form.format(key="toolchain", value=toolchain) if toolchain else ""]
    text = "\n".join(["module x", *lines, ""])
    (project / "go.mod").write_text(text)
    environ = {**_ENVIRON, "GOTOOLCHAIN": switch or "local"}
    environment = replace(environment, toolchain_switch=environ["GOTOOLCHAIN"])
    (rules,) = GoCommand(environ).with_toolchains(environment, "off").toolchains
    wanted = rules.wanted(go_lines(text))
    ran = subprocess.run(["go", "version"], cwd=project, env=environ, capture_output=True, text=True, check=False)
    assert ([name_of(wanted)] if wanted else []) == _DOWNLOAD.findall(ran.stderr), ran.stderr
