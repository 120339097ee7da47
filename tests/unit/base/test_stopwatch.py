"""Steps that add up: every moment of a run belongs to exactly one of them."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.stopwatch import Stopwatch
from tests.support.clock import Clock


def test_stopwatch_without_a_step_credits_the_first() -> None:
    clock = Clock()
    watch = Stopwatch("plan", clock)
    clock.now += 2
    with watch.step("save"):
        clock.now += 3
    clock.now += 4
    assert watch.seconds == {"plan": 6.0, "save": 3.0}


def test_stopwatch_inner_step_interrupts_the_outer() -> None:
    clock = Clock()
    watch = Stopwatch("plan", clock)
    with watch.step("admit"):
        clock.now += 1
        with watch.step("restore"):
            clock.now += 10
        clock.now += 2
    assert watch.seconds == {"plan": 0.0, "admit": 3.0, "restore": 10.0}


def test_stopwatch_failed_step_has_its_seconds() -> None:
    clock = Clock()
    watch = Stopwatch("plan", clock)
    with contextlib.suppress(RuntimeError), watch.step("restore"):
        clock.now += 5
        raise RuntimeError
    assert watch.seconds == {"plan": 0.0, "restore": 5.0}


@given(st.lists(st.tuples(st.sampled_from(["open", "close", "look"]), st.integers(0, 9))))
def test_stopwatch_any_nesting_adds_up(moves: list[tuple[str, int]]) -> None:
    clock, began = Clock(), Clock().now
    watch = Stopwatch("plan", clock)
    opened: list[contextlib.AbstractContextManager[None]] = []
    for number, (move, seconds) in enumerate(moves):
        clock.now += seconds
        if move == "open":
            opened.append(watch.step(f"step {number % 3}"))
            opened[-1].__enter__()
        elif move == "close" and opened:
            opened.pop().__exit__(None, None, None)
        assert sum(watch.seconds.values()) == clock.now - began
