"""The seconds of the steps of a run, which add up to the whole: each moment belongs to exactly one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from go_prefetch.base.trace import Trace


class Stopwatch:
    """Begins with the step `first`, which also gets the time that is in no other step."""

    def __init__(self, first: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = {first: 0.0}
        self._open = [first]
        self._credited = clock()  # all time before this moment belongs to a step

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the block for `name`, also if it fails. A step inside another one interrupts it."""
        self._credit()
        self._open.append(name)
        try:
            yield
        finally:
            self._credit()
            self._open.pop()

    @property
    def seconds(self) -> Mapping[str, float]:
        """Return the seconds of each step until now, by its name. Their sum is the time since the beginning."""
        self._credit()
        return dict(self._seconds)

    def _credit(self) -> None:
        now = self._clock()
        self._seconds[self._open[-1]] = self._seconds.get(self._open[-1], 0.0) + now - self._credited
        self._credited = now


class Timing(NamedTuple):
    """What notes the time that a run takes."""

    trace: Trace  # of each event
    stopwatch: Stopwatch  # of each step
