"""What is selected in a workspace is what `go list -m all` prints, for graphs of any shape.

Go reads the go.mod files of a module cache without a network. Each example starts a process, hence the small number.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.run.steps.discover import Place
from go_prefetch.run.steps.resolve import resolve
from go_prefetch.run.steps.workspace import module_graph
from tests.support.fakes.modules import FakeModule, layout

PATHS = [f"example.com/{name}" for name in "abcdef"]
VERSIONS = ["v1.0.0", "v1.1.0-rc.1", "v1.1.0", "v1.10.0"]
GO_LINES = ["1.16", "1.17", "1.21"]
MEMBERS = ["m1", "m2", "m3"]

modules = st.tuples(st.sampled_from(PATHS), st.sampled_from(VERSIONS))
requirements = st.lists(modules, max_size=4, unique_by=lambda module: module[0])
replacements = st.dictionaries(modules, modules, max_size=1)


@st.composite
def go_mods(draw: st.DrawFn, path: str) -> str:
    """A go.mod of a member."""
    lines = [f"module {path}", f"go {draw(st.sampled_from(GO_LINES))}"]
    lines += [f"require {name} {version}" for name, version in draw(requirements)]
    lines += [f"exclude {name} {version}" for name, version in draw(st.lists(modules, max_size=1))]
    return "\n".join(lines) + "\n"


@st.composite
def workspaces(draw: st.DrawFn) -> tuple[dict[str, str], tuple[FakeModule, ...]]:
    """The files of a workspace, and a proxy with every version of every module."""
    members = MEMBERS[: draw(st.integers(1, 3))]
    files = {f"{name}/go.mod": draw(go_mods(f"example.com/{name}")) for name in members}
    lines = ["go 1.21", *(f"use ./{name}" for name in members)]
    for old, new in draw(replacements).items():
        lines.append(f"replace {' '.join(old)} => {' '.join(new)}")
    files["go.work"] = "\n".join(lines) + "\n"
    proxy = tuple(
        FakeModule(path, version, requires=tuple(draw(requirements)), go=draw(st.sampled_from(GO_LINES)))
        for path in PATHS
        for version in VERSIONS
    )
    return files, proxy


@pytest.mark.slow
@given(workspace=workspaces())
@settings(max_examples=150, deadline=None)
def test_selected_versions_are_those_of_go(
    tmp_path_factory: pytest.TempPathFactory, workspace: tuple[dict[str, str], tuple[FakeModule, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("workspace")
    files, proxy = workspace
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    sums = "".join(module.go_sum for module in proxy)
    (folder / "go.work.sum").write_text(sums)
    cache = ModuleFolder.of_cache(folder / "modcache")
    for name, content in layout(proxy).items():
        if not name.endswith(".zip"):
            (cache.path / name).parent.mkdir(parents=True, exist_ok=True)
            (cache.path / name).write_bytes(content)
    assert ours(folder, cache) == go_list(folder, cache)
    shutil.rmtree(folder)


def ours(folder: Path, cache: ModuleFolder) -> list[str]:
    scope = resolve(Place(folder / "go.work", folder), "")
    assert scope.workspace
    return in_order(map(" ".join, module_graph(scope, scope.workspace, cache).selected.values()))


def go_list(folder: Path, cache: ModuleFolder) -> list[str]:
    environment = {
        **os.environ, "GOMODCACHE": str(cache.gomodcache), "GOPROXY": "off", "GOSUMDB": "off", "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local", "GOWORK": "",
    }  # fmt: skip
    command = ["go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return in_order(done.stdout.splitlines())


def in_order(lines: Iterable[str]) -> list[str]:
    return sorted(line.strip() for line in lines)
