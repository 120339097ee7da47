"""A proxy that fails again and again is rested, and tried again: with a clock of the test's own."""

from __future__ import annotations

import pytest

from go_prefetch.proxies.circuit_breaker import CircuitBreaker
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def failing(health: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        health.asked()
        health.failed()


def test_it_rests_after_so_many_failures_in_a_row(clock: Clock) -> None:
    health = CircuitBreaker(3, clock)
    failing(health, 2)
    assert not health.is_resting
    failing(health, 1)
    assert health.is_resting
    assert health.failed_attempts == 3


def test_a_refusal_is_a_failed_attempt_and_no_reason_to_rest(clock: Clock) -> None:
    health = CircuitBreaker(3, clock)
    for _ in range(5):
        health.asked()
        health.refused()
    assert (health.failed_attempts, health.is_resting) == (5, False)


def test_an_answer_in_between_starts_the_count_anew(clock: Clock) -> None:
    health = CircuitBreaker(3, clock)
    failing(health, 2)
    health.answered()
    failing(health, 2)
    assert not health.is_resting


def test_after_its_rest_one_request_is_the_trial(clock: Clock) -> None:
    """While the trial is under way all others pass it over still; a good end ends the rest for all."""
    health = CircuitBreaker(1, clock)
    failing(health, 1)
    clock.now += 4.9
    assert health.is_resting
    clock.now += 0.2
    assert not health.is_resting
    health.asked()
    assert health.is_resting
    health.answered()
    assert not health.is_resting


def test_each_failed_trial_doubles_the_rest_up_to_a_minute(clock: Clock) -> None:
    health = CircuitBreaker(1, clock)
    failing(health, 1)
    rests = []
    for _ in range(6):
        began = clock.now
        while health.is_resting:
            clock.now += 1.0
        rests.append(clock.now - began)
        failing(health, 1)
    assert rests == [5, 10, 20, 40, 60, 60]


def test_failures_of_running_requests_do_not_prolong_the_pause(clock: Clock) -> None:
    """Sixteen requests that fail together are one reason to rest, not sixteen."""
    health = CircuitBreaker(1, clock)
    for _ in range(16):
        health.asked()
    for _ in range(16):
        health.failed()
    clock.now += 5.1
    assert not health.is_resting


def test_overtaken_attempt_is_no_failure_but_still_a_reason(clock: Clock) -> None:
    health = CircuitBreaker(2, clock)
    health.failed(counts=False)
    health.failed(counts=False)
    assert (health.failed_attempts, health.is_resting) == (0, True)


def test_fewer_failures_are_enough_while_another_answers(clock: Clock) -> None:
    """A dead proxy in front of a good one: four in a row, whatever may be under way at once."""
    health = CircuitBreaker(16, clock)
    failing(health, 3)
    health.another_answered()
    assert not health.is_resting
    failing(health, 1)
    assert not health.is_resting
    health.another_answered()
    assert health.is_resting


def test_first_rest_has_seconds_left_and_no_later_one(clock: Clock) -> None:
    """While its trial is underway, the next look at it is soon."""
    health = CircuitBreaker(1, clock)
    assert health.first_rest_left is None
    failing(health, 1)
    assert health.first_rest_left == 5.0
    clock.now += 5.0
    assert health.first_rest_left is None
    health.asked()
    assert health.first_rest_left == 0.1
    health.failed()
    assert (health.is_resting, health.first_rest_left) == (True, None)
