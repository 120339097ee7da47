"""The temporary files of a run in a pool or module cache, so that a later run finds what a killed run left.

    .go-prefetch/run-<digits>    one temporary name per line, relative to the root; readable by its owner only (0600)

A run holds the lock of its file. It removes the file when nothing is in progress any more. A file with a free lock
belongs to a run that has ended. Its temporary files are removed if they still have their names and belong to this user.
Other users may write to the folder, so its run files are untrusted. No entry of theirs leads to a file without a
temporary name.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import atomic_file, file_lock, nofollow
from go_prefetch.base.nofollow import Folder

# The folder for other files of go-prefetch among module files. No module path begins with a dot.
NOTES_FOLDER = ".go-prefetch"

_PREFIX = "run-"
_MOST_BYTES = 8 << 20  # of one run file: 100,000 names
_MOST_FILES = 200  # run files that one call reads
_MOST_TRIES = 100  # to make a run file: a folder that cannot exist fails in the same way as one that was just removed
_MAY_REMOVE_OPEN_FILES = sys.platform != "win32"

# Reentrant: Python may end an abandoned block of `recording` at any moment, in a thread that is in one of these lines.
_lock = threading.RLock()
_open: dict[Path, _RunFile] = {}


class _RunFile:
    """The run file of this process for one root, and the number of its users."""

    def __init__(self, root: Path) -> None:
        self.users = 0
        self._root = root
        self._name = ""
        self._file: BinaryIO | None = None
        with suppress(OSError):  # without a record, a killed run's files stay, which is no reason to fail this run
            self._make()

    def record(self, temporary: str) -> None:
        """Record a name before its file is created."""
        if self._file:
            with suppress(OSError):
                os.write(self._file.fileno(), f"{temporary}\n".encode())

    def remove(self) -> None:
        """Remove the run file, and its folder if that is empty."""
        if not self._file:
            return
        with suppress(OSError), nofollow.opened(self._root, (NOTES_FOLDER,)) as notes:
            if not _MAY_REMOVE_OPEN_FILES:
                self._file.close()
            notes.unlink(self._name)
        self._file.close()
        self._file = None
        _remove_if_empty(self._root)

    def _make(self) -> None:
        for _ in range(_MOST_TRIES):
            if self._file:
                break
            name = f"{_PREFIX}{nofollow.random_digits()}"
            taken = suppress(FileNotFoundError, BlockingIOError)  # removed as a dead run's, before it was locked
            with taken, nofollow.opened(self._root, (NOTES_FOLDER,), create=True) as notes:
                self._file = _locked(notes, name)
                self._name = name


def _locked(notes: Folder, name: str) -> BinaryIO:
    """Create a run file and lock it. Raises OSError."""
    file = notes.create(name, 0o600)
    try:
        file_lock.take(file.fileno())
        if notes.stat(name) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    except OSError:
        file.close()
        notes.unlink(name)
        raise
    return file


@contextmanager
def recording(root: Path) -> Iterator[Callable[[str], None]]:
    """Yield a function that records temporary names below `root` during the block. Blocks may nest, in any thread."""
    with _lock:
        run_file = _open.get(root) or _open.setdefault(root, _RunFile(root))
        run_file.users += 1
    try:
        yield run_file.record
    finally:
        with _lock:
            run_file.users -= 1
            if not run_file.users:
                _open.pop(root, None)
                run_file.remove()


def write_whole(root: Path, name: str, data: bytes) -> None:
    """Write `data` to the file `name` (with slashes) below `root`, recorded and atomically. Raises OSError."""
    with recording(root) as record, atomic_file.new_file(root, name, record=record) as file:
        file.write(data)


def finish() -> None:
    """Remove files of threads that will never end, and their record. Call this right before the program ends.

    If a file cannot be removed, its record stays too, and a later run removes both.
    """
    is_clear = atomic_file.remove_unfinished()
    with _lock:
        while _open and is_clear:
            _open.popitem()[1].remove()


def clear_dead_runs(root: Path) -> None:
    """Remove the temporary files that ended runs of this user have left below `root`."""
    with suppress(OSError), nofollow.opened(root, (NOTES_FOLDER,)) as notes:
        runs = [name for name in notes.entries() if name.startswith(_PREFIX) and _is_private(notes.stat(name))]
        for name in runs[:_MOST_FILES]:
            with suppress(OSError):
                _clear(root, notes, name)
    _remove_if_empty(root)


def _clear(root: Path, notes: Folder, name: str) -> None:
    with notes.open(name) as file:
        if not _is_private(os.fstat(file.fileno())):
            return
        file_lock.take(file.fileno())
        names = file.read(_MOST_BYTES).decode(errors="replace").splitlines()
        for temporary in filter(atomic_file.is_temporary, names):
            with suppress(OSError), nofollow.parent(root, temporary) as (folder, last):
                found = folder.stat(last)
                if found and stat.S_ISREG(found.st_mode) and nofollow.is_ours(found):
                    folder.unlink(last)
        # Last: if this process is killed before, another run finds the names here.
        if not _MAY_REMOVE_OPEN_FILES:
            file.close()
        notes.unlink(name)


def _is_private(found: os.stat_result | None) -> bool:
    if found is None or sys.platform == "win32":
        return found is not None
    return nofollow.is_ours(found) and found.st_nlink == 1 and not stat.S_IMODE(found.st_mode) & 0o077


def _remove_if_empty(root: Path) -> None:
    with suppress(OSError), nofollow.opened(root) as folder:
        folder.rmdir(NOTES_FOLDER)
