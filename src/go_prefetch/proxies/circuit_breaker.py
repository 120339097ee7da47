"""A circuit breaker: a proxy that fails again and again gets no requests for a while, and is then tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_FIRST_REST = 5.0  # seconds; doubled each time that the trial fails too
_LONGEST_REST = 60.0
_LOOK_EVERY = 0.1
_FEW = 4  # failures in a row; rare at a proxy that fails one request in five


class CircuitBreaker:
    """Failures of one proxy. After `most` of them in a row it rests. Then one trial decides whether it rests longer."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.failed_attempts = 0
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._rest = 0.0  # length of the present rest; zero if it does not rest
        self._rests_until = 0.0
        self._on_trial = False

    @property
    def is_resting(self) -> bool:
        """Return whether the proxy is to be skipped."""
        with self._lock:
            return bool(self._rest) and (self._on_trial or self._clock() < self._rests_until)

    @property
    def first_rest_left(self) -> float | None:
        """Return the seconds until the end of the first rest, or until the next look at its trial; None otherwise."""
        with self._lock:
            left = self._rests_until - self._clock()
            if self._rest != _FIRST_REST or not (self._on_trial or left > 0):
                return None
            return max(left, _LOOK_EVERY)

    def asked(self) -> None:
        """Count the start of a request. The first after a rest is the trial."""
        with self._lock:
            self._on_trial = bool(self._rest)

    def answered(self) -> None:
        """Count an answer, also a 404."""
        with self._lock:
            self._in_a_row, self._rest, self._on_trial = 0, 0.0, False

    def refused(self) -> None:
        """Count a refusal (401, 403): a failed attempt, but no reason to rest."""
        with self._lock:
            self.failed_attempts += 1
        self.answered()

    def failed(self, *, counts: bool = True) -> None:
        """Count a failure. A request that was cancelled because another was faster is not a failed attempt."""
        with self._lock:
            self.failed_attempts += counts
            self._in_a_row += 1
            if self._on_trial or (not self._rest and self._in_a_row >= self._most):
                self._begin_rest()

    def another_answered(self) -> None:
        """Note that another proxy answers: fewer failures are now enough."""
        with self._lock:
            if not self._rest and self._in_a_row >= _FEW:
                self._begin_rest()

    def _begin_rest(self) -> None:
        self._rest = min(_LONGEST_REST, self._rest * 2 or _FIRST_REST)
        self._rests_until = self._clock() + self._rest
        self._on_trial = False
