"""When requests to a server with a limit start: with a clock that moves only as requests wait."""

from __future__ import annotations

import itertools

import pytest

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.pacing import Pace, Paces, Refusal, refusal_of
from tests.support.clock import Clock
from tests.support.fakes.module_proxy import RequestLimit


class Waiting(Clock):
    """A clock, and a wait that moves it."""

    def wait(self, seconds: float) -> bool:
        """Let the seconds pass."""
        self.now += seconds
        return True


@pytest.fixture
def clock() -> Waiting:
    return Waiting()


def refuse(pace: Pace, clock: Waiting, retry_after: float | None = None) -> None:
    """Let a request start now, and be refused a moment later."""
    started = pace.enter(clock.wait, 3600)
    clock.now += 0.001
    pace.refused(started, Refusal(retry_after))


def finish(pace: Pace, clock: Waiting, limit: RequestLimit, requests: int) -> tuple[float, int]:
    """Send requests one after the other until so many are accepted. Return the seconds, and the number refused."""
    began, refused, left = clock.now, 0, requests
    while left:
        started = pace.enter(clock.wait, 3600)
        clock.now += 0.001
        if answer := limit.refusal():
            pace.refused(started, refusal_of(answer.status, answer.headers) or pytest.fail("it is a refusal"))
            refused += 1
        else:
            pace.accepted(started)
            left -= 1
    return clock.now - began, refused


@pytest.mark.parametrize(
    ("status", "headers", "refusal"),
    [
        (429, {}, Refusal(None)),
        (429, {"Retry-After": "7"}, Refusal(7.0)),
        (429, {"Retry-After": "soon"}, Refusal(None)),
        (503, {"Retry-After": "7"}, Refusal(7.0)),
        (503, {}, None),
        (403, {"Retry-After": "7"}, None),
        (200, {"Retry-After": "7"}, None),
    ],
)
def test_refusal_is_429_or_names_a_time(status: int, headers: dict[str, str], refusal: Refusal | None) -> None:
    assert refusal_of(status, headers) == refusal


def test_requests_before_a_refusal_do_not_wait() -> None:
    """Nor do they fail without any patience, although the clock moves on."""
    moments = itertools.count()
    pace = Pace(lambda: next(moments))
    for _ in range(1000):
        pace.accepted(pace.enter(lambda _: pytest.fail("it waited"), 0.0))


def test_refusal_stops_the_requests_of_all(clock: Waiting) -> None:
    pace = Pace(clock)
    refuse(pace, clock, 7.0)
    assert pace.away() == 7.0
    with pytest.raises(AttemptError) as limited:
        pace.enter(clock.wait, 6.9)
    assert (limited.value.kind, limited.value.retry_after) == ("limited", 7.0)
    assert pace.enter(clock.wait, 7.1) == clock.now


def test_wait_that_ends_early_starts_no_request(clock: Waiting) -> None:
    """Ctrl-C, the deadline, or another request that has brought the file."""
    pace = Pace(clock)
    refuse(pace, clock, 7.0)
    with pytest.raises(AttemptError) as ended:
        pace.enter(lambda _: False, 3600)
    assert not ended.value.transient


def test_refusals_of_requests_underway_are_one(clock: Waiting) -> None:
    pace = Pace(clock)
    underway = [pace.enter(clock.wait, 0.0) for _ in range(16)]
    clock.now += 0.001
    for started in underway:
        pace.refused(started, Refusal())
    assert pace.away() == 0.25


def test_refusal_underway_may_ask_for_more_time(clock: Waiting) -> None:
    pace = Pace(clock)
    one, two = pace.enter(clock.wait, 0.0), pace.enter(clock.wait, 0.0)
    clock.now += 0.001
    pace.refused(one, Refusal(2.0))
    pace.refused(two, Refusal(5.0))
    assert pace.away() == 5.0


def test_refusal_voids_the_turns_given_before(clock: Waiting) -> None:
    pace = Pace(clock)
    refuse(pace, clock, 2.0)
    late = list[float]()

    def wait(seconds: float) -> bool:
        clock.now += seconds
        if not late:
            late.append(clock.now)
            pace.refused(clock.now - 0.001, Refusal(9.0))
        return True

    assert pace.enter(wait, 3600) == late[0] + 9.0


def test_one_refusal_paces_nothing_afterwards(clock: Waiting) -> None:
    pace = Pace(clock)
    refuse(pace, clock, 1.0)
    clock.now += 1.0
    for _ in range(100):
        pace.enter(lambda _: pytest.fail("it waited"), 0.0)


def test_server_that_accepts_nothing_is_asked_less_and_less(clock: Waiting) -> None:
    pace, pauses = Pace(clock), []
    for _ in range(8):
        refuse(pace, clock)
        pauses.append(pace.away())
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


@pytest.mark.parametrize("rate", [2, 5, 10, 20, 50])
@pytest.mark.parametrize("retry_after", [True, False])
def test_rate_follows_the_limit(clock: Waiting, rate: int, *, retry_after: bool) -> None:
    limit = RequestLimit(rate, retry_after=retry_after, clock=clock)
    seconds, refused = finish(Pace(clock), clock, limit, 180)
    assert seconds < 1.3 * (180 - rate) / rate + 1
    assert refused < 36


def test_rate_follows_a_limit_that_is_lowered_and_lifted(clock: Waiting) -> None:
    pace = Pace(clock)
    finish(pace, clock, RequestLimit(20, clock=clock), 100)
    assert finish(pace, clock, RequestLimit(5, clock=clock), 100)[0] < 1.3 * 20 + 3
    assert finish(pace, clock, RequestLimit(1e9, clock=clock), 1000)[0] < 30


def test_rare_refusals_are_no_rate(clock: Waiting) -> None:
    """A server that refuses one request in fifty, however many there are."""
    pace = Pace(clock)
    for number in range(1000):
        started = pace.enter(clock.wait, 3600)
        clock.now += 0.01
        pace.refused(started, Refusal()) if number % 50 == 30 else pace.accepted(started)
    assert clock.now - 1000 < 1000 * 0.01 + 20 * 0.3


def test_each_server_has_its_own_pace() -> None:
    paces = Paces()
    one = paces.of("https://user:password@one.test/a")
    assert paces.of("https://one.test/b") is one
    assert all(paces.of(url) is not one for url in ("http://one.test/", "https://one.test:8443/", "https://two.test/"))
