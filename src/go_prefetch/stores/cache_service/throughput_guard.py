"""Whether what comes will have come in time."""

from __future__ import annotations

import time

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.range_layout import HINT

_OVER = 5.0  # seconds over which the pace is measured


class Pace:
    """Looks at the clock, and at how much came since it looked last."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._since, self._received = time.monotonic(), 0

    def check(self, received: int, total: int | None) -> None:
        """Raises StoreError (`store-slow`) where no time is left, or the pace says that the rest will come too late."""
        if self._deadline.passed():
            raise StoreError("store-slow", "the cache service: no time left to read the entry", hint=HINT)
        now = time.monotonic()
        if now - self._since < _OVER or total is None:
            return
        pace = (received - self._received) / (now - self._since)
        if total - received > pace * self._deadline.left():
            words = f"the cache service sends {pace / 1e6:.2f} MB/s: too slow for its time"
            raise StoreError("store-slow", words, hint=HINT)
        self._since, self._received = now, received
