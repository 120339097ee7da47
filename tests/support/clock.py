"""A clock that stands still until a test sets it."""

from __future__ import annotations


class Clock:
    """Seconds, as `time.monotonic` returns them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
