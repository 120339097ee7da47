"""Advisory locks as cmd/go takes them on Linux, macOS and BSD: `flock` on a file that is left lying."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing there takes a lock of ours
    fcntl = None  # type: ignore[assignment]


@contextmanager
def held(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the exclusive lock of `path`, made if absent. OSError if its holder took the file away meanwhile.

    With `wait=False` OSError also if somebody holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if not os.path.samestat(os.fstat(descriptor), path.stat()):
                raise FileNotFoundError(errno.ENOENT, "the lock was taken away", str(path))
        yield
    finally:
        os.close(descriptor)
