"""The entries of the build cache as files of a pool: their names, and what their first line says.

    .go-prefetch/entries/<lineage><id>-<run>.<encoding>    a line `go-prefetch-entry-1 <key>`, and the archive
    .go-prefetch/entries/lock                              held while entries get their names and are removed

The name is the key without the ids of the entries below, because a name with all of them would be too long for most
file systems. Other users may write to the folder, so names and lines are untrusted.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import file_lock, nofollow
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.model.build_lineage import BuildEntryName, parse_build_key
from go_prefetch.stores import pool_metadata

ENTRIES = (NOTES_FOLDER, "entries")

_LOCK = "lock"
_LOCK_SECONDS = 5.0  # it is held while some hundred files are looked at
_FORMAT = b"go-prefetch-entry-1 "
_MOST_LINE_BYTES = 512
# A head that was saved less long ago is kept: a job that has restored it may be about to add to it.
YOUNG = 3600 * 10**9  # nanoseconds
_FORGOTTEN = 7 * 86400 * 10**9  # nanoseconds; another version of Go has another lineage, for example
HEADS = 2  # of a lineage: a job that has found the one before the newest may still be reading it


@dataclass(frozen=True)
class EntryFile:
    """An entry as it lies in a pool. Times are those of the file."""

    name: str
    stem: BuildEntryName  # the key without the ids of the entries below
    encoding: str
    bytes: int
    saved: int  # nanoseconds
    used: float  # Unix time


def file_name(entry: BuildEntryName, encoding: str) -> str:
    """Return the name of the file of an entry."""
    return f"{entry.lineage}{entry.ids[0]}-{entry.key.rpartition('-')[2]}.{encoding}"


def first_line(entry: BuildEntryName) -> bytes:
    """Return the line before the archive."""
    return b"%s%s\n" % (_FORMAT, entry.key.encode())


def read_first_line(file: BinaryIO, name: str) -> BuildEntryName | None:
    """Read the line before the archive; return None if it is not that of a file with this name. Raises OSError."""
    line = file.readline(_MOST_LINE_BYTES)
    if not (line.startswith(_FORMAT) and line.endswith(b"\n")):
        return None
    entry = parse_build_key(line[len(_FORMAT) : -1].decode(errors="replace"))
    return entry if entry and file_name(entry, name.rpartition(".")[2]) == name else None


def entry_files(folder: Folder) -> list[EntryFile]:
    """Return the entries in the open folder, the newest first. Links and other files do not count."""
    found = []
    for name in folder.entries():
        text, _, encoding = name.rpartition(".")
        stem = parse_build_key(text)
        status = folder.stat(name) if stem and len(stem.ids) == 1 else None
        if stem and status and stat.S_ISREG(status.st_mode):
            found.append(
                EntryFile(name, stem, encoding, status.st_size, status.st_mtime_ns, pool_metadata.last_use(status))
            )
    return sorted(found, key=lambda entry: (entry.saved, entry.name), reverse=True)


def entry_of(folder: Folder, name: str) -> BuildEntryName | None:
    """Return the key in a file of the open folder; None for one without. Raises OSError."""
    with folder.open(name) as file:
        return read_first_line(file, name)


@contextmanager
def opened_entries(root: Path) -> Iterator[Folder | None]:
    """Open the folder of the entries of a pool. Yield None if it has none, or a link in its place. Raises OSError."""
    with ExitStack() as closing:
        folder = None
        with suppress(FileNotFoundError, NotADirectoryError):
            folder = closing.enter_context(nofollow.opened(root, ENTRIES))
        yield folder


@contextmanager
def locked(folder: Folder) -> Iterator[bool]:
    """Hold the lock of the entries during the block. Yield whether it is held: some disks have no locks."""
    with ExitStack() as holding:
        is_held = False
        with suppress(OSError):
            lock = file_lock.held(folder.at(_LOCK), seconds=_LOCK_SECONDS, dir_fd=folder.descriptor)
            holding.enter_context(lock)
            is_held = True
        yield is_held


def forget_lineages(folder: Folder, found: Sequence[EntryFile], own: str) -> None:
    """Remove all entries of the lineages, except this one, to which a week has added none. `found` has all entries."""
    newest: dict[str, int] = {}
    for one in found:
        newest.setdefault(one.stem.lineage, one.saved)
    old = {lineage for lineage, saved in newest.items() if saved < time.time_ns() - _FORGOTTEN and lineage != own}
    _remove(folder, [one.name for one in found if one.stem.lineage in old])


def trim(folder: Folder, found: Sequence[EntryFile], *, is_shared: bool) -> None:
    """Remove those of the entries `found` that no later run will read. They are of one lineage, the newest first.

    The newest ones stay, and all entries below them. In a folder that jobs do not share at the same time, the newest
    one is enough. Call it with the lock.
    """
    now = time.time_ns()
    heads = 0
    kept: set[str] = set()
    needed: set[str] = set()
    for one in found:
        is_young = is_shared and now - YOUNG < one.saved <= now  # a later time is that of a wrong clock
        if heads >= (HEADS if is_shared else 1) and not is_young:
            continue
        try:
            entry = entry_of(folder, one.name)
        except OSError:  # it may be readable for others
            kept.add(one.name)
            continue
        if entry:
            heads += 1
            kept.add(one.name)
            needed.update(entry.ids)
    _remove(folder, [one.name for one in found if one.name not in kept and one.stem.ids[0] not in needed])


def _remove(folder: Folder, names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):  # it belongs to another user
            folder.unlink(name)


def set_newest(file: BinaryIO, found: Iterable[EntryFile]) -> None:
    """Give an open file the time of now, or one after those of `found`: the clock of another machine may be ahead."""
    if os.utime in os.supports_fd:
        now = time.time_ns()
        newest = max((one.saved for one in found), default=0)
        os.utime(file.fileno(), ns=(now, max(now, newest + 1)))
