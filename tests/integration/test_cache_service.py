"""The cache service as a store: what is looked up, handed over and saved, run by run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fakes.cache_service import CacheService, Token
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.service_job import MAIN, Job
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
BIG = FakeModule("github.com/BurntSushi/big", "v1.4.0", padding=9_000_000)  # three ranges
OLD = FakeModule("example.com/old", "v3.0.0+incompatible", has_gomod=False)
NEW = FakeModule("example.com/new", "v0.1.0", padding=1_000)
NEWER = FakeModule("example.com/new", "v0.2.0", padding=1_000)
HUGE = FakeModule("example.com/huge", "v1.0.0", padding=8_000_000)
BASE = (LIB, BIG, OLD)
EVERY = (*BASE, NEW, NEWER, HUGE)
TOPIC = Token("topic-token", "refs/heads/topic", ("refs/heads/main",))
PROTOCOLS = ("v2", "v1")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(EVERY) as server:
        yield server


@pytest.fixture
def service() -> Iterator[CacheService]:
    with CacheService(MAIN, TOPIC) as server:
        yield server


@pytest.fixture
def job(bench: Workbench, service: CacheService, proxy: ModuleProxy) -> Job:
    return Job(bench, service, proxy)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_miss_then_exact(bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job, protocol: str) -> None:
    """A miss saves one full entry; an exact hit takes one look-up and no proxy, and saves nothing."""
    job(*BASE, protocol=protocol)
    assert bench.outputs["cache-result"] == "miss"
    assert [request.route for request in service.requests if request.status_or_fault != 201].count("lookup") == 2
    (key,) = service.keys
    assert "-full-" in key
    assert bench.report["save"]["key"] == key
    job(*BASE, protocol=protocol, run=2)
    assert bench.outputs["cache-result"] == "exact"
    assert bench.outputs["matched-key"] == key
    assert proxy.paths() == []
    assert service.routes.count("lookup") == 1
    assert set(service.routes) == {"lookup", "blob.get"}
    assert service.keys == [key]
    assert bench.outputs["seconds-saved"] != ""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_small_change_is_saved_as_a_delta(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job, protocol: str
) -> None:
    """Then the new module comes from the delta, the others from the full entry below it."""
    job(*BASE, protocol=protocol)
    job(*BASE, NEW, protocol=protocol, run=2)
    assert bench.outputs["cache-result"] == "partial"
    assert {path.partition("/@v")[0] for path in proxy.paths()} == {"example.com/new"}
    full, delta = service.keys
    assert "-delta-" in delta
    assert len(service.archive(delta)) < 0.1 * len(service.archive(full))
    job(*BASE, NEW, protocol=protocol, run=3)
    assert bench.outputs["cache-result"] == "exact"
    assert bench.outputs["matched-key"] == delta
    assert proxy.paths() == []
    assert service.routes.count("lookup") == 2
    assert service.keys == [full, delta]


def test_deltas_rest_on_a_full_entry_never_on_each_other(bench: Workbench, service: CacheService, job: Job) -> None:
    job(*BASE)
    job(*BASE, NEW, run=2)
    job(*BASE, NEWER, run=3)
    full, first, second = service.keys
    digest = full.split("-full-")[1].partition("-")[0]
    assert all(key.split("-delta-")[1].split("-")[1] == digest for key in (first, second))
    assert b"new/@v/v0.1.0.zip" not in service.archive(second)
    job(*BASE, NEWER, run=4)
    assert bench.outputs["cache-result"] == "exact"


def test_a_large_change_is_saved_as_a_full_entry(bench: Workbench, service: CacheService, job: Job) -> None:
    """More than 30 % of the full entry's bytes: a new full one, with all that the run needed."""
    job(*BASE)
    job(LIB, BIG, HUGE, run=2)
    assert bench.outputs["cache-result"] == "partial"
    assert ["-full-" in key for key in service.keys] == [True, True]
    job(LIB, BIG, HUGE, run=3)
    assert bench.outputs["cache-result"] == "exact"
    assert service.routes.count("lookup") == 1


def test_fewer_modules_need_no_new_entry(bench: Workbench, service: CacheService, job: Job) -> None:
    job(*BASE)
    job(BIG, LIB, run=2)
    assert bench.outputs["cache-result"] == "exact"
    assert len(service.keys) == 1


def test_stale_delta_of_the_branch_does_not_hide_exact_entry(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job
) -> None:
    """The service searches the own branch first, whatever of it fits."""
    job(*BASE)
    job(*BASE, NEW, token=TOPIC, run=2)
    job(*BASE, NEWER, token=MAIN, run=3)
    job(*BASE, NEWER, token=TOPIC, run=4)
    assert bench.outputs["cache-result"] == "exact"
    assert proxy.paths() == []


def test_main_does_not_see_what_a_branch_has_saved(bench: Workbench, job: Job) -> None:
    job(*BASE, token=TOPIC)
    job(*BASE, run=2)
    assert bench.outputs["cache-result"] == "miss"


def test_full_entry_evicted_under_a_delta(bench: Workbench, service: CacheService, job: Job) -> None:
    """What the delta has is taken; with no other full entry to build on, a new one is saved."""
    job(*BASE)
    job(*BASE, NEW, run=2)
    (number,) = [entry.number for entry in service.entries if "-full-" in entry.key]
    service.entries.evict(number)
    job(*BASE, NEW, run=3)
    assert bench.outputs["cache-result"] == "partial"
    assert "-full-" in service.keys[-1]
    job(*BASE, NEW, run=4)
    assert bench.outputs["cache-result"] == "exact"


def test_the_newest_full_entry_stands_in_for_one_that_is_gone(
    bench: Workbench, service: CacheService, job: Job
) -> None:
    job(*BASE)
    job(*BASE, NEW, run=2)
    job(LIB, HUGE, run=3)
    (first, *_) = [entry.number for entry in service.entries if "-full-" in entry.key]
    service.entries.evict(first)
    job(*BASE, NEW, run=4)
    assert bench.outputs["cache-result"] == "partial"
    assert int(bench.outputs["modules-from-cache"]) == 2  # the new one of the delta, the lib of the other full entry


def test_of_two_jobs_of_one_run_one_saves(bench: Workbench, service: CacheService, job: Job) -> None:
    """A matrix: the second finds the name taken, which is no warning."""
    job(*BASE)
    (entry,) = service.entries
    entry.created = 0  # still being uploaded
    job(*BASE)
    assert "[entry-taken]" in bench.report["save"]["because_not"]
    assert bench.report["warnings"] == []
    assert not {"blob.put", "blob.block"}.intersection(service.routes)


def test_a_cancelled_upload_does_not_block_the_next_run(bench: Workbench, service: CacheService, job: Job) -> None:
    service.inject("blob.block", 403, times=None)
    job(*BASE)
    assert service.keys == []
    service.faults.clear()
    job(*BASE, run=2)
    assert len(service.keys) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_a_damaged_entry_is_a_miss_and_saved_anew(
    bench: Workbench, service: CacheService, job: Job, damage: str
) -> None:
    job(*BASE)
    (entry,) = service.entries
    data = entry.data or b""
    middle = len(data) // 2
    entry.data = {
        "cut": data[:middle],
        "flipped": data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 4096]) + data[middle + 4096 :],
        "empty": b"\0",
        "foreign": b"<html>" * 10_000,
    }[damage]
    job(*BASE, run=2)
    assert bench.outputs["cache-result"] in ("miss", "partial")
    assert bench.report["warnings"] or bench.report["complete"]["rejected"]
    assert len(service.keys) == 2
    job(*BASE, run=3)
    assert bench.outputs["cache-result"] == "exact"
