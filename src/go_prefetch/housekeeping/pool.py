"""Trim a directory pool: the modules that were not used for longest go first.

Other runs may use the pool meanwhile: a file that is gone is one the pool lacks; what was used since we looked stays.
A hard link from a pool into a module cache is one file with two names: taking away ours leaves the other.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.errors import InputError
from go_prefetch.modcache import NOTES_FOLDER, file_named, walk
from go_prefetch.module import ModuleVersion

_SETTLED = 86400.0  # seconds; a folder that was empty for less may be about to be filled


@dataclass(frozen=True)
class Held:
    """A module version as it lies in a pool."""

    version: ModuleVersion
    paths: tuple[Path, ...]
    bytes: int
    shared_bytes: int  # of files with other names too, which go on taking room
    used: float  # Unix time: when one of its files was last read, linked or written


def held(pool: Path) -> list[Held]:
    """Every module version in the pool. Raises InputError for a folder that is no pool."""
    groups: dict[ModuleVersion, list[tuple[Path, os.stat_result]]] = {}
    for path in _files(pool):
        file = file_named(path.relative_to(pool).as_posix())
        found = _regular(path) if file else None
        if file and found:
            groups.setdefault(file.module, []).append((path, found))
    return [_held(version, files) for version, files in groups.items()]


def to_trim(modules: Sequence[Held], max_age: float | None, max_size: int | None, now: float) -> list[Held]:
    """Those older than `max_age` seconds; then the longest unused, until no more than `max_size` bytes are left."""
    by_use = sorted(modules, key=lambda one: (one.used, one.version))
    chosen = [one for one in by_use if max_age is not None and one.used < now - max_age]
    left = sum(one.bytes for one in by_use) - sum(one.bytes for one in chosen)
    for one in by_use[len(chosen) :]:
        if max_size is None or left <= max_size:
            break
        chosen.append(one)
        left -= one.bytes
    return chosen


def remove(module: Held) -> bool:
    """Take a module out of its pool; false if it was used since, and stays. The zip goes first: no use without it."""
    for path in module.paths:
        found = _regular(path)
        if found and _used(found) > module.used:
            return False
    for path in sorted(module.paths, key=lambda path: path.suffix != ".zip"):
        path.unlink(missing_ok=True)
    return True


def remove_empty_folders(pool: Path, now: float | None = None) -> int:
    """Folders that have been empty for a day: a run that is about to fill one has made it just now."""
    removed = 0
    for path, entries in reversed(list(walk(pool, enter=_is_not_notes))):
        if path == pool or entries:
            continue
        try:
            if path.stat().st_mtime < (now or time.time()) - _SETTLED:
                path.rmdir()
                removed += 1
        except OSError:
            continue
    return removed


def _files(pool: Path) -> Iterator[Path]:
    """Files of version folders; follows no link. Raises InputError."""
    if not pool.is_dir():
        raise InputError("folder-not-found", f"pool: {pool} is no folder", hint="Name the folder of a directory pool.")
    for folder, entries in walk(pool, enter=_is_not_notes):
        if not folder.name.endswith("@v"):
            continue
        files = [Path(entry.path) for entry in entries if not entry.is_dir()]
        if any(path.suffix in (".ziphash", ".lock") for path in files):
            raise InputError(
                "folder-not-ours",
                f"pool: {pool} is Go's own module cache",
                hint="Name a directory pool (that of `store: dir:PATH`). `go clean -modcache` empties a module cache.",
            )
        yield from files


def _is_not_notes(folder: Path) -> bool:
    return folder.name != NOTES_FOLDER


def _regular(path: Path) -> os.stat_result | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _held(version: ModuleVersion, files: Sequence[tuple[Path, os.stat_result]]) -> Held:
    return Held(
        version=version,
        paths=tuple(path for path, _ in files),
        bytes=sum(found.st_size for _, found in files),
        shared_bytes=sum(found.st_size for _, found in files if found.st_nlink > 1),
        used=max(_used(found) for _, found in files),
    )


def _used(found: os.stat_result) -> float:
    """A restore by hard link changes the inode (ctime), one by copy reads it (atime, where the disk notes it)."""
    return max(found.st_atime, found.st_mtime, found.st_ctime)
