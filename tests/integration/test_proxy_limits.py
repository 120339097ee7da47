"""Proxies with a limit for requests: the limit is about the proxy, and no file is charged for it."""

from __future__ import annotations

import pytest

from tests.support.fakes.module_proxy import Fault, ModuleProxy, RequestLimit
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.workbench import Workbench

MODULES = [FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(10)]
ONE_ATTEMPT = ("--attempts", "1")


def refused(proxy: ModuleProxy) -> int:
    """The requests that were refused because of a limit."""
    return sum(request.status_or_fault in (429, Fault.TOO_MANY, Fault.UNAVAILABLE) for request in proxy.requests)


@pytest.mark.parametrize("retry_after", [True, False], ids=["with Retry-After", "without"])
def test_limit_slows_a_run_down_and_fails_no_file(bench: Workbench, *, retry_after: bool) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.limit = RequestLimit(20, retry_after=retry_after)
        result = bench.prefetch(*ONE_ATTEMPT, goproxy=proxy.url)
        assert result.status == 0, result.text
        refusals = refused(proxy)
        assert refusals > 0
    (source,) = bench.report["download"]["sources"]
    assert (source["files"], source["failed_attempts"], source["refusals"]) == (30, 0, refusals)
    assert source["limited_seconds"] > 0
    (told,) = [notice for notice in result.notices if notice.slug == "proxy-limited"]
    assert (facts(told)["proxy"], facts(told)["refusals"]) == (proxy.url, refusals)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.UNAVAILABLE], ids=lambda fault: fault.name.lower())
def test_pause_of_one_file_is_a_pause_of_all(bench: Workbench, fault: Fault) -> None:
    """The proxy refuses the first two requests: each file would need more than the one attempt it has."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*", fault, times=2)
        result = bench.prefetch(*ONE_ATTEMPT, "--jobs", "1", goproxy=proxy.url)
        assert result.status == 0, result.text
        assert len(proxy.paths()) == 30 + 2
        assert len(set(proxy.paths()[:3])) == 1


def test_long_pause_goes_on_to_the_next_proxy(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.retry_after = 3600
        first.fault("*", Fault.TOO_MANY)
        result = bench.prefetch(*ONE_ATTEMPT, "--jobs", "4", goproxy=f"{first.url}|{second.url}")
        assert result.status == 0, result.text
        assert len(first.paths()) <= 4
        assert len(second.paths()) == 30
    assert [notice.slug for notice in result.notices] == ["proxy-limited"]


def test_pause_beyond_the_deadline_fails_the_run_at_once(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.retry_after = 3600
        proxy.fault("*", Fault.TOO_MANY)
        result = bench.prefetch(*ONE_ATTEMPT, "--deadline", "30m", goproxy=proxy.url)
        assert result.status == 5, result.text
    assert [notice.case for notice in result.notices if notice.slug == "proxy-unavailable"] == ["limited"]
