"""Bytes at a rate."""

from __future__ import annotations

import threading
import time

_LAG = 0.01  # seconds that a meter may fall behind its rate and still make up for: timers wake late


class Meter:
    """Lets bytes pass at a rate, in bytes per second; 0 is no limit. Threads may share one."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._passed_at = time.monotonic()  # when all bytes that were let in are through
        self._lock = threading.Lock()

    def admit(self, count: int) -> float:
        """Let `count` bytes in; return the seconds until the last of them is through."""
        if not self.rate:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._passed_at = max(self._passed_at, now - _LAG) + count / self.rate
            return self._passed_at - now
