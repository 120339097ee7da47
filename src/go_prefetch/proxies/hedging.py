"""Hedged requests: a slow request gets a rival. The first complete file counts, and the other request is cancelled.

See Dean and Barroso, The Tail at Scale, 2013. What counts as slow follows from the run's own answers. At most one
request in ten is a rival, so that a proxy in trouble does not get twice the load.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from go_prefetch.base.percentile import percentile
from go_prefetch.base.retry import AttemptError
from go_prefetch.web.in_flight import Wire

Outcome = TypeVar("Outcome")
Attempt = Callable[["Wire", Callable[[], None]], Outcome]

_SHARE = 0.1  # of all requests
_LOOK_EVERY = 0.03  # seconds
_BEFORE_ANY_ANSWER = 1.0  # seconds of silence that count as slow until there are enough answers
_LEAST_DELAY = 0.2
_ENOUGH_ANSWERS = 8
_ENOUGH_FOR_LATENCY = 40  # about half of them came over connections that were there before
_TIMES_SLOWER = 1.5  # than nine in ten of the last answers


class Hedging:
    """Watches requests of many threads. Call `record_latency` with the seconds to the first byte of each answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._waits: deque[float] = deque(maxlen=200)
        self._watched: set[_Race[Any]] = set()
        self._watcher: threading.Thread | None = None
        self._first_requests = self._rivals = 0

    def record_latency(self, seconds: float) -> None:
        """Record the seconds until the headers of an answer."""
        with self._condition:
            self._waits.append(seconds)

    @property
    def latency(self) -> float | None:
        """Return the seconds to the first byte of an answer; None until enough are known.

        A quarter of the answers came sooner. The first ones also waited for a connection.
        """
        waits = list(self._waits)
        return percentile(waits, 25) if len(waits) >= _ENOUGH_FOR_LATENCY else None

    @property
    def delay(self) -> float:
        """Return the seconds without progress after which a request is slow."""
        waits = sorted(self._waits)
        if len(waits) < _ENOUGH_ANSWERS:
            return _BEFORE_ANY_ANSWER
        return max(_LEAST_DELAY, _TIMES_SLOWER * waits[len(waits) * 9 // 10])

    def race(self, first: Attempt[Outcome], rival: Attempt[Outcome]) -> list[Outcome]:
        """Return the outcomes of `first`, and of each `rival` that was started and has ended.

        Each gets its wire, and a function to call before it gives a file its name. That function raises AttemptError
        for the loser. After the first call the others are cancelled, and a lost rival is not waited for. A rival that
        is slow itself, or fails, may get another.
        """
        race: _Race[Outcome] = _Race(rival)
        with self._condition:
            self._first_requests += 1
            self._watched.add(race)
            self._watcher = self._watcher or self._started()
            self._condition.notify()
        try:
            return race.run(first)
        finally:
            with self._condition:
                self._watched.discard(race)

    def _started(self) -> threading.Thread:
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        return watcher

    def _watch(self) -> None:
        while True:
            with self._condition:
                while not self._watched:
                    self._condition.wait()
                delay = self.delay
                silent = sorted(((race.silent_for, race) for race in self._watched), key=_silence, reverse=True)
                allowed = int(_SHARE * self._first_requests) - self._rivals
                slow = [race for seconds, race in silent if seconds > delay][: max(0, allowed)]
                self._rivals += len(slow)
            for race in slow:
                race.start_rival()
            time.sleep(_LOOK_EVERY)


def _silence(pair: tuple[float, object]) -> float:
    return pair[0]


class _Race(Generic[Outcome]):
    """The requests for one file."""

    def __init__(self, rival: Attempt[Outcome]) -> None:
        self._rival = rival
        self._changed = threading.Condition()
        self._live: list[Wire] = []
        self._winner: Wire | None = None
        self._is_over = False
        self._outcomes: list[Outcome] = []

    @property
    def silent_for(self) -> float:
        """Return the seconds since any of its requests made progress."""
        with self._changed:
            return min((wire.silent_for for wire in self._live), default=0.0)

    def run(self, first: Attempt[Outcome]) -> list[Outcome]:
        wire = self._enter()
        try:
            outcome = first(wire, lambda: self._finish(wire))
            self._leave(wire)
            with self._changed:
                self._changed.wait_for(lambda: not self._live or self._winner_is_home())
                return [outcome, *self._outcomes]
        finally:
            with self._changed:
                self._is_over = True

    def start_rival(self) -> None:
        with self._changed:
            if self._is_over or self._winner:
                return
            wire = self._enter()
        threading.Thread(target=self._run_rival, args=(wire,), daemon=True, name="download, a rival").start()

    def _run_rival(self, wire: Wire) -> None:
        try:
            outcome = self._rival(wire, lambda: self._finish(wire))
            with self._changed:
                self._outcomes.append(outcome)
        finally:
            self._leave(wire)  # whatever the outcome, so that no thread waits for it without end

    def _winner_is_home(self) -> bool:
        return self._winner is not None and self._winner not in self._live

    def _enter(self) -> Wire:
        wire = Wire()
        with self._changed:
            self._live.append(wire)
        return wire

    def _leave(self, wire: Wire) -> None:
        with self._changed:
            self._live.remove(wire)
            self._changed.notify_all()

    def _finish(self, wire: Wire) -> None:
        """Raise AttemptError if another request has finished before."""
        with self._changed:
            if self._winner not in (None, wire):
                raise AttemptError("overtaken", kind="overtaken")
            self._winner = wire
            others = [other for other in self._live if other is not wire]
        for other in others:
            other.cut()
