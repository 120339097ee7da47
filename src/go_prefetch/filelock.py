"""Advisory locks as cmd/go takes them on Linux, macOS and BSD: `flock` on a file that is left lying."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing there takes a lock of ours
    fcntl = None  # type: ignore[assignment]


_LOOK_EVERY = 0.05  # seconds


@contextmanager
def held(path: Path, *, seconds: float = 0.0) -> Iterator[None]:
    """Hold the exclusive lock of `path`, made if absent, once it is free.

    Raises OSError if somebody holds it for `seconds` more, or took the file away meanwhile.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        if fcntl is not None:
            _take(descriptor, time.monotonic() + seconds)
            if not os.path.samestat(os.fstat(descriptor), path.stat()):
                raise FileNotFoundError(errno.ENOENT, "the lock was taken away", str(path))
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOOK_EVERY)
        else:
            return
