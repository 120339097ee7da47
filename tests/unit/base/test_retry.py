"""How long to wait, and until when: with a clock and a dice of the test's own."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.base.retry import TRANSIENT_STATUSES, Backoff, Deadline, Retries, parse_retry_after
from tests.support.clock import Clock

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def _longest(_low: float, high: float) -> float:
    return high


def _shortest(low: float, _high: float) -> float:
    return low


def test_the_limit_quadruples_up_to_the_longest() -> None:
    backoff = Backoff(first=0.1, longest=5.0, uniform=_longest)
    assert [backoff.wait(failed) for failed in (1, 2, 3, 4, 5, 20)] == pytest.approx([0.1, 0.4, 1.6, 5.0, 5.0, 5.0])


def test_jitter_is_full() -> None:
    """Many machines that failed together do not come back together."""
    assert Backoff(uniform=_shortest).wait(4) == 0.0


@given(st.integers(1, 20))
@settings(deadline=None)
def test_a_wait_is_within_its_bounds(failed: int) -> None:
    assert 0.0 <= Backoff().wait(failed) <= min(8.0, 0.2 * 4 ** (failed - 1))


def test_all_waits_together_outlast_a_hiccup_and_not_a_job() -> None:
    """By default at most 4.2 s; with the most attempts that may be asked for, about two minutes."""
    assert sum(Backoff(uniform=_longest).wait(n) for n in range(1, Backoff().attempts)) == pytest.approx(4.2)
    assert sum(Backoff(20, uniform=_longest).wait(n) for n in range(1, 20)) == pytest.approx(132.2)


def test_retries_wait_after_each_failure_but_the_last() -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    retries = Retries(Backoff(3, uniform=_longest), wait)
    assert [retries.again(), retries.again(), retries.again()] == [True, True, False]
    assert waits == pytest.approx([0.2, 0.8])


def test_retries_end_where_the_wait_says_so() -> None:
    retries = Retries(Backoff(3), lambda _seconds: False)
    assert not retries.again()
    assert retries.failed == 1


def test_attempts_at_once_count_and_do_not_wait() -> None:
    retries = Retries(Backoff(3), lambda _seconds: pytest.fail("it waited"))
    assert [retries.at_once(), retries.at_once(), retries.at_once()] == [True, True, False]


HEADERS: dict[str, tuple[str | None, float | None]] = {
    "none": (None, None),
    "empty": ("", None),
    "seconds": ("120", 120.0),
    "zero": ("0", 0.0),
    "blanks": (" 7 ", 7.0),
    "huge": ("9" * 5000, 999_999_999.0),
    "negative": ("-5", None),
    "fraction": ("1.5", None),
    "other digits": ("٣", None),
    "garbage": ("soon", None),
    "date": (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
    "date without zone": ("Fri, 02 Jan 2026 03:04:15 -0000", 10.0),
    "date in another zone": ("Fri, 02 Jan 2026 05:04:15 +0200", 10.0),
    "past date": (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
    "no such date": ("Fri, 99 Jan 2026 03:04:05 GMT", None),
    "no such zone": ("Fri, 02 Jan 2026 03:04:05 +9999", None),
    "zone beyond all bounds": ("Fri, 02 Jan 2026 03:04:05 +99999999999999999999", None),
    "first year": ("Mon, 01 Jan 0001 00:00:00 +2300", 0.0),
    "last year": ("Fri, 31 Dec 9999 23:59:59 -2300", 251_634_722_154.0),
}


@pytest.mark.parametrize(("header", "seconds"), [pytest.param(*case, id=name) for name, case in HEADERS.items()])
def test_retry_after(header: str | None, seconds: float | None) -> None:
    found = parse_retry_after(header, NOW)
    assert found == seconds if seconds is None or found is None else found == pytest.approx(seconds, rel=1e-3)


@given(st.text() | st.text("0123456789 -+:,JanFriGMT"))
@settings(deadline=None)
def test_any_header_is_understood(header: str) -> None:
    """A server's slip is no reason to stop: no exception, nothing negative."""
    seconds = parse_retry_after(header, NOW)
    assert seconds is None or seconds >= 0


def test_not_found_is_an_answer() -> None:
    assert not TRANSIENT_STATUSES & {200, 206, 301, 304, 400, 401, 403, 404, 410}
    assert {408, 429, 500, 502, 503, 504} <= TRANSIENT_STATUSES


def test_a_deadline_counts_down_to_nothing() -> None:
    clock = Clock()
    deadline = Deadline.after(10.0, clock)
    assert (deadline.left(), deadline.passed()) == (10.0, False)
    clock.now += 9.5
    assert (deadline.left(), deadline.passed()) == (0.5, False)
    clock.now += 0.5
    assert (deadline.left(), deadline.passed()) == (0.0, True)
    clock.now += 100
    assert (deadline.left(), deadline.passed()) == (0.0, True)


def test_cancel_of_one_deadline_ends_the_waits_of_its_kin() -> None:
    whole = Deadline.after(3600.0)
    part = whole.earlier_of(1800.0)
    part.cancel()
    assert not whole.wait(1800.0)
    assert (whole.is_cancelled, whole.passed(), Deadline.after(1.0).is_cancelled) == (True, False, False)


def test_wait_beyond_a_deadline_ends_with_it() -> None:
    assert not Deadline.after(0.0).wait(3600.0)


def test_wait_within_a_deadline_leaves_time() -> None:
    assert Deadline.after(3600.0).wait(0.0)


def test_the_sooner_of_two_deadlines() -> None:
    clock = Clock()
    deadline = Deadline.after(10.0, clock)
    assert deadline.earlier_of(3.0).left() == 3.0
    assert deadline.earlier_of(30.0).left() == 10.0
    clock.now += 9
    assert deadline.earlier_of(3.0).left() == 1.0
