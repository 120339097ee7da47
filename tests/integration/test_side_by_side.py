"""Runs that share a pool and a module cache, and runs that share the project with its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

MODULES = [FakeModule(f"example.com/lib{number}", "v1.0.0", padding=20_000) for number in range(12)]
SOURCES = ("go.mod", "go.sum", "go.work", "go.work.sum")


def test_two_runs_at_once_on_one_pool_and_one_module_cache(bench: Workbench) -> None:
    """Both succeed, everything is right, nobody leaves anything behind, and the pool serves a third run."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES, latency=0.02) as proxy:
        arguments = ("run", "--store", f"dir:{bench.pool}", "--jobs", "4")
        both = [bench.start(*arguments, GOPROXY=proxy.url) for _ in range(2)]
        said = [run.communicate(timeout=60) for run in both]
        assert [run.returncode for run in both] == [0, 0], said
        assert {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)} == proxy.files
    assert bench.go("mod", "verify").stdout == "all modules verified\n"
    assert bench.leftovers() == []
    bench.forget_modcache()
    assert bench.prefetch(goproxy="off").status == 0
    assert bench.outputs["cache-result"] == "exact"


def test_temporary_file_cleared_by_another_go_is_written_again(bench: Workbench) -> None:
    """Go removes `V.zip*.tmp` before it downloads V.zip itself; a run beside it loses an attempt, not the run."""
    bench.write_project(MODULES[:1])
    with ModuleProxy(MODULES[:1]) as proxy:
        proxy.drip = 0.02
        proxy.fault("*.mod", Fault.SLOW_DRIP, times=1)
        run = bench.start("run", "--store", "none", "--stall-timeout", "30s", GOPROXY=proxy.url)
        wait_until(lambda: list(bench.folder.rglob("*.mod*.tmp")), "the temporary file")
        for path in bench.folder.rglob("*.mod*.tmp"):
            path.unlink()
        said = run.communicate(timeout=60)
        assert run.returncode == 0, said
        assert proxy.paths().count("example.com/lib0/@v/v1.0.0.mod") == 2


def sources(folder: Path) -> dict[Path, bytes]:
    """Every go.mod, go.sum, go.work and go.work.sum below, and what it holds."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.name in SOURCES}


@pytest.mark.parametrize("go", ["1.16", "1.21"])
@pytest.mark.parametrize("workspace", [False, True], ids=["module", "workspace"])
def test_a_run_never_changes_the_files_it_reads(bench: Workbench, go: str, *, workspace: bool) -> None:
    """Not cold, not warm, not with lines that nothing needs, nor with line ends Go would not write."""
    unused = FakeModule("example.com/unused", "v1.0.0")
    bench.write_project(MODULES[:2], go=go, extra_go_sum=unused.go_sum)
    gosum = bench.project / "go.sum"
    gosum.write_bytes(gosum.read_bytes().replace(b"\n", b"\r\n"))
    if workspace:
        write_project(bench.project / "other", MODULES[2:4], path="example.com/other", go=go)
        (bench.project / "go.work").write_text("go 1.21\n\nuse .\nuse ./other\n")
        (bench.project / "go.work.sum").write_text(unused.go_sum.splitlines(keepends=True)[1])
    before = sources(bench.project)
    with ModuleProxy([*MODULES[:4], unused]) as proxy:
        for _ in range(2):
            result = bench.prefetch(goproxy=proxy.url)
            assert result.status == 0, result.text
            assert sources(bench.project) == before
            bench.forget_modcache()
