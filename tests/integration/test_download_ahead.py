"""What a store lacks is downloaded while it delivers the rest, whichever of the two is slow, dies or is stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from go_prefetch.stores.cache_service.range_reader import RangeReader
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.cache_service.faults import SILENCE
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.service_job import MAIN, Job
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

pytestmark = pytest.mark.slow  # real silences of servers

FIRST = FakeModule("example.com/first", "v1.0.0", padding=1_500_000)  # longer than a range
SECOND = FakeModule("example.com/second", "v1.0.0", padding=1_400_000)
STORED = (FIRST, SECOND)
LACKING = FakeModule("example.com/lacking", "v1.0.0", padding=1_000)
LATE_RANGE = 1 << 20  # the first byte of the second range
ENCODING = "no zstd"  # so that the zips have their size in the entry


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((*STORED, LACKING)) as server:
        yield server


@pytest.fixture
def service() -> Iterator[CacheService]:
    with CacheService(MAIN) as server:
        server.faults.retry_after = 0
        yield server


@pytest.fixture
def job(bench: Workbench, service: CacheService, proxy: ModuleProxy) -> Job:
    """Jobs, after one that has saved an entry."""
    job = Job(bench, service, proxy)
    job(*STORED, environ=job.only(ENCODING))
    return job


def zips(proxy: ModuleProxy) -> list[str]:
    return [path for path in proxy.paths() if path.endswith(".zip")]


def zip_of(module: FakeModule) -> str:
    return f"{module.path}/@v/{module.version}.zip"


def test_lacking_files_come_while_the_store_is_silent(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job
) -> None:
    """The store says after its first bytes what it lacks. Its second range comes with the second request for it."""
    service.inject("blob.get", SILENCE, first_byte=LATE_RANGE)
    job(*STORED, LACKING, run=2, environ=job.only(ENCODING))
    assert zips(proxy) == [zip_of(LACKING)]
    report = bench.report
    assert report["outputs"]["cache-result"] == "partial"
    assert report["download"]["overlapping_seconds"] > 0
    assert report["restore"]["seconds"] > report["download"]["seconds"]
    steps = [report[step]["seconds"] for step in ("plan", "restore", "download", "admit", "complete", "save")]
    assert sum(steps) == pytest.approx(float(report["outputs"]["seconds"]), abs=0.1)


def test_store_that_dies_during_downloads_loses_nothing(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job
) -> None:
    """What it had promised comes from the proxies afterwards, each file once."""
    service.inject("blob.get", 500, times=None, first_byte=LATE_RANGE)
    job(*STORED, LACKING, run=2, flags=("--attempts", "1"), environ=job.only(ENCODING))
    assert sorted(zips(proxy)) == sorted(map(zip_of, (*STORED, LACKING)))
    assert len(set(proxy.paths())) == len(proxy.paths())
    assert "store-unreachable" in bench.warnings


def test_proxy_that_is_slower_than_the_store_is_waited_for(bench: Workbench, proxy: ModuleProxy, job: Job) -> None:
    proxy.fault(zip_of(LACKING), Fault.STALL_BEFORE_HEADERS, times=1)
    flags = ("--stall-timeout", "1s")
    job(*STORED, LACKING, run=2, flags=flags, environ=job.only(ENCODING))
    assert set(zips(proxy)) == {zip_of(LACKING)}
    assert bench.report["download"]["seconds"] > bench.report["restore"]["seconds"]


def test_proxy_that_fails_during_the_restore_fails_as_before(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job
) -> None:
    """The same error, and what the store delivered is there."""
    proxy.fault(f"{LACKING.path}/*", Fault.SERVER_ERROR)
    bench.write_project((*STORED, LACKING))
    bench.forget_modcache()
    variables = {"GOPROXY": proxy.url, **service.v2(MAIN.text, run="2"), **job.only(ENCODING)}
    result = bench.quickly("run", "--store", "github", "--attempts", "1", **variables)
    assert result.status == 5, result.text
    assert "[proxy-unavailable]" in result.text
    assert all((bench.modcache / "cache" / "download" / zip_of(module)).is_file() for module in STORED)


@pytest.mark.skipif(sys.platform == "win32", reason="the signals of POSIX")
@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_run_that_is_stopped_with_both_under_way_leaves_nothing(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job, end: str
) -> None:
    """No unfinished file; and after kill -9, the next run removes them."""
    service.inject("blob.get", SILENCE, times=None, first_byte=LATE_RANGE)
    proxy.fault(zip_of(LACKING), Fault.STALL_IN_BODY, times=1)
    bench.write_project((*STORED, LACKING))
    bench.forget_modcache()
    service.clear()
    proxy.clear()
    variables = {"GOPROXY": proxy.url, **service.v2(MAIN.text, run="2"), **job.only(ENCODING)}
    run = bench.start("run", "--store", "github", **variables)
    wait_until(lambda: zips(proxy) or run.poll() is not None, "the request for what the store lacks")
    os.kill(run.pid, getattr(signal, end))
    stdout, stderr = run.communicate(timeout=30)
    if end != "SIGKILL":
        assert run.returncode == 130, stdout + stderr
        assert bench.leftovers() == []
    service.faults.clear()
    assert bench.quickly("run", "--store", "github", **variables).status == 0
    assert bench.leftovers() == []
    assert bench.go("mod", "verify").status == 0


def test_delta_and_full_entry_are_read_at_the_same_time(
    bench: Workbench, service: CacheService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither reader gets a byte before both have begun."""
    both, read = threading.Barrier(2), RangeReader.read

    def read_late(reader: RangeReader, size: int) -> bytes:
        if not vars(reader).setdefault("has_met", False):
            vars(reader)["has_met"] = True
            both.wait(timeout=30)
        return read(reader, size)

    third = FakeModule("example.com/third", "v1.0.0", padding=10_000)
    with ModuleProxy((*STORED, third)) as proxy:
        job = Job(bench, service, proxy)
        job(*STORED, environ=job.only(ENCODING))
        job(*STORED, third, run=2, environ=job.only(ENCODING))
        assert "-delta-" in bench.report["save"]["key"]
        monkeypatch.setattr(RangeReader, "read", read_late)
        job(*STORED, third, run=3, environ=job.only(ENCODING))
        assert proxy.paths() == []
    assert bench.outputs["cache-result"] == "exact"
    assert not both.broken
