"""A second request for a file whose first one is slow: whichever brings it first counts, the other is cut.

See Dean and Barroso, The Tail at Scale, 2013. What slow means is learnt from the run's own answers, and of all
requests one in ten at most is a second one: a proxy in trouble is not to be asked for twice as much.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from go_prefetch.retry import AttemptError
from go_prefetch.wire import Wire

Outcome = TypeVar("Outcome")
Attempt = Callable[["Wire", Callable[[], None]], Outcome]

_SHARE = 0.1  # of all requests
_LOOK_EVERY = 0.03  # seconds
_BEFORE_ANY_ANSWER = 1.0  # seconds of silence that are slow as long as too few answers have come
_LEAST_DELAY = 0.2
_ENOUGH_ANSWERS = 8
_TIMES_SLOWER = 3.0  # than nine in ten of the last answers


class Hedging:
    """Watches requests of many threads. `learnt` after each answer tells it how long the first byte took."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._waits: deque[float] = deque(maxlen=200)
        self._watched: dict[Wire, Callable[[], None]] = {}
        self._watcher: threading.Thread | None = None
        self._first_requests = self._second_requests = 0

    def learnt(self, seconds: float) -> None:
        """How long an answer's headers took."""
        with self._condition:
            self._waits.append(seconds)

    @property
    def delay(self) -> float:
        """Seconds without progress after which a request is slow."""
        waits = sorted(self._waits)
        if len(waits) < _ENOUGH_ANSWERS:
            return _BEFORE_ANY_ANSWER
        return max(_LEAST_DELAY, _TIMES_SLOWER * waits[len(waits) * 9 // 10])

    def race(self, first: Attempt[Outcome], second: Attempt[Outcome]) -> list[Outcome]:
        """What came of `first`, and of `second` if it was started and has ended by then.

        Each gets its wire and what to call before it gives a file its name: that raises AttemptError for the loser.
        Once one has called it the other is cut, and a second one that lost is not waited for.
        """
        race: _Race[Outcome] = _Race(second)
        wire = race.enter()
        with self._condition:
            self._first_requests += 1
            self._watched[wire] = race.start_second
            self._watcher = self._watcher or self._started()
            self._condition.notify()
        try:
            outcomes = [first(wire, lambda: race.finish(wire))]
        finally:
            with self._condition:
                self._watched.pop(wire, None)
        return [*outcomes, *race.second_outcome(wire)]

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
                slow = sorted((wire for wire in self._watched if wire.silent_for > delay), key=_silence, reverse=True)
                allowed = int(_SHARE * self._first_requests) - self._second_requests
                starts = [self._watched.pop(wire) for wire in slow[: max(0, allowed)]]
                self._second_requests += len(starts)
            for start in starts:
                start()
            time.sleep(_LOOK_EVERY)


def _silence(wire: Wire) -> float:
    return wire.silent_for


class _Race(Generic[Outcome]):
    """One file's requests."""

    def __init__(self, second: Attempt[Outcome]) -> None:
        self._second = second
        self._lock = threading.Lock()
        self._wires: list[Wire] = []
        self._winner: Wire | None = None
        self._thread: threading.Thread | None = None
        self._over = False
        self._outcomes: list[Outcome] = []

    def enter(self) -> Wire:
        wire = Wire()
        self._wires.append(wire)
        return wire

    def finish(self, wire: Wire) -> None:
        """Raises AttemptError if another has finished before."""
        with self._lock:
            if self._winner not in (None, wire):
                raise AttemptError("overtaken", kind="overtaken")
            self._winner = wire
            others = [other for other in self._wires if other is not wire]
        for other in others:
            other.cut()

    def start_second(self) -> None:
        with self._lock:
            if self._over or self._winner:
                return
            wire = self.enter()
            self._thread = threading.Thread(target=self._run, args=(wire,), daemon=True)
            self._thread.start()

    def _run(self, wire: Wire) -> None:
        outcome = self._second(wire, lambda: self.finish(wire))
        with self._lock:
            self._outcomes.append(outcome)

    def second_outcome(self, first: Wire) -> list[Outcome]:
        """Waits for the second, unless the first one was quicker."""
        with self._lock:
            self._over = True
            if self._winner is first or not self._thread:
                return []
        self._thread.join()
        return list(self._outcomes)
