"""A second request for what is slow: who wins, who is cut, how many there may be."""

from __future__ import annotations

import threading

import pytest

from go_prefetch.base.retry import AttemptError
from go_prefetch.proxies.hedging import Hedging
from go_prefetch.web.in_flight import Wire
from tests.support.waiting import wait_until


def quick(hedging: Hedging, times: int) -> None:
    """So many requests that are answered at once."""
    for _ in range(times):
        hedging.race(lambda wire, finish: finish(), lambda wire, finish: pytest.fail("nobody was slow"))
        hedging.record_latency(0.01)


def test_the_delay_is_learnt_from_the_answers() -> None:
    """Half as much again as nine in ten took, and never so little that a scheduler's pause counts as slow."""
    hedging = Hedging()
    assert hedging.delay == 1.0
    for number in range(100):
        hedging.record_latency(0.4 if number < 95 else 30.0)
    assert hedging.delay == pytest.approx(0.6)
    for _ in range(200):
        hedging.record_latency(0.001)
    assert hedging.delay == 0.2


def test_the_quicker_one_wins_and_the_slow_one_is_cut() -> None:
    hedging = Hedging()
    quick(hedging, 20)
    cut = []

    def slow(wire: Wire, finish: object) -> str:
        wait_until(lambda: wire.is_cut, "the end of the slow request")
        cut.append(wire)
        return "slow"

    def second(wire: Wire, finish: object) -> str:
        assert callable(finish)
        finish()
        return "second"

    assert hedging.race(slow, second) == ["slow", "second"]
    assert len(cut) == 1


def test_who_is_second_at_the_finish_may_not_name_the_file() -> None:
    """Both are whole at nearly the same time: one of them is told so."""
    hedging = Hedging()
    quick(hedging, 20)
    second_finished = threading.Event()

    def first(wire: Wire, finish: object) -> str:
        second_finished.wait(20)
        assert callable(finish)
        with pytest.raises(AttemptError, match="overtaken"):
            finish()
        return "first"

    def second(wire: Wire, finish: object) -> str:
        assert callable(finish)
        finish()
        second_finished.set()
        return "second"

    assert hedging.race(first, second) == ["first", "second"]


def test_there_is_no_second_request_before_ten_first_ones() -> None:
    """One in ten at most, counted from the beginning."""
    hedging = Hedging()
    quick(hedging, 8)
    ended = threading.Event()

    def slow(wire: Wire, finish: object) -> str:
        ended.wait(0.5)
        return "first"

    assert hedging.race(slow, lambda wire, finish: pytest.fail("nine requests allow no second one")) == ["first"]


def test_at_most_one_request_in_ten_is_a_second_one() -> None:
    """However many are slow at the same time: a proxy in trouble is not asked for twice as much."""
    hedging = Hedging()
    quick(hedging, 20)
    seconds: list[Wire] = []
    released = threading.Event()
    threads = [
        threading.Thread(
            target=hedging.race,
            args=(lambda wire, finish: released.wait(20), lambda wire, finish: seconds.append(wire)),
        )
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(seconds) == 6, "six second requests")
    released.wait(0.5)
    released.set()
    for thread in threads:
        thread.join()
    assert len(seconds) == 6


def test_one_that_failed_waits_for_its_rival() -> None:
    """The first one fails after the second has begun: what the second brings counts."""
    hedging = Hedging()
    quick(hedging, 20)
    begun, release = threading.Event(), threading.Event()

    def first(wire: Wire, finish: object) -> str:
        begun.wait(20)
        release.set()
        return "failed"

    def second(wire: Wire, finish: object) -> str:
        begun.set()
        release.wait(20)
        return "second"

    assert hedging.race(first, second) == ["failed", "second"]
