"""Locks as cmd/go takes them, on a file that is never removed: `flock` on Unix, `LockFileEx` on Windows.

On Windows, cmd/go locks all bytes that a file may have, and this locks one of them, far behind the last. So the two
exclude each other, and other programs may read the file meanwhile.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOK_EVERY = 0.05  # seconds
_LOCKED_BYTE = 0x7FFF_FFFE

if sys.platform == "win32":
    import msvcrt

    _IS_LOCKED = (errno.EACCES, errno.EDEADLK, 0)  # 0: Wine

    def _take_now(descriptor: int) -> None:
        """Take the lock. Raises BlockingIOError if another process holds it."""
        try:
            _lock_byte(descriptor, msvcrt.LK_NBLCK)
        except OSError as error:
            if error.errno not in _IS_LOCKED:
                raise
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None

    def _release(descriptor: int) -> None:
        """Release the lock, if it is held. After a close, Windows may take a while to release it."""
        with suppress(OSError):
            _lock_byte(descriptor, msvcrt.LK_UNLCK)

    def _lock_byte(descriptor: int, mode: int) -> None:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, mode, 1)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)
else:
    import fcntl

    def _take_now(descriptor: int) -> None:
        """Take the lock. Raises BlockingIOError if another process holds it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(descriptor: int) -> None:
        """Leave the release to the close of the file."""


@contextmanager
def held(path: Path | str, *, seconds: float = 0.0, dir_fd: int | None = None) -> Iterator[None]:
    """Hold the exclusive lock of `path` (relative to the open folder `dir_fd`, if given), created if absent.

    Raises OSError if another process holds it for `seconds` more, or removed the file in the meantime.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o666, dir_fd=dir_fd)
    try:
        take(descriptor, seconds)
        if not os.path.samestat(os.fstat(descriptor), os.stat(path, dir_fd=dir_fd, follow_symlinks=False)):
            raise FileNotFoundError(errno.ENOENT, "the lock was taken away", str(path))
        yield
    finally:
        _release(descriptor)
        os.close(descriptor)


def take(descriptor: int, seconds: float = 0.0) -> None:
    """Take the exclusive lock of an open file until it is closed.

    Raises BlockingIOError if another process holds it for `seconds` more, OSError where there are no locks.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return _take_now(descriptor)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        time.sleep(_LOOK_EVERY)
