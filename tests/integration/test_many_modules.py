"""A repository of several main modules, one of which fails: the error names it, and the others may be completed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.notices import facts
from tests.support.workbench import Result, Workbench

FIRST, SECOND, THIRD = (FakeModule(f"example.com/{name}", "v1.0.0") for name in ("first", "second", "third"))
FOLDERS = "\n".join(["a", "b", "c"])
WARN = ("--on-failure", "warn")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((FIRST, SECOND, THIRD)) as server:
        yield server


@pytest.fixture
def three(bench: Workbench) -> Workbench:
    """Three modules that have nothing in common."""
    for name, module in zip("abc", (FIRST, SECOND, THIRD), strict=True):
        write_project(bench.project / name, [module], path=f"example.com/{name}")
    return bench


def want_newer_go(bench: Workbench, name: str) -> None:
    gomod = bench.project / name / "go.mod"
    gomod.write_text(gomod.read_text().replace("go 1.21", "go 1.999"))


def files_of_failures(result: Result) -> set[Path]:
    """Return the files that failures of Go name. A failure may have another one as its cause."""
    return {notice.file for notice in result.notices if notice.slug == "go-failed" and notice.file}


def test_failure_of_one_module_names_its_go_mod(three: Workbench, proxy: ModuleProxy) -> None:
    want_newer_go(three, "b")
    result = three.prefetch("--working-directory", FOLDERS, goproxy=proxy.url)
    assert result.status == 4, result.text
    assert files_of_failures(result) == {three.project / "b" / "go.mod"}
    assert "3 modules of 3 go.mod and go.work files, " in result.stderr
    assert str(three.project / "b" / "go.mod") in result.stderr
    assert not three.pool.exists()


def test_failure_of_the_only_module_names_no_file(three: Workbench, proxy: ModuleProxy) -> None:
    want_newer_go(three, "b")
    result = three.prefetch("--working-directory", "b", goproxy=proxy.url)
    assert result.status == 4, result.text
    assert files_of_failures(result) == set()


@pytest.mark.slow
def test_on_failure_warn_completes_and_saves_the_others(three: Workbench, proxy: ModuleProxy) -> None:
    """A later run of the same kind has nothing to download."""
    want_newer_go(three, "a")
    result = three.prefetch("--working-directory", FOLDERS, *WARN, goproxy=proxy.url)
    assert result.status == 0, result.text
    assert three.report["failure"]["slug"] == "go-failed"
    saved = three.module_files(three.pool)
    for module in (SECOND, THIRD):
        assert {f"{module.path}/@v/{module.version}.{kind}" for kind in ("zip", "mod", "info")} <= saved
        assert three.go("build", ".", cwd=three.project / {SECOND: "b", THIRD: "c"}[module]).status == 0
    three.forget_modcache()
    proxy.clear()
    assert three.prefetch("--working-directory", FOLDERS, *WARN, goproxy=proxy.url).status == 0
    assert proxy.paths() == []


def test_on_failure_warn_saves_no_mod_file_that_go_did_not_read(three: Workbench, proxy: ModuleProxy) -> None:
    """Go reads nothing for a module that wants a newer Go, so the check of `.mod` files finds the wrong one."""
    want_newer_go(three, "a")
    proxy.fault(f"{FIRST.path}/@v/*.mod", Fault.WRONG_BYTES)
    result = three.prefetch("--working-directory", FOLDERS, *WARN, goproxy=proxy.url)
    assert result.status == 0, result.text
    assert f"{FIRST.path}/@v/{FIRST.version}.mod" not in three.module_files(three.pool)


def test_on_failure_warn_two_failures_are_both_named(three: Workbench, proxy: ModuleProxy) -> None:
    want_newer_go(three, "a")
    want_newer_go(three, "c")
    result = three.prefetch("--working-directory", FOLDERS, *WARN, goproxy=proxy.url)
    assert result.status == 0, result.text
    assert files_of_failures(result) == {three.project / name / "go.mod" for name in "ac"}


def test_on_failure_warn_a_wrong_byte_in_the_last_module_fails(three: Workbench, proxy: ModuleProxy) -> None:
    """A failure before it does not hide it, and nothing is saved."""
    want_newer_go(three, "a")
    proxy.fault(f"{THIRD.path}/@v/*.zip", Fault.WRONG_BYTES)
    result = three.prefetch("--working-directory", FOLDERS, *WARN, goproxy=proxy.url)
    assert result.status == 5, result.text
    assert THIRD.path in str(facts(result.notice("checksum-mismatch"))["module_file"])
    assert not three.pool.exists()


def test_failure_is_explained_by_files_of_its_own_module(three: Workbench, proxy: ModuleProxy) -> None:
    """What a proxy did to the files of another module is no cause."""
    want_newer_go(three, "a")
    proxy.fault(f"{THIRD.path}/*", Fault.FORBIDDEN)
    result = three.prefetch("--working-directory", FOLDERS, *WARN, goproxy=proxy.url)
    assert result.status == 0, result.text
    of_modules = [notice for notice in result.notices if notice.file and notice.file.name == "go.mod"]
    found = {notice.file.parent.name: notice.slug for notice in of_modules if notice.file}
    assert found == {"a": "go-failed", "c": "proxy-unavailable"}
