"""Whether a proxy is worth asking: one that fails again and again is rested, then tried again (a circuit breaker)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_FIRST_REST = 5.0  # seconds; twice as long each time that the trial fails too
_LONGEST_REST = 60.0
_FEW = 4  # failures in a row: at a proxy that fails one request in five they are rare


class CircuitBreaker:
    """Failures of one proxy. After `most` of them in a row it rests; then one trial decides whether it rests longer."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.failed_attempts = 0
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._rest = 0.0  # length of the present rest; zero: it is not resting
        self._rests_until = 0.0
        self._on_trial = False

    @property
    def is_resting(self) -> bool:
        """Whether it is to be passed over."""
        with self._lock:
            return bool(self._rest) and (self._on_trial or self._clock() < self._rests_until)

    def asked(self) -> None:
        """A request begins; the first after a rest is the trial."""
        with self._lock:
            self._on_trial = bool(self._rest)

    def answered(self) -> None:
        """It answered, and be it with a 404."""
        with self._lock:
            self._in_a_row, self._rest, self._on_trial = 0, 0.0, False

    def refused(self) -> None:
        """It answered that it will not hand the file over (401, 403): a failed attempt, and no reason to rest."""
        with self._lock:
            self.failed_attempts += 1
        self.answered()

    def failed(self, *, counts: bool = True) -> None:
        """It did not. What was cut off because another was quicker does not count as a failed attempt."""
        with self._lock:
            self.failed_attempts += counts
            self._in_a_row += 1
            if self._on_trial or (not self._rest and self._in_a_row >= self._most):
                self._begin_rest()

    def another_answered(self) -> None:
        """Another proxy brings files meanwhile: fewer failures are enough."""
        with self._lock:
            if not self._rest and self._in_a_row >= _FEW:
                self._begin_rest()

    def _begin_rest(self) -> None:
        self._rest = min(_LONGEST_REST, self._rest * 2 or _FIRST_REST)
        self._rests_until = self._clock() + self._rest
        self._on_trial = False
