"""The go that is found: none, too old, unfit for the module; and the environment it is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.fakes.go_on_path import GoOnPath
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for go is a shell script")

OURS_ALONE = {
    "ACTIONS_RUNTIME_TOKEN": "1",
    "ACTIONS_RUNTIME_URL": "1",
    "ACTIONS_RESULTS_URL": "1",
    "ACTIONS_CACHE_URL": "1",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "1",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "1",
    "INPUT_X": "1",
    "GO_PREFETCH_CACHE_NAME": "1",
    "INPUT_GITHUB-TOKEN": "1",
}
FOR_GO_TOO = {"GITHUB_TOKEN": "1", "CI_JOB_TOKEN": "1", "GIT_ASKPASS": "1", "ACTIONS_STEP_DEBUG": "false"}


def test_no_go_is_an_error_that_says_what_to_do(bench: Workbench, tmp_path: Path) -> None:
    """Exit 4; `fill`, which needs no Go, is named."""
    bench.write_project([LIB])
    result = bench.prefetch(goproxy="off", PATH=str(tmp_path / "empty"))
    assert result.status == 4
    assert "go-prefetch fill" in result.stderr
    assert "[go-not-found]" in result.stderr


@posix
@pytest.mark.parametrize("entry", ["", ".", "bin"])
def test_relative_path_entry_is_not_searched_for_go(bench: Workbench, entry: str) -> None:
    """Such an entry means a folder of the checkout, which may hold a `go` of its author's."""
    bench.write_project([LIB])
    planted = GoOnPath(bench.project / entry, on_env='touch "$HERE/ran"')
    path = os.pathsep.join([entry, bench.environ["PATH"]])
    with ModuleProxy([LIB]) as proxy:
        result = bench.run("run", "--store", "none", GOPROXY=proxy.url, PATH=path)
        fault = bench.run("doctor", "--samples", "1", GOPROXY=proxy.url, PATH=path)
    assert (result.status, fault.status) == (0, 0), result.text + fault.text
    assert not (bench.project / entry / "ran").exists()
    assert planted.path  # it was there to be found


@posix
@pytest.mark.parametrize("version", ["go1.18", "go1.20.14", "go1.4rc2"])
def test_a_go_that_is_too_old_is_an_error(bench: Workbench, tmp_path: Path, version: str) -> None:
    """Exit 4 naming the version found and the one needed."""
    said = f"""echo '{{"GOVERSION": "{version}", "GOPROXY": "off", "GOMODCACHE": "/nowhere"}}'; exit"""
    go = GoOnPath(tmp_path / "bin", on_env=said)
    bench.write_project([LIB])
    result = bench.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 4, result.text
    assert version in result.stderr
    assert "1.21" in result.stderr
    assert "[go-too-old]" in result.stderr


@posix
@pytest.mark.parametrize("said", ["exit 3", "echo '{'; exit", "echo '[]'; exit", "echo '{}'; exit"])
def test_a_go_that_tells_no_environment_is_an_error(bench: Workbench, tmp_path: Path, said: str) -> None:
    """Exit 4, whatever it is that calls itself go."""
    go = GoOnPath(tmp_path / "bin", on_env=said)
    bench.write_project([LIB])
    result = bench.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 4, result.text
    assert "Traceback" not in result.stderr


@posix
def test_a_go_that_cannot_be_started_is_an_error(bench: Workbench, tmp_path: Path) -> None:
    """Exit 4 for a file that is executable by name only."""
    (tmp_path / "bin").mkdir()
    go = tmp_path / "bin" / "go"
    go.write_text("#!/nowhere/interpreter\n")
    go.chmod(0o755)
    bench.write_project([LIB])
    result = bench.prefetch(goproxy="off", PATH=str(go.parent))
    assert result.status == 4, result.text
    assert "Traceback" not in result.stderr


def test_a_module_that_needs_a_newer_go_fails_in_go_s_own_words(bench: Workbench) -> None:
    """With GOTOOLCHAIN=local nothing can mend that: exit 4, and Go says why."""
    bench.write_project([LIB], go="1.99")
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 4, result.text
    assert "go.mod requires go >= 1.99" in result.stderr
    assert "GOTOOLCHAIN=local" in result.stderr


@posix
def test_the_ci_s_own_secrets_are_kept_from_go(bench: Workbench, tmp_path: Path) -> None:
    """Neither `go env` nor any `go mod` sees what the runner gave to us alone; what git needs goes through."""
    go = GoOnPath(tmp_path / "bin", on_env='env >>"$HERE/env"', on_download='env >>"$HERE/mod"')
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(goproxy=proxy.url, PATH=go.path, **OURS_ALONE, **FOR_GO_TOO)
    assert result.status == 0, result.text
    for command in ("env", "mod"):
        names = {line.partition("=")[0] for line in go.note(command).read_text().splitlines()}
        assert names.isdisjoint(OURS_ALONE)
        assert set(FOR_GO_TOO) <= names
