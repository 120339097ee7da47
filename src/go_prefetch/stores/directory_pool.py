"""A folder in GOPROXY layout that many projects share: the default store.

It works as `GOPROXY=file://POOL,…` too. What is ours besides lies in `.go-prefetch/` (see pool_metadata.py).
Module files never change, so restoring takes the files a plan names and saving adds those the pool lacks.

Other users may write to a pool while a run works with it. So its root is resolved once and no link below is followed;
files are copied, never shared, since Go would not look again at a file that is changed after it was hashed; and what
is checked is the copy.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import file_copy, nofollow
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER, recording
from go_prefetch.base.trees import free_bytes
from go_prefetch.errors import DownloadError, InputError, Notice, StoreError, notice
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder
from go_prefetch.model.cold_runs import measured
from go_prefetch.model.ports import Arrived, Saving, Wanted
from go_prefetch.model.results import Restored, Saved
from go_prefetch.modfiles.damage import damage, unreadable
from go_prefetch.modfiles.managed_folder import own, remove_others
from go_prefetch.modfiles.staging import InUseError, StructureError, received, structure_problem
from go_prefetch.stores.pool_metadata import PoolMetadata


class _ForbiddenError(StructureError):
    """The file may be right: this user may not read it."""


class DirectoryPool:
    """The pool at `root`, which need not exist yet."""

    def __init__(self, root: Path, *, proxies: str, takes_files: bool) -> None:
        self.root = root
        self._resolved = Path(os.path.realpath(root))
        self._folder = ModuleFolder.at(self._resolved)
        self._takes_files = takes_files
        self._metadata = PoolMetadata(self._resolved, proxies)

    @property
    def name(self) -> str:
        """Its folder."""
        return f"directory pool {self.root}"

    def restore(self, wanted: Wanted, deadline: Deadline, arrived: Arrived) -> Restored:
        """Copy what the pool has. A file it cannot hand over whole is one it lacks.

        Raises OSError only for the folder: the module cache must take files, the pool need not give any.
        """
        started, slow = time.monotonic(), False
        intake = _Intake(self._resolved, wanted.folder)
        with recording(wanted.folder.path):
            for file in sorted(wanted.files, key=self._large_zips_first):
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
            unavailable=self._metadata.unavailable(wanted.files),
            cold=self._metadata.cold_runs(intake.files),
            warnings=(*too_slow, *intake.warnings(self.name)),
        )

    def save(self, saving: Saving, deadline: Deadline) -> Saved:
        """Add what the pool lacks, replace what Go rejected. Raises StoreError if it takes no files."""
        if not self._takes_files:
            return Saved(skipped_reason=notice("save-disabled"))
        started = time.monotonic()
        size = count = 0
        try:
            self._resolved.mkdir(parents=True, exist_ok=True)
            nofollow.clear_way(self._resolved, f"{NOTES_FOLDER}/")
            for file in saving.rejected:
                self._remove(file)
            with recording(self._resolved):
                for file in saving.files:
                    if deadline.passed():
                        raise StoreError("store-slow", "pool-save", store=self.name)
                    if self._holds_good(file):
                        continue
                    nofollow.clear_way(self._resolved, file.name)
                    size += _transfer(lambda name: (saving.folder.path / name).open("rb"), self._folder, file)
                    count += 1
            self._metadata.note_unavailable(saving.unavailable)
            if saving.cold_seconds is not None:
                self._metadata.note_run(measured(saving.cold_seconds, (file.name for file in saving.files)))
        except (OSError, StructureError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise StoreError("store-unwritable", store=self.name, words=words) from None
        return Saved(files=count, bytes=size, seconds=time.monotonic() - started)

    def _large_zips_first(self, file: ModuleFile) -> tuple[bool, int]:
        """What takes longest to unpack comes first, so that little is left to do after the last file."""
        with suppress(OSError), nofollow.parent(self._resolved, file.name) as (folder, name):
            found = folder.stat(name)
            return file.kind != "zip", -found.st_size if found else 0
        return True, 0

    def _holds_good(self, file: ModuleFile) -> bool:
        """Whether the pool has this file, whole and not behind a link."""
        try:
            with nofollow.open_file(self._resolved, file.name) as content:
                return not structure_problem(file, content)
        except OSError:
            return False

    def _remove(self, file: ModuleFile) -> None:
        nothing_there = suppress(FileNotFoundError, NotADirectoryError)
        with nothing_there, nofollow.parent(self._resolved, file.name) as (folder, name):
            folder.unlink(name)


def is_ours(pool: Path) -> bool:
    """Whether the pool holds nothing but what runs have put there: only then may anything be taken out.

    An empty one becomes ours. One that takes no files is not: what that means for the run is for the save step to tell.
    """
    try:
        own(pool)
    except (InputError, DownloadError):
        return False
    return True


def keep_to(pool: Path, files: Collection[ModuleFile]) -> tuple[Notice, ...]:
    """Take away files and notes that a run with just these files has no use for; a warning where that failed."""
    try:
        remove_others(pool, files)
        PoolMetadata(pool, proxies="").forget_others(files)
    except OSError as error:
        return (notice("pool-not-trimmed", pool=pool, words=error.strerror or str(error)),)
    return ()


class _NoRoomError(Exception):
    """A file is larger than the room that is left for it."""


class _Intake:
    """What one restore takes from the pool at `root` into `folder`, and why it leaves other files."""

    def __init__(self, root: Path, folder: ModuleFolder) -> None:
        self.files: set[ModuleFile] = set()
        self.bytes = 0
        self._root = root
        self._folder = folder
        self._room = free_bytes(folder.path) // 2  # with less left there would be no room to unpack the zips
        self._left_out = 0
        self._damaged: dict[ModuleFile, str] = {}
        self._forbidden: dict[ModuleFile, str] = {}

    def take(self, file: ModuleFile) -> bool:
        """Copy a file. False if the pool cannot hand it over whole. Raises OSError as the folder does."""
        room = self._room - self.bytes
        try:
            size = _transfer(lambda name: nofollow.open_file(self._root, name), self._folder, file, room)
        except (FileNotFoundError, InUseError):
            return False
        except _NoRoomError:
            self._left_out += 1
            return False
        except _ForbiddenError as error:
            self._forbidden[file] = str(error)
            return False
        except StructureError as error:
            self._damaged[file] = str(error)
            return False
        self.files.add(file)
        self.bytes += size
        return True

    def warnings(self, store: str) -> tuple[Notice, ...]:
        """What to say of the files that were left."""
        no_room = (notice("store-no-room", "pool", store=store, count=self._left_out),) if self._left_out else ()
        return (*no_room, *unreadable(store, self._forbidden), *damage(store, self._damaged))


def _transfer(
    open_source: Callable[[str], BinaryIO], folder: ModuleFolder, file: ModuleFile, room: int = sys.maxsize
) -> int:
    """Copy the file that `open_source` opens into `folder` under its name, and return its bytes.

    Raises FileNotFoundError if there is none, StructureError if it cannot be read or cannot be `file`, _NoRoomError if
    it has more than `room` bytes, OSError as `folder` does.
    """
    with _opened(open_source, file) as source:
        if room < os.fstat(source.fileno()).st_size <= MAX_BYTES[file.kind]:
            raise _NoRoomError
        return _copied(source, folder, file, min(MAX_BYTES[file.kind], room))


def _copied(source: BinaryIO, folder: ModuleFolder, file: ModuleFile, most: int) -> int:
    with received(folder, file) as out:
        try:
            size = file_copy.copy(source, out, most)
        except file_copy.SourceError as error:
            raise StructureError(str(error)) from None
        _mark_used(source)
    return size


def _opened(open_source: Callable[[str], BinaryIO], file: ModuleFile) -> BinaryIO:
    try:
        return open_source(file.name)
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise _ForbiddenError(error.strerror) from None
    except OSError as error:
        raise StructureError(f"it cannot be read ({error.strerror})") from None


def _mark_used(source: BinaryIO) -> None:
    """Note the time of use, by which `prune` judges: a clone is no read, and many disks note none."""
    found = os.fstat(source.fileno())
    if os.utime in os.supports_fd:
        with suppress(OSError):
            os.utime(source.fileno(), ns=(time.time_ns(), found.st_mtime_ns))
