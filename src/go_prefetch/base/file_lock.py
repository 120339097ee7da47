"""Advisory locks as cmd/go takes them on Linux, macOS and BSD: `flock` on a file that is never removed."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


_LOOK_EVERY = 0.05  # seconds


@contextmanager
def held(path: Path | str, *, seconds: float = 0.0, dir_fd: int | None = None) -> Iterator[None]:
    """Hold the exclusive lock of `path` (relative to the open folder `dir_fd`, if given), created if absent.

    Raises OSError if another process holds it for `seconds` more, or removed the file in the meantime.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o666, dir_fd=dir_fd)
    try:
        if fcntl is not None:
            take(descriptor, seconds)
            if not os.path.samestat(os.fstat(descriptor), os.stat(path, dir_fd=dir_fd, follow_symlinks=False)):
                raise FileNotFoundError(errno.ENOENT, "the lock was taken away", str(path))
        yield
    finally:
        os.close(descriptor)


def take(descriptor: int, seconds: float = 0.0) -> None:
    """Take the exclusive lock of an open file until it is closed. Does nothing on Windows.

    Raises BlockingIOError if another process holds it for `seconds` more, OSError where there are no locks.
    """
    until = time.monotonic() + seconds
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOOK_EVERY)
        else:
            return
