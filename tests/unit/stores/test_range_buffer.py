"""Ranges come in any order and are read in theirs; a stream takes their place only before any was read."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.range_buffer import AHEAD, Announced, Arrivals, GoneError, first_byte

COUNT = 6
TOTAL = first_byte(COUNT)


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals(Deadline.after(20))


def begin(arrivals: Arrivals, total: int = TOTAL) -> list[int]:
    """Have all ranges taken that may be under way, as the threads do."""
    first = arrivals.wanted()
    arrivals.agree(Announced(1, total, "tag"))
    several = min(AHEAD, COUNT) - 1
    return [number for number in (first, *(arrivals.wanted() for _ in range(several))) if number is not None]


@given(st.permutations(range(COUNT)))
def test_ranges_are_read_in_order(order: list[int]) -> None:
    arrivals = Arrivals(Deadline.after(20))
    assert begin(arrivals) == sorted(order)
    for number in order:
        arrivals.put(number, b"%d" % number)
    assert [arrivals.awaited() for _ in range(COUNT + 1)] == [*(b"%d" % number for number in range(COUNT)), b""]
    assert arrivals.wanted() is None


@pytest.mark.parametrize("other", [Announced(1, TOTAL + 1, "tag"), Announced(1, TOTAL, "other")])
def test_ranges_of_two_blobs_do_not_mix(arrivals: Arrivals, other: Announced) -> None:
    begin(arrivals)
    with pytest.raises(GoneError):
        arrivals.agree(other)


def test_no_stream_takes_the_place_of_ranges_that_were_read(arrivals: Arrivals) -> None:
    begin(arrivals)
    arrivals.put(0, b"first")
    assert arrivals.awaited() == b"first"
    assert not arrivals.begin_stream(TOTAL)


def test_a_stream_is_read_as_it_comes_and_ends_the_asking(arrivals: Arrivals) -> None:
    assert arrivals.wanted() == 0
    assert arrivals.begin_stream(None)
    assert arrivals.wanted() is None
    assert arrivals.add_to_stream(b"some")
    arrivals.end_stream()
    assert (arrivals.awaited(), arrivals.awaited()) == (b"some", b"")


def test_what_had_come_is_read_before_a_failure_is_told(arrivals: Arrivals) -> None:
    begin(arrivals)
    arrivals.put(0, b"first")
    arrivals.fail(StoreError("store-unreachable", "reading", words="words"))
    assert arrivals.awaited() == b"first"
    with pytest.raises(StoreError, match="words"):
        arrivals.awaited()


def test_a_deadline_goes_before_what_failed_because_of_it(arrivals: Arrivals) -> None:
    """Else an entry that was only slow would count as damaged."""
    late = Arrivals(Deadline.after(0))
    late.fail(StoreError("store-unreachable", "reading", words="no time left"))
    with pytest.raises(StoreError) as caught:
        late.awaited()
    assert caught.value.slug == "store-slow"


def test_wanted_before_an_answer_is_the_first_range_alone(arrivals: Arrivals) -> None:
    """A server that knows no ranges would send the whole blob for each."""
    assert arrivals.wanted() == 0
    others: list[int | None] = []
    second = threading.Thread(target=lambda: others.append(arrivals.wanted()), daemon=True)
    second.start()
    assert not others
    arrivals.agree(Announced(1, TOTAL, "tag"))
    second.join()
    assert others == [1]


def test_count_failure_adds_up_until_a_range_is_complete(arrivals: Arrivals) -> None:
    begin(arrivals)
    assert [arrivals.count_failure() for _ in range(3)] == [1, 2, 3]
    arrivals.put(0, b"first")
    assert arrivals.count_failure() == 1
