"""Try again where Windows refuses for a moment: a virus scanner or indexer has a file open that was just written.

The go command does the same, for as long (cmd/internal/robustio).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TypeVar

T = TypeVar("T")

DENIED, SHARING_VIOLATION, LOCK_VIOLATION = 5, 32, 33  # system error codes of Windows
_SECONDS = 2.0
_FIRST_WAIT, _LONGEST_WAIT = 0.001, 0.1


def patiently(
    action: Callable[[], T],
    *,
    codes: Collection[int] = (DENIED, SHARING_VIOLATION, LOCK_VIOLATION),
    seconds: float = _SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return the result of `action`, called again for that many seconds while it fails with one of these codes.

    Raises what it raises. Errors of other systems have no such code, so they are raised at once.
    """
    until, wait = clock() + seconds, _FIRST_WAIT
    while True:
        try:
            return action()
        except OSError as error:
            if getattr(error, "winerror", None) not in codes or clock() >= until:
                raise
        sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
