"""Files below a root, reached without following a link: other users may write to the folders in between.

Each folder on the way is opened by name relative to the folder above it (openat(2) with O_NOFOLLOW), and stays open
while it is used. A folder that is replaced by a link in the meantime has no effect. The user names the root itself, so
links up to it are followed, once.

Windows has no openat. There, each folder on the way is checked before it is entered, and the moment between the two is
not covered. A junction counts as a link: every user may create one.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.patience import LOCK_VIOLATION, SHARING_VIOLATION, patiently
from go_prefetch.base.windows_names import IS_WINDOWS, extended, is_entry_name

_HAS_OPENAT = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_SETS_TIMES_OF_LINKS = os.utime in os.supports_follow_symlinks and os.utime in os.supports_dir_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY
_DEEPEST = 64  # folders below the root: module paths have fewer
# Entries of one folder, or of all folders that are removed together. Another user may add entries without end.
MOST_ENTRIES = 100_000
# A pipe in place of a file is opened without waiting for a writer.
_READ = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | _BINARY
_NAME_SURROGATE = 0x20000000  # bit of a reparse tag on Windows: the entry stands for another one
_UNLINK_SECONDS = 0.5  # a tree may have many files that cannot be removed
DIGITS = 19  # of a name that another user cannot predict


def random_digits() -> str:
    """Return digits for a name that another user cannot predict."""
    return f"{int.from_bytes(os.urandom(16), sys.byteorder) % 10**DIGITS:0{DIGITS}d}"


def is_ours(found: os.stat_result) -> bool:
    """Return whether this belongs to this user. On Windows the owner is unknown, so return True."""
    return sys.platform == "win32" or found.st_uid == os.geteuid()


def is_link(found: os.stat_result) -> bool:
    """Return whether this leads to another entry: a symbolic link, or a junction, which has the mode of a folder."""
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_reparse_tag", 0) & _NAME_SURROGATE)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether this entry is a folder, and no link or junction."""
    return entry.is_dir(follow_symlinks=False) and not (IS_WINDOWS and is_link(entry.stat(follow_symlinks=False)))


@dataclass(frozen=True)
class Folder:
    """An open folder. Names are those of its entries, never paths. Methods raise OSError and follow no link."""

    path: Path  # for messages
    descriptor: int | None = None  # None where the system has no openat

    def create(self, name: str, mode: int = 0o666) -> BinaryIO:
        """Create a file, open for reading and writing. Raises FileExistsError for a name in use, also by a link."""
        return os.fdopen(os.open(self.at(name), NEW, mode, dir_fd=self.descriptor), "w+b")

    def open(self, name: str) -> BinaryIO:
        """Open a regular file for reading. Raises OSError, with EINVAL if it is not a regular file."""
        return os.fdopen(self._opened(name), "rb")

    def read(self, name: str, most: int) -> bytes:
        """Return at most `most` bytes of a regular file, quicker than through `open`. Raises OSError like it."""
        descriptor = self._opened(name)
        try:
            return os.read(descriptor, most)
        finally:
            os.close(descriptor)

    def _opened(self, name: str) -> int:
        descriptor = os.open(self.at(name), _READ, dir_fd=self.descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is not a regular file", str(self.path / name))
        return descriptor

    def stat(self, name: str) -> os.stat_result | None:
        """Return the status of the entry with this name, or None if there is none."""
        with suppress(FileNotFoundError):
            return os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)
        return None

    def has_file(self, name: str) -> bool:
        """Return whether there is a regular file with this name."""
        found = self.stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def has_folder(self, name: str) -> bool:
        """Return whether there is a folder with this name."""
        found = self.stat(name)
        return found is not None and stat.S_ISDIR(found.st_mode) and not is_link(found)

    def rename(self, name: str, final: str) -> None:
        """Rename the entry `name`, and replace an entry that has the new name."""
        self.move(name, self, final)

    def move(self, name: str, folder: Folder, final: str) -> None:
        """Move the entry `name` into another folder of the same disk."""
        source, target = self.at(name), folder.at(final)
        patiently(lambda: os.replace(source, target, src_dir_fd=self.descriptor, dst_dir_fd=folder.descriptor))

    def unlink(self, name: str) -> None:
        """Remove a file or link, if it exists. On Windows, also one that is read-only, as Go's trees are."""
        with suppress(FileNotFoundError):
            try:
                self._unlink(name)
            except PermissionError:
                if self.descriptor is not None or not self._make_file_writable(name):
                    raise
                self._unlink(name)

    def _unlink(self, name: str) -> None:
        path = self.at(name)
        codes = (SHARING_VIOLATION, LOCK_VIOLATION)
        patiently(lambda: os.unlink(path, dir_fd=self.descriptor), codes=codes, seconds=_UNLINK_SECONDS)

    def _make_file_writable(self, name: str) -> bool:
        """Make a read-only file writable. Return False if it is none."""
        found = self.stat(name)
        if found is None or is_link(found) or found.st_mode & stat.S_IWRITE or not stat.S_ISREG(found.st_mode):
            return False
        os.chmod(self.at(name), stat.S_IREAD | stat.S_IWRITE)  # noqa: PTH101 - a path of any length
        return True

    def set_times(self, name: str, atime: int, mtime: int) -> None:
        """Set the times of an entry in nanoseconds, of a link itself too. Windows sets none of a link."""
        if _SETS_TIMES_OF_LINKS:
            os.utime(self.at(name), ns=(atime, mtime), dir_fd=self.descriptor, follow_symlinks=False)
        elif (found := self.stat(name)) and not is_link(found):
            os.utime(self.at(name), ns=(atime, mtime))

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self.at(name), dir_fd=self.descriptor)

    def entries(self) -> list[str]:
        """Return the names of its entries, 100,000 at most."""
        with os.scandir(self._scanned) as found:
            return sorted(entry.name for entry in itertools.islice(found, MOST_ENTRIES))

    def contents(self) -> tuple[list[str], list[str]]:
        """Return the names of its folders, and the names of its other entries, 100,000 at most."""
        folders: list[str] = []
        others: list[str] = []
        with os.scandir(self._scanned) as found:
            for entry in itertools.islice(found, MOST_ENTRIES):
                (folders if is_folder(entry) else others).append(entry.name)
        return folders, others

    @property
    def _scanned(self) -> str | int:
        return extended(str(self.path)) if self.descriptor is None else self.descriptor

    def make_writable(self) -> None:
        """Let only this user read and change its contents."""
        if self.descriptor is None:
            os.chmod(extended(str(self.path)), stat.S_IRWXU)  # noqa: PTH101 - a path of any length
        else:
            os.fchmod(self.descriptor, stat.S_IRWXU)

    def entered(self, name: str, *, create: bool = False) -> Folder:
        """Open the folder `name` in this one; with `create`, create it if the name is free."""
        try:
            return self._entered(name)
        except FileNotFoundError:
            if not create:
                raise
        with suppress(FileExistsError):
            os.mkdir(self.at(name), dir_fd=self.descriptor)
        return self._entered(name)

    def _entered(self, name: str) -> Folder:
        path, at = self.path / name, self.at(name)
        if self.descriptor is not None:
            try:
                return Folder(path, os.open(at, _FOLDER | _NOFOLLOW, dir_fd=self.descriptor))
            except FileNotFoundError:  # locked at once: another thread may create it before the next check
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
            except OSError:
                if self.has_folder(name):
                    raise
        found = self.stat(name)  # once: another thread may create it before the next check
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        kind = "a symbolic link" if is_link(found) else "" if stat.S_ISDIR(found.st_mode) else "no folder"
        if kind or self.descriptor is not None:
            raise NotADirectoryError(errno.ENOTDIR, f"it is {kind or 'no folder'}", str(path))
        return Folder(path)

    def close(self) -> None:
        """Close this folder."""
        if self.descriptor is not None:
            os.close(self.descriptor)

    def at(self, name: str) -> str:
        """Return the name of an entry for the functions of `os`, used with `dir_fd=descriptor`."""
        if not is_entry_name(name):
            raise OSError(errno.EINVAL, "it is not the name of an entry", name)
        return name if self.descriptor is not None else extended(str(self.path / name))


@contextmanager
def opened(root: Path, parts: Sequence[str] = (), *, create: bool = False) -> Iterator[Folder]:
    """Open the folder that the names `parts` lead to from `root`.

    With `create`, missing folders are created, those above the root too.

    Raises FileNotFoundError if it is missing, NotADirectoryError for a link or file in place of a folder.
    """
    if create:
        root.mkdir(parents=True, exist_ok=True)
    here = Folder(root, os.open(root, _FOLDER) if _HAS_OPENAT else None)
    try:
        for part in parts:
            above, here = here, here.entered(part, create=create)
            above.close()
        yield here
    finally:
        here.close()


@contextmanager
def parent(root: Path, name: str, *, create: bool = False) -> Iterator[tuple[Folder, str]]:
    """Open the folder of the file `name` (with slashes, relative to `root`). Return it, and the name in it."""
    *parts, last = name.split("/")
    with opened(root, parts, create=create) as folder:
        yield folder, last


def open_file(root: Path, name: str) -> BinaryIO:
    """Open the regular file `name` (with slashes) below `root` for reading. Raises OSError."""
    with parent(root, name) as (folder, last):
        return folder.open(last)


def walk(
    root: Path, enter: Callable[[tuple[str, ...]], bool] = lambda parts: len(parts) <= _DEEPEST
) -> Iterator[tuple[tuple[str, ...], Folder, list[str]]]:
    """Yield every folder from `root` downwards: the names that lead to it, the open folder, its entries.

    A folder comes before those in it. Folders that are not readable, and those that `enter` rejects, are left out. By
    default, `enter` rejects folders that are deeper than any module's.
    """
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        with suppress(OSError), opened(root, parts) as folder:
            names = folder.entries()
            yield parts, folder, names
            pending += [(*parts, name) for name in names if enter((*parts, name)) and folder.has_folder(name)]
