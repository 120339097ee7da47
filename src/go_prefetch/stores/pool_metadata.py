"""Metadata of a directory pool: the cost of cold runs, and files that no proxy has.

    .go-prefetch/runs/<digest of its files>.json          see cold_run_note.py; files by their names
    .go-prefetch/owed/<digest of its files>.json          {"files": [names]}, of files that a shared pool has not got
    .go-prefetch/unavailable/<digest of all below>.json   {"file": "…/@v/v1.0.0.mod", "asked": "https://…", "until": …}
    .go-prefetch/entries/                                 see entry_files.py

It is never required: invalid records are ignored. Other users may write it too, so it is untrusted.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from go_prefetch.base import nofollow, removal
from go_prefetch.base.run_file import NOTES_FOLDER, write_whole
from go_prefetch.base.untrusted_json import as_number, as_text, parse_object, required
from go_prefetch.golang.modcache import ModuleFile, file_named
from go_prefetch.model.cache_key import hexadecimal
from go_prefetch.model.cold_runs import Baseline, ColdRun, baseline
from go_prefetch.stores.cold_run_note import as_note, parse_note

_RUNS, _UNAVAILABLE, _OWED = "runs", "unavailable", "owed"

# A version may be published later, so the proxies are asked again after a day.
UNAVAILABLE_SECONDS = 24 * 3600.0
_MOST_NOTES = 500
# Bytes of a record, which takes many times as much memory.
_MOST_NOTE_BYTES = 4 << 20
_MOST_BYTES = 32 << 20  # of all together


def holds_until(until: float, now: float) -> bool:
    """Return whether a note that a file is missing holds now. One with a later end is that of a wrong clock."""
    return now < until <= now + UNAVAILABLE_SECONDS


class PoolMetadata:
    """The records of the pool at `root`; `proxies` is the list that records of missing files are about."""

    def __init__(self, root: Path, proxies: str) -> None:
        self._proxies = proxies
        self._root = root

    def note_run(self, run: ColdRun) -> None:
        """Record what a run measured. Raises OSError."""
        self._write(_RUNS, "\n".join(sorted(run.files)), as_note(run))
        self._forget_oldest(_RUNS)

    def baseline(self, restored: Iterable[ModuleFile]) -> Baseline | None:
        """Return what recorded runs tell about downloading these files; None if they measured none."""
        names = {file.name for file in restored}
        runs = (_run(note, names) for note in self._read_all(_RUNS))
        return baseline((run for run in runs if run), names)

    def forget_others(self, files: Iterable[ModuleFile]) -> None:
        """Remove records that a restore of exactly these files does not use. Raises OSError."""
        names = {file.name for file in files}
        for kind in (_RUNS, _UNAVAILABLE, _OWED):
            for name in self._names(kind):
                note = self._read(kind, name, _MOST_NOTE_BYTES)[1] or {}
                about = note.get("files", [note.get("file")])
                if not (isinstance(about, list) and any(isinstance(one, str) and one in names for one in about)):
                    with nofollow.opened(self._root, (NOTES_FOLDER, kind)) as folder:
                        folder.unlink(name)

    def note_unavailable(self, files: Iterable[ModuleFile]) -> None:
        """Record files for which every proxy of the list answered 404 or 410. Raises OSError."""
        for file in files:
            note = {"file": file.name, "asked": self._proxies, "until": time.time() + UNAVAILABLE_SECONDS}
            self._write(_UNAVAILABLE, f"{file.name} {self._proxies}", note)

    def unavailable(self, files: Iterable[ModuleFile]) -> frozenset[ModuleFile]:
        """Return those of `files` that are recorded as missing from every proxy of the list."""
        now = time.time()
        gone = {
            str(note.get("file"))
            for note in self._read_all(_UNAVAILABLE)
            if note.get("asked") == self._proxies
            and as_number(note.get("until"), now, now + UNAVAILABLE_SECONDS) is not None
        }
        return frozenset(file for file in files if file.name in gone)

    def note_owed(self, files: Iterable[ModuleFile]) -> None:
        """Record files that a shared pool behind this one could not be given. Raises OSError."""
        if names := sorted(file.name for file in files):
            self._write(_OWED, "\n".join(names), {"files": names})
            self._forget_oldest(_OWED)

    def owed(self, files: Iterable[ModuleFile]) -> frozenset[ModuleFile]:
        """Return those of `files` that are recorded as owed."""
        names = {name for note in self._read_all(_OWED) for name in _names_in(note)}
        return frozenset(file for file in files if file.name in names)

    def settle(self, files: Iterable[ModuleFile]) -> None:
        """Record that these files are no longer owed. Raises OSError."""
        given = {file.name for file in files}
        for name in self._names(_OWED):
            owed = _names_in(self._read(_OWED, name, _MOST_NOTE_BYTES)[1] or {})
            if not owed or given.intersection(owed):
                with nofollow.opened(self._root, (NOTES_FOLDER, _OWED)) as folder:
                    folder.unlink(name)
                self.note_owed(file for each in owed - given if (file := file_named(each)))

    def _forget_oldest(self, kind: str) -> None:
        """Remove the oldest records above a limit. Raises OSError."""
        with nofollow.opened(self._root, (NOTES_FOLDER, kind)) as folder:
            times = {name: found.st_mtime for name in folder.entries() if (found := folder.stat(name))}
            for name in sorted(times, key=lambda name: times[name])[:-_MOST_NOTES]:
                folder.unlink(name)

    def _write(self, kind: str, identity: str, note: dict[str, Any]) -> None:
        name = f"{NOTES_FOLDER}/{kind}/{hexadecimal(identity)[:32]}.json"
        removal.clear_way(self._root, name)
        write_whole(self._root, name, json.dumps(note).encode())

    def _names(self, kind: str) -> list[str]:
        """Return the records of one kind. A link to them counts as none, because it leads to files of another user."""
        with suppress(OSError), nofollow.opened(self._root, (NOTES_FOLDER, kind)) as folder:
            return [name for name in folder.entries() if name.endswith(".json")]
        return []

    def _read_all(self, kind: str) -> Iterator[dict[str, Any]]:
        left = _MOST_BYTES
        for name in self._names(kind)[:_MOST_NOTES]:
            size, note = self._read(kind, name, min(left, _MOST_NOTE_BYTES))
            left -= size
            if note is not None:
                yield note

    def _read(self, kind: str, name: str, most_bytes: int) -> tuple[int, dict[str, Any] | None]:
        """Return the number of bytes read, and the record in them, if they are one."""
        try:
            with nofollow.open_file(self._root, f"{NOTES_FOLDER}/{kind}/{name}") as file:
                size = os.fstat(file.fileno()).st_size
                note = parse_object(file.read(most_bytes)) if size <= most_bytes else None
        except OSError:
            return 0, None
        return min(size, most_bytes), note


def _names_in(note: dict[str, Any]) -> frozenset[str]:
    files = note.get("files")
    return frozenset(name for name in files if isinstance(name, str)) if isinstance(files, list) else frozenset()


def _run(note: dict[str, Any], names: Collection[str]) -> ColdRun | None:
    """Return what a recorded run measured of these files, or None if it is invalid. Other files would take memory."""
    try:
        run = parse_note(note, lambda file: required(as_text(file)))
    except ValueError:
        return None
    return run.only(names) if run else None


def mark_used(file: BinaryIO) -> None:
    """Record the time of use of a pool's file for `prune`: a clone is not a read, and many disks record no reads."""
    if os.utime in os.supports_fd:
        with suppress(OSError):
            os.utime(file.fileno(), ns=(time.time_ns(), os.fstat(file.fileno()).st_mtime_ns))


def mark_used_by_name(root: Path, name: str) -> None:
    """Do the same where a system sets no times of open files, such as Windows. `name` is relative to the pool."""
    if os.utime not in os.supports_fd:
        with suppress(OSError), nofollow.parent(root, name) as (folder, last):
            if found := folder.stat(last):
                folder.set_times(last, time.time_ns(), found.st_mtime_ns)


def last_use(found: os.stat_result) -> float:
    """Return when a pool's file was last used. A restore sets the atime; for another user's file, only the disk may."""
    return max(found.st_atime, found.st_mtime, found.st_ctime)
