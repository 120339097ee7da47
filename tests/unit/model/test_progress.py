"""A meter counts what the work reports, and adds what can be seen of it."""

from __future__ import annotations

from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.progress import Look, Meter
from tests.support.clock import Clock
from tests.support.fakes.reports import A, B, files_of


def test_meter_counts_modules_by_their_zips() -> None:
    meter = Meter("Download")
    meter.expect([*files_of(A), ModuleFile(B, "mod")])
    meter.done(ModuleFile(A, "mod"), 10)
    meter.done(ModuleFile(A, "zip"), 1000)
    seen = meter.read()
    assert (seen.modules, seen.all_modules) == (1, 1)
    assert (seen.files, seen.all_files) == (2, 4)
    assert seen.bytes == 1010


def test_meter_second_part_counts_from_zero() -> None:
    clock = Clock()
    meter = Meter("Save", clock)
    meter.expect([ModuleFile(A, "zip")], 1000)
    meter.done(ModuleFile(A, "zip"), 1000)
    clock.now += 5
    meter.expect([ModuleFile(B, "zip")], 10)
    seen = meter.read()
    assert (seen.modules, seen.all_modules) == (0, 1)
    assert (seen.files, seen.bytes, seen.all_bytes, seen.seconds) == (0, 0, 10, 0.0)


def test_meter_looks_once_a_second() -> None:
    clock, looks = Clock(), list[float]()

    def look() -> Look:
        looks.append(clock.now)
        return Look(modules=len(looks), waiting_for="Go")

    meter = Meter("Verify", clock)
    meter.watch(look)
    assert [meter.read().modules, meter.read().modules] == [1, 1]
    clock.now += 1.5
    seen = meter.read()
    assert (seen.modules, seen.waiting_for, seen.idle) == (2, "Go", 0.0)


def test_meter_idle_grows_until_something_changes() -> None:
    clock = Clock()
    meter = Meter("Download", clock)
    clock.now += 5
    assert meter.read().idle == 5
    meter.done(ModuleFile(A, "zip"))
    assert meter.read().idle == 0
    assert meter.read().seconds == 5


def test_meter_look_that_fails_changes_nothing() -> None:
    def look() -> Look:
        raise PermissionError

    meter = Meter("Verify")
    meter.watch(look)
    assert meter.read().modules == 0
