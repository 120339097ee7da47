"""The pace of requests to one server. A server with a limit refuses requests with 429, or 503 and `Retry-After`.

A refusal is about the server, so it stops the requests of all threads for a while, and is charged to none of them. A
first refusal does no more. If others follow, requests start one by one from then on, at a rate. Most limits are token
buckets, which are empty when they refuse. What the server has accepted between two refusals is then exactly what it
allows, so that is the rate. It grows until the next refusal, slowly at first.

See docs/adr/0016-a-limit-is-about-the-server.md.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, parse_retry_after

TOO_MANY = 429
_SHORTEST_PAUSE = 0.25  # seconds, if the server asks for no time; doubled while it accepts nothing in between
_LONGEST_PAUSE = 8.0
_WINDOW = 10.0  # seconds before a refusal in which requests are counted
_FEW = 0.1  # of the accepted requests: a server that refuses fewer has another reason than a rate
_GROWTH = 10.0  # seconds after which the rate is e times as high; twice as many: e to the power of 4
_FORGOTTEN = 30.0  # seconds after which a rate counts no more
_REMEMBERED = 4096  # requests


@dataclass(frozen=True)
class Refusal:
    """A server's refusal because of a limit, and the seconds that it asks for, if it does."""

    retry_after: float | None = None


def refusal_of(status: int, headers: Mapping[str, str]) -> Refusal | None:
    """Return the refusal that an answer is, or None for another answer."""
    seconds = parse_retry_after(headers.get("Retry-After"))
    if status == TOO_MANY or (status in TRANSIENT_STATUSES and seconds is not None):
        return Refusal(seconds)
    return None


class Pace:
    """When requests to one server may start. Safe to use from many threads. Moments are seconds of `clock`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -math.inf  # when the next request may start
        self._pauses = 0  # each voids the turns that were given before
        self._pause = _SHORTEST_PAUSE
        self._opens = -math.inf  # the end of the last pause
        self._refused = self._first_refused = -math.inf  # the last pause began, the first of a row did
        self._rate = math.inf  # requests per second, until `_grows_from`
        self._grows_from = -math.inf
        self._started: deque[float] = deque(maxlen=_REMEMBERED)  # when requests did, those underway too
        self._rejected: deque[float] = deque(maxlen=_REMEMBERED)  # when these did that were refused
        self._last_accepted = -math.inf  # when the last one did that was accepted

    def enter(self, wait: Callable[[float], bool], patience: float) -> float:
        """Wait for the turn of a request, and return the moment it starts.

        `wait` waits for seconds, and returns False if no request may follow. Raises AttemptError, with kind "limited"
        if the turn is more than `patience` seconds away.
        """
        ends = self._clock() + patience
        while True:
            with self._lock:
                now = self._clock()
                turn, pauses = max(now, self._next), self._pauses
                is_too_late = turn > max(now, ends)
                if not is_too_late:
                    self._next = turn + 1 / self._rate_at(turn)
            if is_too_late:
                raise AttemptError(f"rate limit for {turn - now:.0f}s more", kind="limited", retry_after=turn - now)
            if turn > now and not wait(turn - now):
                raise AttemptError("no time left", transient=False)
            with self._lock:
                if pauses == self._pauses:
                    self._started.append(turn)
                    return turn

    def away(self) -> float:
        """Return the seconds until the next turn."""
        with self._lock:
            return max(0.0, self._next - self._clock())

    def accepted(self, started: float) -> None:
        """Note an answer that is no refusal, to the request that started then."""
        with self._lock:
            self._last_accepted = max(self._last_accepted, started)

    def refused(self, started: float, refusal: Refusal) -> None:
        """Note a refusal of the request that started then, and stop all requests for a while."""
        asked_for = refusal.retry_after or 0.0
        with self._lock:
            now = self._clock()
            self._rejected.append(started)
            if started > self._refused:
                is_rate = self._learn(now)
                self._stop(now + max(asked_for, self._pause, 1 / self._rate_at(now)))
                self._refused = now
                self._grows_from = self._opens if is_rate else self._grows_from
            elif now + asked_for > self._opens:  # it was underway when another one was refused
                self._stop(now + asked_for)

    def _learn(self, now: float) -> bool:
        """Set the length of a pause, and the rate if the refusal is one of many. Return whether it is."""
        if now > self._opens + _FORGOTTEN:
            self._rate, self._pause, self._first_refused = math.inf, _SHORTEST_PAUSE, now
            return False
        if self._last_accepted <= self._refused:  # it is closed, which says nothing about a rate
            self._rate, self._pause = math.inf, min(_LONGEST_PAUSE, 2 * self._pause)
            return False
        self._pause = _SHORTEST_PAUSE
        since = max(self._first_refused, now - _WINDOW)
        rejected = _count(self._rejected, since)
        accepted = _count(self._started, since) - rejected  # a request underway will probably be
        is_rate = rejected > _FEW * accepted
        if is_rate:
            self._rate = (1 + accepted) / (now - since)
        return is_rate

    def _stop(self, until: float) -> None:
        self._pauses += 1
        self._next = self._opens = until

    def _rate_at(self, moment: float) -> float:
        age = max(0.0, moment - self._grows_from)
        return math.inf if age > _FORGOTTEN else self._rate * math.exp((age / _GROWTH) ** 2)


def _count(moments: deque[float], since: float) -> int:
    return sum(moment > since for moment in moments)


class Paces:
    """The pace of each server, by the scheme, host and port of a URL."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, str], Pace] = {}

    def of(self, url: str) -> Pace:
        """Return the pace of the server that a URL names."""
        parts = urlsplit(url)
        with self._lock:
            return self._paces.setdefault((parts.scheme, parts.netloc.rpartition("@")[2]), Pace())
