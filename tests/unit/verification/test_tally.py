"""What several threads count at once."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.results import Deferral
from go_prefetch.verification.tally import Tally

_Result = TypeVar("_Result")
THREADS = 8


class SlowToHash(ModuleVersion):
    """A module that lets another thread run whenever it is looked up."""

    __slots__ = ()

    def __hash__(self) -> int:
        time.sleep(0)
        return super().__hash__()


@pytest.fixture(autouse=True)
def _threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(call: Callable[[], _Result]) -> list[_Result]:
    """What the call returns in each of several threads."""
    with ThreadPoolExecutor(THREADS) as threads:
        return [future.result() for future in [threads.submit(call) for _ in range(THREADS)]]


def test_of_many_threads_one_brings_a_zip_in() -> None:
    tally = Tally(Counter())
    versions = [SlowToHash("example.com/lib", f"v1.{number}.0") for number in range(100)]
    begun = in_threads(lambda: [version for version in versions if tally.begin(version, None)])
    assert sorted(version for some in begun for version in some) == sorted(versions)
    assert tally.taken.keys() == set(versions)


def test_zips_that_many_threads_leave_are_all_counted() -> None:
    tally = Tally(Counter({Deferral.TWO_HASHES: 1}))

    def leave() -> None:
        for _ in range(2000):
            tally.leave(Deferral.REFUSED, 1)

    in_threads(leave)
    assert tally.left == {Deferral.TWO_HASHES: 1, Deferral.REFUSED: THREADS * 2000}


def test_a_zip_that_is_given_up_is_left_to_go() -> None:
    tally, version = Tally(Counter()), ModuleVersion("example.com/lib", "v1.0.0")
    assert tally.begin(version, None)
    tally.give_up(version, Deferral.UNUSUAL_ZIP)
    assert (tally.taken, tally.left) == ({}, {Deferral.UNUSUAL_ZIP: 1})
