"""A folder in GOPROXY layout that many projects share: the default store.

It works as `GOPROXY=file://POOL,…` too. What is ours besides lies in `.go-prefetch/` (see ledger.py).
Module files never change, so restoring takes the files a plan names and saving adds those the pool lacks.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

from go_prefetch.errors import StoreError
from go_prefetch.incoming import StructureError, received, structure_problem
from go_prefetch.modcache import MAX_BYTES, NOTES_FOLDER, ModuleFile, path_in, remove_trees
from go_prefetch.ports import Arrived, Saving, Wanted
from go_prefetch.results import Restored, Saved
from go_prefetch.retry import Deadline
from go_prefetch.stores.coldruns import measured
from go_prefetch.stores.ledger import Ledger

_CHUNK = 1 << 20


class DirectoryPool:
    """The pool at `root`, which need not exist yet."""

    def __init__(self, root: Path, *, asked: str, takes_files: bool) -> None:
        self.root = root
        self._takes_files = takes_files
        self._ledger = Ledger(root / NOTES_FOLDER, asked)

    @property
    def name(self) -> str:
        """Its folder."""
        return f"directory pool {self.root}"

    def restore(self, wanted: Wanted, deadline: Deadline, arrived: Arrived) -> Restored:
        """Hard-link, or else copy, what the pool has. A file it cannot hand over whole is one it lacks.

        Raises OSError only for the folder: the module cache must take files, the pool need not give any.
        """
        started = time.monotonic()
        got: set[ModuleFile] = set()
        size = 0
        warnings: list[str] = []
        for file in sorted(wanted.files, key=self._large_zips_first):
            if deadline.passed():
                warnings.append(
                    f"{self.name} is slow; the proxies take over for what it has not handed over yet [store-slow]"
                )
                break
            source = self._regular_file(file)
            if source is None:
                if os.path.lexists(path_in(self.root, file)):
                    warnings.append(f"{self.name} has something else in the place of {file}; it was not taken")
                continue
            try:
                size += _transfer(source, wanted.folder, file)
            except StructureError as error:
                warnings.append(f"{self.name} holds a damaged {file}: {error}")
                continue
            got.add(file)
            arrived(file)
        return Restored(
            store=self.name,
            files=frozenset(got),
            bytes=size,
            seconds=time.monotonic() - started,
            unavailable=self._ledger.unavailable(wanted.files),
            cold=self._ledger.cold_runs(got),
            warnings=tuple(warnings),
        )

    def save(self, saving: Saving, deadline: Deadline) -> Saved:
        """Add what the pool lacks, replace what Go rejected. Raises StoreError if it takes no files."""
        if not self._takes_files:
            return Saved(because_not="save is false")
        started = time.monotonic()
        size = count = 0
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for file in saving.rejected:
                path_in(self.root, file).unlink(missing_ok=True)
            for file in saving.files:
                if deadline.passed():
                    raise StoreError("store-slow", f"{self.name} is slow", hint="What it has taken so far stays there.")
                if self._holds_good(file):
                    continue
                size += self._add(saving.folder, file)
                count += 1
            self._ledger.note_unavailable(saving.unavailable)
            if saving.cold_seconds is not None:
                self._ledger.note_run(measured(saving.cold_seconds, (file.name for file in saving.files)))
        except (OSError, StructureError) as error:
            raise StoreError(
                "store-unwritable",
                f"{self.name} took no more files: {getattr(error, 'strerror', None) or error}",
                hint="The run goes on without it; check its permissions and the room on its disk",
            ) from None
        return Saved(files=count, bytes=size, seconds=time.monotonic() - started)

    def _large_zips_first(self, file: ModuleFile) -> tuple[bool, int]:
        """What takes longest to unpack comes first, so that little is left to do after the last file."""
        try:
            return file.kind != "zip", -path_in(self.root, file).lstat().st_size
        except OSError:
            return True, 0

    def _regular_file(self, file: ModuleFile) -> Path | None:
        """The pool's own copy of `file`: never through a symbolic link, which could lead out of the pool."""
        path = self.root
        try:
            for part in file.name.split("/"):
                path = path / part
                mode = path.lstat().st_mode
                if stat.S_ISLNK(mode):
                    return None
        except OSError:
            return None
        return path if stat.S_ISREG(mode) else None

    def _holds_good(self, file: ModuleFile) -> bool:
        """Whether the pool has this file whole; a symbolic link or a folder in its place is taken away first."""
        path = self._regular_file(file)
        if path:
            return not _problem(file, path)
        part = self.root
        for name in file.name.split("/"):
            part = part / name
            if part.is_symlink():
                part.unlink()
        if part.is_dir():
            remove_trees(part)
        return False

    def _add(self, folder: Path, file: ModuleFile) -> int:
        return _transfer(path_in(folder, file), self.root, file)


def _transfer(source: Path, folder: Path, file: ModuleFile) -> int:
    """Put the file at `source` into `folder` under its name, and return its bytes.

    Raises StructureError if `source` cannot be read, OSError as `folder` does.
    """
    with received(folder, file) as beside:
        if file.kind == "info" or not _hard_linked(source, beside):
            _copy(source, beside, MAX_BYTES[file.kind])
        if not stat.S_ISREG(beside.lstat().st_mode):
            raise StructureError("it is no regular file")  # exchanged since we looked
        size = beside.stat().st_size
    # POSIX: renaming a file to a name it already has does nothing. Another run has just put this very file there.
    beside.unlink(missing_ok=True)
    return size


def _copy(source: Path, beside: Path, most: int) -> None:
    """Copy what is a regular file and no link at the moment it is opened; anything else is not waited for.

    And of that no more than `most` bytes: it would fill the disk before anybody looked at it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(source, flags)
    except OSError as error:
        raise StructureError(f"it cannot be read ({error.strerror})") from None
    with open(descriptor, "rb") as original, beside.open("wb") as copy:  # noqa: PTH123 - a Path cannot be opened so
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StructureError("it is no regular file")
        left = most
        while chunk := _read(original):
            left -= len(chunk)
            if left < 0:
                raise StructureError(f"more than {most} bytes are more than Go accepts")
            copy.write(chunk)


def _read(original: BinaryIO) -> bytes:
    try:
        return original.read(_CHUNK)
    except OSError as error:
        raise StructureError(f"it cannot be read ({error.strerror})") from None


def _problem(file: ModuleFile, path: Path) -> str:
    try:
        return structure_problem(file, path)
    except OSError as error:
        return str(error)


def _hard_linked(source: Path, beside: Path) -> bool:
    """Share the bytes, where both are on one file system, we may read them and nobody else may write to them."""
    try:
        held = source.lstat()
    except OSError:  # gone since we looked
        return False
    if not hasattr(os, "geteuid") or held.st_uid != os.geteuid() or held.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    if not os.access(source, os.R_OK):
        return False
    try:
        os.link(source, beside, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return False
    return True
