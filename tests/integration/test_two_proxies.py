"""Two proxies in trouble: a fifth of all requests failing in every way, one of them dead, one of them slow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.fakes.dead_port import dead_port
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

pytestmark = pytest.mark.slow  # many whole runs

MODULES = [FakeModule(f"example.com/lib{number}", "v1.0.0", padding=2_000) for number in range(25)]
# Every way to fail that ends by itself or at a limit; what Go alone would take for the right file is another test's.
MIXED = tuple(fault for fault in Fault if fault not in (Fault.NOT_FOUND, Fault.GONE, Fault.WRONG_BYTES))


def contents(bench: Workbench) -> dict[str, bytes]:
    return {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)}


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_fifth_of_all_requests_fails(bench: Workbench, seed: int) -> None:
    """With mixed faults at both proxies, stalls and drips among them, every file arrives and is the right one."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.random_faults(0.2, seed, MIXED)
        second.random_faults(0.2, seed + 1000, MIXED)
        result = bench.prefetch("--stall-timeout", "1s", goproxy=f"{first.url}|{second.url}")
        assert result.status == 0, result.text
        assert contents(bench) == first.files
    assert bench.go("mod", "verify").status == 0
    assert bench.leftovers() == []


def test_dead_proxy_gets_at_most_the_parallel_requests(bench: Workbench) -> None:
    """It drops packets: those that find out wait one connect timeout, all others pass it over."""
    bench.write_project(MODULES)
    with dead_port() as port, ModuleProxy(MODULES) as second:
        url = f"http://127.0.0.1:{port}"
        result = bench.prefetch("--connect-timeout", "1s", "--jobs", "8", goproxy=f"{url}|{second.url}")
        assert result.status == 0, result.text
        assert contents(bench) == second.files
    failed = next(source["failed_attempts"] for source in bench.report["download"]["sources"] if source["name"] == url)
    assert failed <= 2 * 8


def test_a_slow_answer_is_overtaken_by_the_next_proxy(bench: Workbench, tmp_path: Path) -> None:
    """One request that is never answered: long before its limit the second proxy has brought the file.

    Where the machine pauses, other requests are slow too: of all, one in ten at most is a rival.
    """
    slow = "example.com/lib20/@v/v1.0.0.zip"
    bench.write_project(MODULES)
    trace = tmp_path / "trace.json"
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault(slow, Fault.STALL_BEFORE_HEADERS)
        limits = ("--stall-timeout", "10m", "--deadline", "10m", "--trace", str(trace))
        result = bench.prefetch(*limits, goproxy=f"{first.url}|{second.url}")
        assert result.status == 0, result.text
        assert slow in second.paths()
        assert len(first.paths()) == len(set(first.paths()))
        assert len(second.paths()) <= len(first.files) // 10
    events = json.loads(trace.read_text())["traceEvents"]
    overtaken = [event["name"] for event in events if event.get("args", {}).get("error") == "overtaken"]
    assert f"GET {slow}" in overtaken


def test_second_request_stays_before_a_protecting_comma(bench: Workbench) -> None:
    """`P1,P2` of unknown proxies: P2 never hears of a file that P1 is slow with; P1 is asked a second time."""
    bench.write_project(MODULES)
    slow = "example.com/lib20/@v/v1.0.0.zip"
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault(slow, Fault.STALL_BEFORE_HEADERS, times=1)
        limits = ("--stall-timeout", "10m", "--deadline", "10m")
        result = bench.prefetch(*limits, goproxy=f"{first.url},{second.url}")
        assert result.status == 0, result.text
        assert second.paths() == []
        assert first.paths().count(slow) > 1
