"""Each call of the cache service fails in each way: no error leaves the store, no wrong file stays, and it says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.model.results import Saved
from go_prefetch.stores.cache_service import range_buffer
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.cache_service.faults import (
    ANY_CALL,
    DRIP,
    EVICTED,
    EXPIRED,
    OTHER_ETAG,
    QUICK,
    SILENCE,
    STUCK,
    WRONG_RANGE,
    WRONG_TOTAL,
)
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts, slugs
from tests.support.service_job import MAIN, Job
from tests.support.service_shelf import ENCODINGS, Shelf
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

pytestmark = pytest.mark.slow  # silences and broken answers, one by one

BIG = FakeModule("example.com/big", "v1.0.0", padding=900_000)  # the first range has all of it
NEXT = FakeModule("example.com/next", "v1.0.0", padding=800_000)
SMALL = FakeModule("example.com/small", "v1.0.0")
MODULES = (BIG, NEXT, SMALL)
SECOND = range_buffer.first_byte(1)
PASSING = (500, 503, "reset", "silence", "truncated")  # one of them is made good by another attempt
CALLS = {"v2": ("create", "blob.put", "blob.block", "blob.list", "finalize"), "v1": ("create", "chunk", "finalize")}
PROTOCOLS = ("v2", "v1")


@pytest.fixture
def service() -> Iterator[CacheService]:
    with CacheService(MAIN) as server:
        server.faults.retry_after = 0
        yield server


@pytest.fixture(params=ENCODINGS)
def shelf(request: pytest.FixtureRequest, service: CacheService, tmp_path: Path) -> Shelf:
    return Shelf(service, tmp_path, MODULES, encoding=ENCODINGS[request.param])


def patience(fault: int | str) -> float:
    """Seconds to wait for a silent server: few where it is silent, and else more than any machine pauses."""
    return 0.2 if fault in (SILENCE, STUCK) else 20.0


def is_explained(shelf: Shelf, restored: object) -> bool:
    return bool(restored.warnings or restored.skipped_reason)  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", ANY_CALL, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_look_up_that_fails(service: CacheService, tmp_path: Path, protocol: str, fault: int | str) -> None:
    shelf = Shelf(service, tmp_path, MODULES, protocol, stall=patience(fault))
    shelf.save()
    service.inject("lookup", fault, times=1)
    once = shelf.restore("once")
    assert shelf.has_all(once) or is_explained(shelf, once)
    assert shelf.has_all(once) or fault not in (*PASSING, "malformed", "html")
    service.inject("lookup", fault, times=None)
    always = shelf.restore("always")
    assert not always.files
    assert is_explained(shelf, always) or (protocol, fault) == ("v1", 404)  # there it means a miss
    assert not shelf.deadline.passed()


@pytest.mark.parametrize("fault", [*ANY_CALL, STUCK], ids=str)
def test_a_range_that_fails(service: CacheService, shelf: Shelf, fault: int | str) -> None:
    shelf.stall = patience(fault)
    shelf.save()
    service.inject("blob.get", fault, times=1, first_byte=SECOND)
    once = shelf.restore("once")
    assert shelf.has_all(once) or is_explained(shelf, once)
    assert shelf.has_all(once) or fault not in PASSING
    service.inject("blob.get", fault, times=None)
    always = shelf.restore("always")
    assert not shelf.has_all(always)
    assert is_explained(shelf, always)
    assert not shelf.deadline.passed()


@pytest.mark.parametrize("first_byte", [0, SECOND])
@pytest.mark.parametrize("fault", [WRONG_RANGE, WRONG_TOTAL, OTHER_ETAG, EVICTED, EXPIRED], ids=str)
def test_a_range_of_something_else(service: CacheService, shelf: Shelf, fault: str, first_byte: int) -> None:
    """Another range, another size, another version of the blob, none at all, an expired URL."""
    shelf.save()
    service.inject("blob.get", fault, times=1, first_byte=first_byte)
    restored = shelf.restore()
    assert shelf.has_all(restored) or is_explained(shelf, restored)
    assert shelf.has_all(restored) or fault not in (WRONG_RANGE, EXPIRED)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_evicted_between_look_up_and_read(service: CacheService, tmp_path: Path, protocol: str) -> None:
    shelf = Shelf(service, tmp_path, MODULES, protocol)
    shelf.save()
    service.inject("lookup", EVICTED)
    restored = shelf.restore()
    assert not restored.files
    assert slugs(restored.warnings)[0] == "store-damaged"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "times"),
    [*((fault, None) for fault in ANY_CALL), *((fault, 1) for fault in PASSING)],
    ids=lambda value: {None: "always", 1: "once"}.get(value, str(value)),
)
@pytest.mark.parametrize(("protocol", "route"), [(name, route) for name, routes in CALLS.items() for route in routes])
def test_a_save_that_fails(
    service: CacheService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
    route: str,
    fault: int | str,
    times: int | None,
) -> None:
    """There is a whole entry afterwards or none, and whoever looks for it is not misled."""
    if route in ("blob.block", "blob.list"):  # what fits in one block is sent without a list
        monkeypatch.setattr("go_prefetch.stores.cache_service.block_upload._BLOCK", 200_000)
    shelf = Shelf(service, tmp_path, MODULES, protocol, stall=patience(fault))
    service.inject(route, fault, times=times)
    saved = shelf.save()
    assert isinstance(saved, StoreError) or saved.key or saved.skipped_reason
    if fault in (500, 503) and times == 1:
        assert isinstance(saved, Saved)
        assert saved.key
    service.faults.clear()
    restored = shelf.restore()
    assert shelf.has_all(restored) or (not restored.files and not service.keys)
    assert not shelf.deadline.passed()
    assert isinstance(shelf.save(run=2), Saved)  # nothing of this blocks the next run


@pytest.mark.parametrize(("protocol", "route"), [("v2", "blob.block"), ("v1", "chunk")])
def test_a_block_that_nobody_takes_holds_up_no_other(
    service: CacheService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, route: str
) -> None:
    """They are sent at the same time, and each is tried again by itself."""
    monkeypatch.setattr("go_prefetch.stores.cache_service.block_upload._BLOCK", 200_000)
    shelf = Shelf(service, tmp_path, MODULES, protocol, stall=1.0)
    service.inject(route, "silence", times=1)
    saved = shelf.save()
    assert isinstance(saved, Saved)
    sent = [request.status_or_fault for request in service.requests if request.route == route]
    assert sent.count("silence") == 1
    assert len(sent) == 1 + -(-saved.bytes // 200_000)
    assert sent.index("silence") < len(sent) - 2
    assert shelf.has_all(shelf.restore())


@pytest.mark.parametrize(("protocol", "route"), [("v2", "blob.block"), ("v1", "chunk")])
def test_server_that_dies_during_an_upload_costs_one_entry(
    service: CacheService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, route: str
) -> None:
    """Nothing is finished, and the next run saves."""
    monkeypatch.setattr("go_prefetch.stores.cache_service.block_upload._BLOCK", 200_000)
    shelf = Shelf(service, tmp_path, MODULES, protocol)
    service.inject(route, "reset", times=None, skip=3)
    saved = shelf.save()
    assert isinstance(saved, StoreError)
    assert saved.notice.slug == "store-unreachable"
    assert "finalize" not in service.routes
    service.faults.clear()
    assert not shelf.restore().files
    assert isinstance(shelf.save(run=2), Saved)
    assert shelf.has_all(shelf.restore("again"))


def test_429_is_not_waited_for(service: CacheService, tmp_path: Path) -> None:
    shelf = Shelf(service, tmp_path, MODULES)
    service.inject("create", 429, times=None)
    saved = shelf.save()
    assert isinstance(saved, Saved)
    assert saved.skipped_reason == notice("store-not-allowed", "rate-limit")
    assert service.routes == ["create"]


def test_expired_url_without_replacement_is_a_warning(service: CacheService, tmp_path: Path) -> None:
    shelf = Shelf(service, tmp_path, MODULES)
    shelf.save()
    service.inject("blob.get", EXPIRED, times=None)
    service.entries.look_ups_left = 1
    (warning,) = shelf.restore().warnings
    assert (warning.slug, warning.case) == ("store-unreachable", "no-new-url")
    assert facts(warning) == {"cause": notice("store-not-allowed", "rate-limit")}


def test_what_came_before_the_deadline_is_kept(service: CacheService, shelf: Shelf) -> None:
    shelf.save()
    service.inject("blob.get", DRIP, times=None, first_byte=SECOND)
    shelf.deadline = Deadline.after(2.0)
    restored = shelf.restore()
    assert slugs(restored.warnings)[0] == "store-slow"
    assert any(file.module.path == BIG.path for file in restored.files)
    assert not shelf.has_all(restored)


def test_a_pace_that_would_take_too_long_ends_it_early(
    service: CacheService, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_buffer, "_PACE_OVER", 0.3)
    shelf.save()
    service.drip = 0.1
    service.inject("blob.get", DRIP, times=None, first_byte=SECOND)
    restored = shelf.restore()
    slow = restored.warnings[0]
    assert isinstance(slow, Notice)
    assert (slow.slug, slow.case) == ("store-slow", "pace")
    assert any(file.module.path == BIG.path for file in restored.files)
    assert not shelf.deadline.passed()


def test_a_slow_range_is_raced(service: CacheService, tmp_path: Path) -> None:
    """At this pace it would take longer than there is time."""
    shelf = Shelf(service, tmp_path, MODULES)
    shelf.save()
    service.drip = 0.1
    service.inject("blob.get", DRIP, times=1, first_byte=SECOND)
    restored = shelf.restore()
    assert shelf.has_all(restored)
    assert restored.warnings == ()
    assert not shelf.deadline.passed()


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
def test_a_server_that_knows_no_ranges(tmp_path: Path, late: bool) -> None:
    """Whichever of the answers comes first: all of them bring the whole."""
    with CacheService(MAIN, has_ranges=False) as whole:
        shelf = Shelf(whole, tmp_path, MODULES)
        shelf.save()
        if late:
            whole.inject("blob.get", SILENCE, first_byte=0)
            shelf.stall = patience(SILENCE)
        restored = shelf.restore()
        assert shelf.has_all(restored)
        assert restored.warnings == ()


@pytest.mark.parametrize("fault", [500, 503, "reset", "truncated"], ids=str)
def test_sick_server_gets_few_requests_for_a_blob(service: CacheService, shelf: Shelf, fault: int | str) -> None:
    """Failures of one blob are counted together, whichever range they are of."""
    shelf.save()
    service.inject("blob.get", fault, times=None)
    service.clear()
    assert slugs(shelf.restore().warnings) == ["store-unreachable"]
    blobs, asked = 6, service.routes.count("blob.get")
    # On a slow machine, one request of a blob is raced by another.
    assert blobs * shelf.attempts <= asked <= blobs * (shelf.attempts + 1)


@pytest.mark.parametrize("seed", range(1, 9))
def test_server_that_fails_two_of_three_requests_still_delivers(service: CacheService, shelf: Shelf, seed: int) -> None:
    shelf.attempts = 4
    shelf.save()
    service.inject("blob.get", (500, 503, "reset"), times=None, share=2 / 3, seed=seed)
    restored = shelf.restore()
    assert shelf.has_all(restored)
    assert restored.warnings == ()


def test_server_without_ranges_gets_one_request_for_a_blob(tmp_path: Path) -> None:
    with CacheService(MAIN, has_ranges=False) as whole:
        shelf = Shelf(whole, tmp_path, MODULES)
        shelf.save()
        whole.clear()
        assert shelf.has_all(shelf.restore())
        assert whole.routes.count("blob.get") == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_silent_service_is_asked_once_and_not_again_in_save(
    bench: Workbench, service: CacheService, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """One warning, and no other request in the whole run."""
    monkeypatch.setattr("go_prefetch.stores.cache_service.protocol._TRY_FOR", 0.1)
    service.inject("*", SILENCE, times=None)
    with ModuleProxy(MODULES) as proxy:
        Job(bench, service, proxy)(*MODULES, protocol=protocol, flags=("--stall-timeout", "500ms"))
    assert service.routes == ["lookup"]
    assert bench.warnings == ["store-unreachable"]
    assert "[store-failed]" in bench.report["save"]["because_not"]


@pytest.mark.wording
def test_first_failed_attempt_is_one_line_of_the_log(bench: Workbench, service: CacheService) -> None:
    service.inject("*", 503, times=None)
    with ModuleProxy(MODULES) as proxy:
        result = Job(bench, service, proxy)(*MODULES)
    assert service.routes.count("lookup") == 4
    assert result.text.count("An attempt at the cache service failed") == 1


def test_silent_blob_server_is_given_up_early(
    service: CacheService, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its service answers. The reader waits for the first byte no longer than for a dead service."""
    monkeypatch.setattr(range_buffer, "FIRST_ANSWER", 0.3)
    shelf.save()
    service.inject("blob.get", SILENCE, times=None)
    assert slugs(shelf.restore().warnings) == ["store-unreachable"]
    assert not shelf.deadline.passed()


def test_one_stream_that_is_too_slow_is_no_damage(tmp_path: Path) -> None:
    with CacheService(MAIN, has_ranges=False) as whole:
        shelf = Shelf(whole, tmp_path, MODULES, deadline=Deadline.after(1.0))
        shelf.save()
        whole.inject("blob.get", DRIP, times=None)
        assert slugs(shelf.restore().warnings) == ["store-slow"]


def test_no_room(service: CacheService, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at before anything is written."""
    shelf.save()
    usage = shutil.disk_usage(shelf.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    restored = shelf.restore()
    assert not restored.files
    assert slugs(restored.warnings)[0] == "store-no-room"


def test_memory_is_bounded(service: CacheService, tmp_path: Path) -> None:
    """Whoever reads slowly is not sent more than a certain number of ranges ahead."""
    size = 160 << 20
    shelf = Shelf(service, tmp_path, ())
    service.put(MAIN, "key", shelf.version, bytes(size))
    connection = shelf.store()._connect()
    found = connection.service.look_up(["key"], shelf.deadline)
    assert found is not None
    with connection.open(found.url, lambda: found.url, shelf.deadline, 1) as stream:
        assert stream.read(1) == b"\0"
        most = range_buffer.first_byte(1 + range_buffer.AHEAD)
        wait_until(lambda: stream.received == most, "all ranges that may be held")
        assert service.routes.count("blob.get") == 1 + range_buffer.AHEAD
        read = 1
        while piece := stream.read(1 << 20):
            read += len(piece)
        assert read == size == stream.received


def test_files_of_a_late_store_come_from_the_proxies(bench: Workbench, service: CacheService) -> None:
    """And only that: what had come is kept."""
    with ModuleProxy(MODULES) as proxy:
        job = Job(bench, service, proxy)
        job(*MODULES, environ=job.only("no zstd"))
        service.inject("blob.get", DRIP, times=None, first_byte=SECOND)
        job(*MODULES, run=2, flags=("--restore-deadline", "1s"), environ=job.only("no zstd"))
        assert bench.outputs["cache-result"] == "partial"
        assert "store-slow" in bench.warnings
        zips = {path for path in proxy.paths() if path.endswith(".zip")}
        assert zips == {f"{module.path}/@v/{module.version}.zip" for module in (NEXT, SMALL)}


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_fifth_of_all_requests_fails(bench: Workbench, seed: int) -> None:
    """The whole job, twice; Go finds every module verified in the end."""
    with ModuleProxy(MODULES) as proxy, CacheService(MAIN) as service:
        service.faults.retry_after = 0
        service.inject("*", QUICK, times=None, share=0.2, seed=seed)
        job = Job(bench, service, proxy)
        for run in (1, 2):
            job(*MODULES, run=run, flags=("--stall-timeout", "2s"))
            assert bench.report["failure"] is None
