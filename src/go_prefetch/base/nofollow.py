"""Files below a root, reached without following a link: other users may write to the folders in between.

Every folder on the way is opened by its own name relative to the folder above it (openat(2) with O_NOFOLLOW), and stays
open while it is worked in: a folder that is replaced by a link meanwhile leads nowhere else. The root itself is the
user's to name, so links up to it are followed, once.

Windows has no openat: there each folder on the way is looked at before it is entered, and the moment between the two is
not covered. Making a link there takes a privilege that ordinary users lack.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_HAS_OPENAT = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY
_DEEPEST = 64  # folders below the root: module paths have fewer
# Of one folder, or of all folders that are removed together: another user may fill them without end.
_MOST_ENTRIES = 100_000
# A pipe in the place of a file is opened without waiting for a writer.
_READ = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | _BINARY
DIGITS = 19  # of a name that another user cannot foretell


def random_digits() -> str:
    """Digits for a name that another user cannot foretell."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def is_ours(found: os.stat_result) -> bool:
    """Whether this belongs to this user; on Windows, where it is not told, it may."""
    return sys.platform == "win32" or found.st_uid == os.geteuid()


@dataclass(frozen=True)
class Folder:
    """An open folder. Names are those of entries in it, never paths. Methods raise OSError and follow no link."""

    path: Path  # for messages
    descriptor: int | None = None  # None where the system has no openat

    def create(self, name: str, mode: int = 0o666) -> BinaryIO:
        """A new file, open for reading and writing. Raises FileExistsError for a name that is taken, by a link too."""
        return os.fdopen(os.open(self.at(name), _NEW, mode, dir_fd=self.descriptor), "w+b")

    def open(self, name: str) -> BinaryIO:
        """A regular file, open for reading. Raises OSError, with EINVAL for what is no regular file."""
        descriptor = os.open(self.at(name), _READ, dir_fd=self.descriptor)
        file = os.fdopen(descriptor, "rb") if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        if file is None:
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is not a regular file", str(self.path / name))
        return file

    def stat(self, name: str) -> os.stat_result | None:
        """What has this name; None if nothing has."""
        with suppress(FileNotFoundError):
            return os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)
        return None

    def has_file(self, name: str) -> bool:
        """Whether a regular file has this name."""
        found = self.stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def has_folder(self, name: str) -> bool:
        """Whether a folder has this name."""
        found = self.stat(name)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def rename(self, name: str, final: str) -> None:
        """Give the entry `name` another name, in place of what has it."""
        self.move(name, self, final)

    def move(self, name: str, folder: Folder, final: str) -> None:
        """Move the entry `name` into another folder of the same disk."""
        os.replace(self.at(name), folder.at(final), src_dir_fd=self.descriptor, dst_dir_fd=folder.descriptor)

    def unlink(self, name: str) -> None:
        """Remove a file or link, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.at(name), dir_fd=self.descriptor)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self.at(name), dir_fd=self.descriptor)

    def entries(self) -> list[str]:
        """The names of its entries, of the first 100,000 that the system tells."""
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as found:
            return sorted(entry.name for entry in itertools.islice(found, _MOST_ENTRIES))

    def contents(self) -> tuple[list[str], list[str]]:
        """The names of the folders in it, and of everything else, of the first 100,000 that the system tells."""
        folders: list[str] = []
        others: list[str] = []
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as found:
            for entry in itertools.islice(found, _MOST_ENTRIES):
                (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
        return folders, others

    def make_writable(self) -> None:
        """Let this user, and nobody else, read and change what it holds."""
        if self.descriptor is None:
            self.path.chmod(stat.S_IRWXU)
        else:
            os.fchmod(self.descriptor, stat.S_IRWXU)

    def entered(self, name: str, *, create: bool = False) -> Folder:
        """The folder `name` in this one, open; made with `create` if nothing has the name."""
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
        try:
            if self.descriptor is not None:
                return Folder(path, os.open(at, _FOLDER | _NOFOLLOW, dir_fd=self.descriptor))
            if self.has_folder(name):
                return Folder(path)
        except FileNotFoundError:  # told at once: another thread may make it before the next look
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
        except OSError:
            if self.has_folder(name):
                raise
        found = self.stat(name)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no folder"
        raise NotADirectoryError(errno.ENOTDIR, f"it is {kind}", str(path))

    def close(self) -> None:
        """End the use of this folder."""
        if self.descriptor is not None:
            os.close(self.descriptor)

    def at(self, name: str) -> str:
        """What the functions of `os` take for an entry, together with `dir_fd=descriptor`."""
        if not name or name in (".", "..") or "/" in name or os.sep in name:
            raise OSError(errno.EINVAL, "it is not the name of an entry", name)
        return name if self.descriptor is not None else str(self.path / name)


@contextmanager
def opened(root: Path, parts: Sequence[str] = (), *, create: bool = False) -> Iterator[Folder]:
    """The folder that the names `parts` lead to from `root`.

    With `create` folders that are missing are made, those above the root too.

    Raises FileNotFoundError for what is missing, NotADirectoryError for a link or file in the place of a folder.
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
    """The folder of the file `name` (with slashes, relative to `root`) and its own name in it. See `opened`."""
    *parts, last = name.split("/")
    with opened(root, parts, create=create) as folder:
        yield folder, last


def open_file(root: Path, name: str) -> BinaryIO:
    """The regular file `name` (with slashes) below `root`, open for reading. Raises OSError."""
    with parent(root, name) as (folder, last):
        return folder.open(last)


def clear_way(root: Path, name: str) -> None:
    """Remove what keeps a regular file from lying at `name`: links and files in the place of folders, and a folder or
    link in its own. With a slash at its end `name` is that of a folder.

    Raises OSError.
    """
    *parts, last = name.split("/")
    for depth, part in enumerate(parts):
        with opened(root, parts[:depth]) as folder:
            if not folder.has_folder(part):
                folder.unlink(part)
                return
    if not last:
        return
    with opened(root, parts) as folder:
        if folder.has_folder(last):
            remove(root, (*parts, last))
        elif not folder.has_file(last):
            folder.unlink(last)


def remove(root: Path, parts: Sequence[str], *, most: int = _MOST_ENTRIES, ignore_errors: bool = False) -> int:
    """Remove the folder that `parts` lead to from `root`, and all that is in it; return how many files that were.

    Read-only folders are made writable first. Raises OSError unless errors are ignored, with EFBIG for more than `most`
    entries.
    """
    *above, name = parts
    ignored = (OSError,) if ignore_errors else ()
    removal = _Removal(most, ignored)
    with suppress(*ignored), opened(root, above) as parent:
        with contextlib.closing(parent.entered(name)) as top:
            removal.clear(top)
        parent.rmdir(name)
    return removal.files


class _Removal:
    """Removes what is in a folder. Folders further down are brought up to its top, so that no depth costs more."""

    def __init__(self, most: int, ignored: tuple[type[OSError], ...]) -> None:
        self.files = 0
        self._entries_left = most
        self._ignored = ignored

    def clear(self, top: Folder) -> None:
        """Remove all that is in `top`."""
        for names in self._without_files(top):
            pending = [*names]
            while pending:
                name = pending.pop()
                with suppress(*self._ignored):
                    with contextlib.closing(top.entered(name)) as here:
                        for folders in self._without_files(here):
                            pending += filter(None, (self._brought_up(folder, here, top) for folder in folders))
                    top.rmdir(name)

    def _without_files(self, here: Folder) -> Iterator[list[str]]:
        """Remove the files of a folder; yield the names of the folders in it, of some entries at a time."""
        with suppress(OSError):  # another user's, perhaps: what can be removed all the same, is
            here.make_writable()
        last: tuple[list[str], list[str]] = ([], [])
        while (found := here.contents()) != last:
            last = found
            folders, others = found
            self._entries_left -= len(folders) + len(others)
            if self._entries_left < 0:
                raise OSError(errno.EFBIG, "it holds too much to be removed", str(here.path))
            for name in others:
                with suppress(*self._ignored):
                    here.unlink(name)
                    self.files += 1
            yield folders
            if len(folders) + len(others) < _MOST_ENTRIES:
                return

    def _brought_up(self, name: str, here: Folder, top: Folder) -> str:
        """Move a folder to `top`; return its new name, or the empty string if that failed."""
        brought = f"{random_digits()}.tmp"
        with suppress(*self._ignored):
            try:
                here.move(name, top, brought)
            except PermissionError:  # a read-only folder cannot be moved elsewhere
                with contextlib.closing(here.entered(name)) as below:
                    below.make_writable()
                here.move(name, top, brought)
            return brought
        return ""


def walk(
    root: Path, enter: Callable[[tuple[str, ...]], bool] = lambda parts: len(parts) <= _DEEPEST
) -> Iterator[tuple[tuple[str, ...], Folder, list[str]]]:
    """Every folder from `root` downwards: the names that lead to it, the open folder, its entries.

    A folder comes before those in it. Left out is what cannot be read, and what `enter` denies: without it folders
    deeper than any module's.
    """
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        with suppress(OSError), opened(root, parts) as folder:
            names = folder.entries()
            yield parts, folder, names
            pending += [(*parts, name) for name in names if enter((*parts, name)) and folder.has_folder(name)]
