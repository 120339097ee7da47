"""The seconds of the steps add up to the run, whatever happens in it, on a clock that moves when it is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from go_prefetch.base import stopwatch
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
STEPS = ("plan", "restore", "download", "admit", "complete", "save")


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes a second, so that each step that is begun has one."""
    looks = iter(range(1_000_000))

    def look(first: str) -> stopwatch.Stopwatch:
        return stopwatch.Stopwatch(first, lambda: float(next(looks)))

    for module in ("go_prefetch.cli.publish", "go_prefetch.run.steps.fill_folder"):
        monkeypatch.setattr(f"{module}.Stopwatch", look)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy([LIB]) as server:
        yield server


def _steps(bench: Workbench, proxy: ModuleProxy, *arguments: str) -> dict[str, Any]:
    """Return the seconds of each step, once they are known to add up."""
    report = bench.folder / "report.json"
    prefetch(bench, *arguments, "--report-file", str(report), GOPROXY=proxy.url)
    values = json.loads(report.read_bytes())
    steps = {name: values[name]["seconds"] for name in STEPS}
    assert sum(steps.values()) == float(values["outputs"]["seconds"])
    return steps


def test_steps_of_a_cold_run_add_up(bench: Workbench, proxy: ModuleProxy) -> None:
    bench.write_project([LIB])
    assert min(_steps(bench, proxy, "run", "--check-present=true").values()) > 0


def test_steps_with_a_failed_save_have_its_seconds(bench: Workbench, proxy: ModuleProxy) -> None:
    bench.write_project([LIB])
    bench.pool.parent.mkdir(parents=True, exist_ok=True)
    bench.pool.write_text("no folder")
    assert _steps(bench, proxy, "run")["save"] > 0


def test_steps_of_a_failed_download_add_up(bench: Workbench, proxy: ModuleProxy) -> None:
    bench.write_project([LIB])
    proxy.fault("*", Fault.SERVER_ERROR)
    assert _steps(bench, proxy, "run", "--attempts", "1")["complete"] > 0


def test_steps_of_a_run_that_ends_early_add_up(bench: Workbench, proxy: ModuleProxy) -> None:
    """A module cache that takes no files ends the step that is under way."""
    bench.write_project([LIB])
    cache = bench.modcache / "cache" / "download"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("no folder")
    steps = _steps(bench, proxy, "run")
    assert steps["plan"] > 0
    assert steps["save"] == 0


def test_steps_of_a_fill_add_up(bench: Workbench, proxy: ModuleProxy) -> None:
    bench.write_project([LIB])
    steps = _steps(bench, proxy, "fill", str(bench.folder / "filled"))
    assert min(steps[name] for name in ("plan", "restore", "download", "complete")) > 0
