"""`for-tidy`: all modules that go.sum has a hash of, for jobs that run `go mod tidy` as a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import HELLO, FakeModule, write_project
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = pytest.mark.slow  # real go commands on large projects

ONLY_TESTED = FakeModule("example.com/tested", "v1.0.0")
# A build does not read what its test imports. `go mod tidy` does.
LIB = FakeModule(
    "example.com/lib",
    "v1.5.0",
    requires=((ONLY_TESTED.path, ONLY_TESTED.version),),
    files={
        "lib.go": f'package lib\n\n{HELLO} {{ return "lib" }}\n',
        "lib_test.go": f'package lib\n\nimport _ "{ONLY_TESTED.path}"\n',
    },
)
TIDY = ("--for-tidy",)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((LIB, ONLY_TESTED)) as server:
        yield server


def module(root: Path) -> None:
    write_project(root, [LIB, ONLY_TESTED], requires=[LIB])


def workspace(root: Path) -> None:
    write_project(root / "a", [LIB, ONLY_TESTED], requires=[LIB], path="example.com/a")
    (root / "go.work").write_text("go 1.22\n\nuse ./a\n")


def modules(bench: Workbench, *arguments: str, **variables: str) -> tuple[list[str], str]:
    """Return the zips of the plan, and its key."""
    done = prefetch(bench, "plan", "--format", "json", *arguments, **variables)
    assert done.status == 0, done.text
    values: dict[str, Any] = json.loads(done.stdout)
    return [text.partition("@")[0] for text in values["modules"]], values["key"]


SHAPES = pytest.mark.parametrize(
    ("write", "folder"), [pytest.param(module, ".", id="module"), pytest.param(workspace, "a", id="workspace")]
)


@SHAPES
def test_for_tidy_later_runs_and_go_download_nothing(
    bench: Workbench, proxy: ModuleProxy, write: Callable[[Path], None], folder: str
) -> None:
    write(bench.project)
    before = {path: path.read_bytes() for path in bench.project.rglob("go.*")}
    assert bench.prefetch(*TIDY, goproxy=proxy.url).status == 0
    assert {path: path.read_bytes() for path in bench.project.rglob("go.*")} == before
    bench.forget_modcache()
    proxy.clear()
    done = bench.prefetch(*TIDY, goproxy=proxy.url)
    assert (done.status, bench.outputs["cache-result"], bench.warnings) == (0, "exact", [])
    assert proxy.paths() == []
    for command in ("mod tidy", "list -m all", "build -o /dev/null ./...", "mod vendor"):
        gone = bench.go(*command.split(), cwd=bench.project / folder, GOPROXY="off", GOWORK="off")
        assert gone.status == 0, gone.text


@SHAPES
def test_for_tidy_has_a_key_of_its_own(bench: Workbench, write: Callable[[Path], None], folder: str) -> None:
    """An entry of a build lacks zips, so it must not be an exact hit here."""
    write(bench.project)
    for_builds, for_tidy = modules(bench), modules(bench, *TIDY)
    assert (for_builds[0], for_tidy[0]) == ([LIB.path], [LIB.path, ONLY_TESTED.path])
    assert for_builds[1] != for_tidy[1]
    assert modules(bench, GO_PREFETCH_FOR_TIDY="true") == for_tidy


def test_for_tidy_fills_a_folder(bench: Workbench, proxy: ModuleProxy) -> None:
    module(bench.project)
    done = prefetch(bench, "fill", str(bench.folder / "filled"), *TIDY, GOPROXY=proxy.url)
    assert done.status == 0, done.text
    tidied = bench.go("mod", "tidy", GOPROXY=(bench.folder / "filled").as_uri() + ",off", GONOSUMDB="*")
    assert tidied.status == 0, tidied.text


@pytest.mark.parametrize("write", [module, workspace])
def test_for_tidy_in_a_vendored_project_plans_the_modules(
    bench: Workbench, proxy: ModuleProxy, write: Callable[[Path], None]
) -> None:
    """`go mod tidy` reads no vendor folder. Without the input, the run says what such jobs need."""
    write(bench.project)
    vendor = "work" if write is workspace else "mod"
    assert bench.go(vendor, "vendor", GOPROXY=proxy.url).status == 0
    bench.forget_modcache()
    told = bench.prefetch(goproxy=proxy.url)
    assert bench.outputs["cache-result"] == "disabled"
    assert "vendored" in [one.slug for one in told.notices]
    done = bench.prefetch(*TIDY, goproxy=proxy.url)
    assert (done.status, bench.outputs["cache-result"]) == (0, "miss"), done.text
    folder = bench.project / ("a" if write is workspace else ".")
    for command in (("mod", "tidy"), ("list", "-m", "all")):
        gone = bench.go(*command, cwd=folder, GOPROXY="off", GOFLAGS="-modcacherw -mod=mod", GOWORK="off")
        assert gone.status == 0, gone.text
