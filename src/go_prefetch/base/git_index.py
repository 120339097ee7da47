"""A copy of a repository's index: which files are as the index says, and new times for an index that lacks them.

git works on the copy only. The copy replaces the index the way git does it: the file `index.lock` is created, which no
two programs can, filled, and renamed. So a git that is killed leaves no lock behind.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from go_prefetch.base import nofollow

_MOST_SECONDS = 120.0  # git reads every file of the checkout
_MOST_BYTES = 1 << 28
# Files with a filter (LFS) are left out: only a program that the repository names can compare their content.
_UNFILTERED = ":(attr:!filter)"
_ENTRY = re.compile(r"([A-Za-z]) (\d{6}) ([0-9a-f]{40}|[0-9a-f]{64}) 0\t(.+)", re.DOTALL)
_SUBMODULE = "160000"


class _Ask(Protocol):
    def __call__(self, *arguments: str, most_seconds: float) -> bytes:
        """Return what git prints. Raises GitFailedError, OSError."""


class Replacement(Enum):
    """What became of an index that was to be replaced."""

    DONE = "done"
    LOCKED = "locked"  # another git is at work
    CHANGED = "changed"  # another git was at work since it was copied


class GitFailedError(Exception):
    """git failed, or took too long."""


@dataclass(frozen=True)
class Tracked:
    """What git tracks, relative to the top of its repository. Names have slashes and lead nowhere else."""

    unmodified: dict[str, str]  # files and links, to the hash of their content
    total: int  # files and links
    submodules: tuple[str, ...]


class IndexCopy:
    """The copy, and a git that reads it."""

    def __init__(self, index: Path, copy: Path, ask: _Ask) -> None:
        """Copy `index` to `copy`, for `ask`. Raises OSError."""
        self._index, self._copy, self._ask = index, copy, ask
        with nofollow.open_file(index.parent, index.name) as source:
            self._original = os.fstat(source.fileno())
            if self._original.st_size > _MOST_BYTES:
                raise GitFailedError
            with copy.open("xb") as target:
                shutil.copyfileobj(source, target)
        # git compares the content of files that are not older than their index.
        self._copied = _with_time_of(copy, self._original)

    @property
    def is_locked(self) -> bool:
        """Return whether another git is at work."""
        return os.path.lexists(f"{self._index}.lock")

    def tracked(self) -> Tracked:
        """Return what git tracks. Raises GitFailedError, OSError."""
        listed = self._ask("ls-files", "-z", "-s", "-v", "-c", "-m", "--", _UNFILTERED, most_seconds=_MOST_SECONDS)
        names = self._ask("ls-files", "-z", most_seconds=_MOST_SECONDS)
        files: dict[str, str] = {}
        modified: set[str] = set()
        submodules: list[str] = []
        for tag, mode, blob, name in _entries(listed):
            if tag == "C":  # changed
                modified.add(name)
            elif mode == _SUBMODULE:
                submodules.append(name)
            elif tag == "H":  # not if it is unmerged, outside a sparse checkout, or assumed to be unchanged
                files[name] = blob
        unmodified = {name: blob for name, blob in files.items() if name not in modified}
        return Tracked(unmodified, names.count(b"\0") - len(submodules), tuple(submodules))

    def refresh(self) -> frozenset[str]:
        """Compare all files, and put their new times into the copy. Return the modified ones.

        Raises GitFailedError, OSError.
        """
        options = ("-q", "--unmerged", "--ignore-missing", "--ignore-submodules", "--refresh")
        self._ask("update-index", *options, most_seconds=_MOST_SECONDS)
        names = self._ask("ls-files", "-z", "-m", most_seconds=_MOST_SECONDS)
        return frozenset(os.fsdecode(names).split("\0"))

    def replace(self) -> Replacement:
        """Replace the index by the copy, unless it is equal. Raises OSError."""
        refreshed = self._copy.stat()
        if _identity(refreshed) == _identity(self._copied):
            return Replacement.DONE
        with nofollow.opened(self._index.parent) as folder:
            try:
                target = folder.create(f"{self._index.name}.lock")
            except FileExistsError:
                return Replacement.LOCKED
            try:
                return self._filled(folder, target, refreshed.st_mtime_ns)
            except BaseException:
                folder.unlink(f"{self._index.name}.lock")
                raise

    def _filled(self, folder: nofollow.Folder, target: BinaryIO, mtime: int) -> Replacement:
        """Fill the lock, and give it the name of the index. Remove it if the index is not the one that was copied."""
        name, lock = self._index.name, f"{self._index.name}.lock"
        with target, self._copy.open("rb") as source:
            shutil.copyfileobj(source, target)
            if sys.platform != "win32":
                os.fchmod(target.fileno(), stat.S_IMODE(self._original.st_mode))
        folder.set_times(lock, mtime, mtime)
        found = folder.stat(name)
        if found is None or _identity(found) != _identity(self._original):
            folder.unlink(lock)
            return Replacement.CHANGED
        folder.rename(lock, name)
        return Replacement.DONE


def _entries(listed: bytes) -> Iterator[tuple[str, str, str, str]]:
    """Yield tag, mode, hash and name of each entry of `ls-files -z -s -v`. Forged names are left out."""
    for line in os.fsdecode(listed).split("\0"):
        entry = _ENTRY.fullmatch(line)
        if entry and _stays_inside(entry[4]):
            yield entry[1], entry[2], entry[3], entry[4]


def _stays_inside(name: str) -> bool:
    """Return whether a name leads to a file of the checkout, and not into `.git`."""
    parts = name.split("/")
    is_plain = all(part not in ("", ".", "..") and part.lower() != ".git" and os.sep not in part for part in parts)
    return is_plain and not Path(name).drive


def _with_time_of(file: Path, original: os.stat_result) -> os.stat_result:
    os.utime(file, ns=(original.st_atime_ns, original.st_mtime_ns))
    return file.stat()


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns
