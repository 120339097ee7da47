"""A folder in GOPROXY layout that many projects share: the default store.

It works as `GOPROXY=file://POOL,…` too. Other data is in `.go-prefetch/` (see pool_metadata.py). Module files never
change, so a restore copies the files of a plan, and a save adds those that the pool lacks.

Other users may write to a pool during a run. So its root is resolved once, and no link below is followed. Files are
copied, never shared, because Go would not notice a change after its hash. And the copy is checked, not the source.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import file_copy, nofollow, removal
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER, recording
from go_prefetch.base.trees import free_bytes
from go_prefetch.errors import DownloadError, InputError, Notice, StoreError, notice
from go_prefetch.golang.modcache import MAX_BYTES, TOOLCHAINS_FOLDER, ModuleFile, ModuleFolder
from go_prefetch.golang.module import TOOLCHAIN
from go_prefetch.model.ports import Announced, Arrived, Saving, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, Saved
from go_prefetch.modfiles.damage import damage, unreadable
from go_prefetch.modfiles.managed_folder import own, remove_others
from go_prefetch.modfiles.staging import InUseError, StructureError, received, structure_problem
from go_prefetch.stores.pool_metadata import PoolMetadata, mark_used, mark_used_by_name


class _UnreadableError(StructureError):
    """The file may be right, but it is out of reach: for this user, or for the system."""


# What a link, a pipe or a file in place of a folder raises. Other errors are those of a disk, a network or permissions.
_NOT_A_FILE = (errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.EISDIR, errno.ENXIO)


class DirectoryPool:
    """The pool at `root`, which need not exist yet.

    `in_place_of` says why a runner's cache service is not used. The disk of such a runner does not last.
    """

    has_single_files = True

    def __init__(self, root: Path, *, proxies: str, takes_files: bool, in_place_of: Notice | None = None) -> None:
        self.root = root
        self._resolved = Path(os.path.realpath(root))
        self._folder = ModuleFolder.of_pool(self._resolved)
        self._takes_files = takes_files
        self._in_place_of = in_place_of
        self.metadata = PoolMetadata(self._resolved, proxies)

    @property
    def name(self) -> str:
        """Return its folder."""
        return f"directory pool {self.root}"

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        """Copy what the pool has. A file that it cannot deliver complete counts as missing.

        Raises OSError only for the folder: the module cache must accept files, but the pool need not have any.
        """
        if problem := self._root_problem():
            return Restored(self.name, warnings=(notice("store-unreadable", "root", store=self.name, words=problem),))
        started, slow = time.monotonic(), False
        intake = _Intake(self._folder, wanted.folder)
        unavailable = self.metadata.unavailable(wanted.files)
        sizes = {file: self._bytes_of(file) for file in wanted.files}
        held = frozenset(file for file, size in sizes.items() if size)
        announced(Restored(files=held, unavailable=unavailable - held))
        with recording(wanted.folder.path):
            # Large zips first, so that little is left to unpack at the end.
            for file in sorted(sizes, key=lambda file: (file.kind != "zip", -sizes[file])):
                slow = deadline.passed()
                if slow:
                    break
                if intake.take(file):
                    arrived(file)
        too_slow = (notice("store-slow", "pool-restore", store=self.name),) if slow else ()
        return Restored(
            store=self.name,
            files=frozenset(intake.files),
            bytes=intake.bytes,
            seconds=time.monotonic() - started,
            unavailable=unavailable,
            skipped_reason=None if intake.files else self._in_place_of,
            cold=self.metadata.baseline(intake.files),
            warnings=(*too_slow, *intake.warnings(self.name)),
        )

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        """Add what the pool lacks, replace what Go rejected. Raises StoreError if it accepts no files."""
        if not self._takes_files:
            return Saved(skipped_reason=notice("save-disabled"))
        size = count = 0
        try:
            self._resolved.mkdir(parents=True, exist_ok=True)
            removal.clear_way(self._resolved, f"{NOTES_FOLDER}/")
            for file in saving.rejected:
                self._remove(file)
            with recording(self._resolved):
                for file in saving.files:
                    if deadline.passed():
                        raise StoreError("store-slow", "pool-save", store=self.name)
                    if not self._holds_good(file):
                        removal.clear_way(self._resolved, self._folder.name_of(file))
                        size += _transfer(partial(_open, saving.folder.path_of(file)), self._folder, file)
                        count += 1
                    meter.done(file, saving.folder.size_if_there(file))
            self.metadata.note_unavailable(saving.unavailable)
            for run in (*([saving.cold] if saving.cold else []), *saving.runs):
                self.metadata.note_run(run)
        except (OSError, StructureError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise StoreError("store-unwritable", store=self.name, words=words) from None
        return Saved(files=count, bytes=size)

    def _root_problem(self) -> str:
        """Return why the pool cannot be looked into, in the system's words; empty if it can, or does not exist."""
        try:
            with nofollow.opened(self._resolved):
                return ""
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as error:
            return error.strerror or str(error)

    def _bytes_of(self, file: ModuleFile) -> int:
        """Return the bytes of a file; 0 if the pool lacks it or cannot be read."""
        with suppress(OSError), nofollow.parent(self._resolved, self._folder.name_of(file)) as (folder, name):
            found = folder.stat(name)
            return found.st_size if found else 0
        return 0

    def _holds_good(self, file: ModuleFile) -> bool:
        """Return whether the pool has this file, complete and not behind a link."""
        try:
            with nofollow.open_file(self._resolved, self._folder.name_of(file)) as content:
                return not structure_problem(file, content)
        except OSError:
            return False

    def _remove(self, file: ModuleFile) -> None:
        nothing_there = suppress(FileNotFoundError, NotADirectoryError)
        with nothing_there, nofollow.parent(self._resolved, self._folder.name_of(file)) as (folder, name):
            folder.unlink(name)


def is_ours(pool: Path) -> bool:
    """Return whether the pool holds only files of runs: only then may any be removed.

    An empty pool becomes one. A pool that accepts no files is not one: the save step reports that.
    """
    try:
        own(pool)
    except (InputError, DownloadError):
        return False
    return True


def keep_to(pool: Path, files: Collection[ModuleFile]) -> tuple[Notice, ...]:
    """Remove files and metadata that a run with exactly these files does not use. Return a warning if that failed."""
    try:
        remove_others(pool, files)
        _remove_other_toolchains(ModuleFolder.of_pool(pool), files)
        PoolMetadata(pool, proxies="").forget_others(files)
    except OSError as error:
        return (notice("pool-not-trimmed", pool=pool, words=error.strerror or str(error)),)
    return ()


def _remove_other_toolchains(pool: ModuleFolder, files: Collection[ModuleFile]) -> None:
    wanted = {pool.name_of(file) for file in files}
    folder = f"{TOOLCHAINS_FOLDER}/{TOOLCHAIN}/@v"
    with suppress(FileNotFoundError), nofollow.opened(pool.path, folder.split("/")) as here:
        for name in here.entries():
            if f"{folder}/{name}" not in wanted:
                here.unlink(name)


class _NoRoomError(Exception):
    """A file is larger than the space that is left for it."""


class _Intake:
    """The files that one restore takes from `pool` into `folder`, and why it skips others."""

    def __init__(self, pool: ModuleFolder, folder: ModuleFolder) -> None:
        self.files: set[ModuleFile] = set()
        self.bytes = 0
        self._pool = pool
        self._folder = folder
        self._room = free_bytes(folder.path) // 2  # with less, there would be no space to unpack the zips
        self._left_out = 0
        self._damaged: dict[ModuleFile, str] = {}
        self._unreadable: dict[ModuleFile, str] = {}

    def take(self, file: ModuleFile) -> bool:
        """Copy a file. Return False if the pool cannot deliver it complete. Raises OSError as the folder does."""
        room = self._room - self.bytes
        try:
            source = partial(nofollow.open_file, self._pool.path, self._pool.name_of(file))
            size = _transfer(source, self._folder, file, room)
        except (FileNotFoundError, InUseError):
            return False
        except _NoRoomError:
            self._left_out += 1
            return False
        except _UnreadableError as error:
            self._unreadable[file] = str(error)
            return False
        except StructureError as error:
            self._damaged[file] = str(error)
            return False
        mark_used_by_name(self._pool.path, self._pool.name_of(file))
        self.files.add(file)
        self.bytes += size
        return True

    def warnings(self, store: str) -> tuple[Notice, ...]:
        """Return warnings about skipped files."""
        no_room = (notice("store-no-room", "pool", store=store, count=self._left_out),) if self._left_out else ()
        return (*no_room, *unreadable(store, self._unreadable), *damage(store, self._damaged))


def _transfer(
    open_source: Callable[[], BinaryIO], folder: ModuleFolder, file: ModuleFile, room: int = sys.maxsize
) -> int:
    """Copy the file that `open_source` opens into `folder` under its name. Return its bytes.

    Raises FileNotFoundError if there is none, StructureError if it is not readable or cannot be `file`, _NoRoomError if
    it has more than `room` bytes, OSError as `folder` does.
    """
    with _opened(open_source) as source:
        if room < _size_of(source) <= MAX_BYTES[file.kind]:
            raise _NoRoomError
        return _copied(source, folder, file, min(MAX_BYTES[file.kind], room))


def _copied(source: BinaryIO, folder: ModuleFolder, file: ModuleFile, most: int) -> int:
    with received(folder, file) as out:
        try:
            size = file_copy.copy(source, out, most)
        except file_copy.TooLargeError as error:
            raise StructureError(str(error)) from None
        except file_copy.SourceError as error:
            raise _UnreadableError(str(error)) from None
        mark_used(source)
    return size


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _opened(open_source: Callable[[], BinaryIO]) -> BinaryIO:
    try:
        return open_source()
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _NOT_A_FILE:
            raise StructureError(f"it cannot be read ({error.strerror})") from None
        raise _UnreadableError(error.strerror) from None


def _size_of(source: BinaryIO) -> int:
    try:
        return os.fstat(source.fileno()).st_size
    except OSError as error:
        raise _UnreadableError(error.strerror) from None
