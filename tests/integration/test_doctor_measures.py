"""Doctor against proxies whose latency, rate and loss are known: it says what they are, and ranks them right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

# Zips of 2 MB (random bytes do not shrink): a machine that is busy for some milliseconds is no matter then.
MODULES = tuple(FakeModule(f"example.com/m{number}", "v1.0.0", padding=2_000_000) for number in range(4))
WITHIN = 0.20


def diagnosed(bench: Workbench, *arguments: str, status: int = 0, **variables: str) -> dict[str, Any]:
    """What doctor says, as JSON."""
    result = bench.run("doctor", "--format", "json", "--store", "none", *arguments, **variables)
    assert result.status == status, result.text
    said: dict[str, Any] = json.loads(result.stdout)
    return said


def by_name(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in said["sources"]}


@pytest.mark.system
def test_three_proxies_of_known_latency_rate_and_loss(bench: Workbench) -> None:
    """Latency and rate within 20 %, loss as injected, the order right; and the line recommends that order."""
    bench.write_project(MODULES)
    with (
        ModuleProxy(MODULES, latency=0.30, rate=4e6) as slow,
        ModuleProxy(MODULES, latency=0.06, rate=16e6) as fast,
        ModuleProxy(MODULES, latency=0.12, rate=8e6) as lossy,
    ):
        lossy.fault("*", Fault.RESET, picks=lambda number: number % 5 == 2)
        said = diagnosed(bench, GOPROXY=f"{slow.url}|{lossy.url}|{fast.url}|direct")
        measured = by_name(said)
        for proxy in (slow, fast, lossy):
            assert measured[proxy.url]["first_byte"] == pytest.approx(proxy.latency, rel=WITHIN)
            assert measured[proxy.url]["bytes_per_second"] == pytest.approx(proxy.rate, rel=WITHIN)
            assert measured[proxy.url]["lacks"] == []
        assert [measured[proxy.url]["loss"] for proxy in (slow, fast, lossy)] == [0.0, 0.0, 0.2]
        assert [source["name"] for source in said["sources"]] == [fast.url, lossy.url, slow.url]
        assert [source["rank"] for source in said["sources"]] == [1, 2, 3]
        assert said["recommended"]["goproxy"] == f"{fast.url}|{lossy.url}|{slow.url}|direct"
        assert said["recommended"]["changes"] is True
        assert said["recommended"]["reasons"][1].startswith(f"{lossy.url}: first byte 1")
        assert "20% of requests fail" in said["recommended"]["reasons"][1]


@pytest.mark.parametrize("loss", [Fault.RESET, Fault.STALL_BEFORE_HEADERS, Fault.HALF_BODY], ids=lambda loss: loss.name)
def test_loss_is_counted_however_it_comes_about(bench: Workbench, loss: Fault) -> None:
    """Reset, never answered, cut off in the body: of ten samples those three that were lost, in words."""
    bench.write_project(MODULES[:1])
    with ModuleProxy(MODULES[:1]) as proxy:
        proxy.fault("*", loss, picks=lambda number: number in (2, 3, 7))
        said = diagnosed(bench, "--stall-timeout", "300ms", GOPROXY=proxy.url)
        (source,) = said["sources"]
        assert source["loss"] == 0.3
        assert [sample["lost"] for sample in source["samples"]] == [n in (2, 3, 7) for n in range(1, 11)]
        assert sum(failure["count"] for failure in source["failures"]) == 3


def test_lossy_proxy_is_ranked_behind_a_slower_one(bench: Workbench) -> None:
    """A request that is never answered costs its timeout: half of them lost is worse than a tenfold latency."""
    bench.write_project(MODULES[:1])
    with (
        ModuleProxy(MODULES[:1], latency=0.005) as lossy,
        ModuleProxy(MODULES[:1], latency=0.05) as slow,
    ):
        lossy.fault("*", Fault.STALL_BEFORE_HEADERS, picks=lambda number: number % 2 == 0)
        said = diagnosed(bench, "--samples", "4", "--stall-timeout", "500ms", GOPROXY=f"{lossy.url}|{slow.url}")
        assert said["recommended"]["goproxy"] == f"{slow.url}|{lossy.url}"


def test_doctor_looks_for_many_modules_over_few_connections(bench: Workbench) -> None:
    """A new connection, with a lookup of its name, is for samples only."""
    modules = [FakeModule(f"example.com/small{number}", "v1.0.0") for number in range(40)]
    bench.write_project(modules)
    with ModuleProxy(modules) as proxy:
        said = diagnosed(bench, "--samples", "2", "--jobs", "4", GOPROXY=proxy.url)
        assert said["sources"][0]["asked_modules"] == 40
        assert proxy.connections <= 2 + 4 + 1
