"""Whether what comes will have come in time."""

from __future__ import annotations

import time

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError

_OVER = 5.0  # seconds over which the pace is measured


class Pace:
    """Looks at the clock, and at how much came since it looked last."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._since, self._received = time.monotonic(), 0

    def check(self, received: int, total: int | None) -> None:
        """Raises StoreError (`store-slow`) where no time is left, or the pace says that the rest will come too late."""
        if self._deadline.passed():
            raise StoreError("store-slow", "no-time-to-read")
        now = time.monotonic()
        if now - self._since < _OVER or total is None:
            return
        pace = (received - self._received) / (now - self._since)
        if total - received > pace * self._deadline.left():
            raise StoreError("store-slow", "pace", megabytes_per_second=pace / 1e6)
        self._since, self._received = now, received
