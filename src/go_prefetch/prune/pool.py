"""Trim a directory pool: remove the modules and build caches that were not used for longest.

Other runs may use the pool meanwhile. A file that is gone is one that the pool lacks, and what was used since it was
listed stays. Other users may write to the pool meanwhile: no link is followed, even if it replaces a folder.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from go_prefetch.base import nofollow
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.errors import InputError
from go_prefetch.golang.modcache import file_in_pool
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.stores import pool_metadata
from go_prefetch.stores.entry_files import ENTRIES, EntryFile, entry_files, opened_entries

_SETTLED = 86400.0  # seconds; a folder that was empty for less may be about to be filled


class ItemKind(Enum):
    """What an item is. The values are for people."""

    MODULE = "module"
    BUILD_CACHE = "build cache"  # the entries of one lineage
    BUNDLE = "bundle"  # what a bucket has for a cache key, in addition to the modules


@dataclass(frozen=True)
class PoolItem:
    """What is removed as a whole."""

    title: str
    names: tuple[str, ...]  # of its files, relative to the pool; on a disk, all in one folder
    bytes: int
    used: float  # Unix time: when one of its files was last read or written; in a bucket, only written
    kind: ItemKind = ItemKind.MODULE


def list_build_caches(pool: Path) -> list[PoolItem]:
    """Return the build caches in the pool. Raises OSError."""
    groups: dict[str, list[EntryFile]] = {}
    with opened_entries(pool) as folder:
        for entry in entry_files(folder) if folder else []:
            groups.setdefault(entry.stem.lineage, []).append(entry)
    return [
        PoolItem(
            title=lineage.rstrip("-"),
            names=tuple("/".join((*ENTRIES, one.name)) for one in entries),
            bytes=sum(one.bytes for one in entries),
            used=max(one.used for one in entries),
            kind=ItemKind.BUILD_CACHE,
        )
        for lineage, entries in groups.items()
    ]


def list_modules(pool: Path) -> list[PoolItem]:
    """Return the module versions in the pool. Raises InputError for a folder that is no pool."""
    if not pool.is_dir():
        raise InputError("folder-not-found", "pool", pool=pool)
    os.scandir(pool).close()  # the walk takes what it may not read for empty
    groups: dict[ModuleVersion, list[tuple[str, os.stat_result]]] = {}
    for parts, folder, names in nofollow.walk(pool):
        if parts[-1:] != ("@v",):
            continue
        if any(name.endswith((".ziphash", ".lock")) for name in names):
            raise InputError("folder-not-ours", "module-cache", pool=pool)
        for name in names:
            whole = "/".join((*parts, name))
            file, found = file_in_pool(whole), _regular(folder, name)
            if file and found:
                groups.setdefault(file.module, []).append((whole, found))
    return [_module(version, files) for version, files in groups.items()]


def choose_items(
    items: Sequence[PoolItem],
    max_age: float | None,
    max_size: int | None,
    now: float,
    stays: Callable[[PoolItem], bool] = lambda _: False,
) -> list[PoolItem]:
    """Return those older than `max_age` seconds, then the longest unused, until `max_size` bytes are left at most.

    An item that `stays` is not chosen.
    """
    by_use = sorted((one for one in items if not stays(one)), key=lambda one: (one.used, one.title))
    chosen = [one for one in by_use if max_age is not None and one.used < now - max_age]
    left = sum(one.bytes for one in items) - sum(one.bytes for one in chosen)
    for one in by_use[len(chosen) :]:
        if max_size is None or left <= max_size:
            break
        chosen.append(one)
        left -= one.bytes
    return chosen


def remove(pool: Path, item: PoolItem) -> bool:
    """Remove an item, a module's zip first. Return False if it was used since it was listed, and stays."""
    try:
        with nofollow.opened(pool, item.names[0].split("/")[:-1]) as folder:
            names = sorted((name.rpartition("/")[2] for name in item.names), key=lambda name: not name.endswith(".zip"))
            times = [pool_metadata.last_use(found) for found in (_regular(folder, name) for name in names) if found]
            if any(used > item.used for used in times):
                return False
            for name in names:
                folder.unlink(name)
    except (FileNotFoundError, NotADirectoryError):
        pass  # it is gone
    return True


def remove_empty_folders(pool: Path, now: float | None = None) -> int:
    """Remove folders that have been empty for a day. A younger one may be about to be filled."""
    removed = 0
    empty = [parts for parts, _, names in nofollow.walk(pool) if parts and not names and NOTES_FOLDER not in parts[:1]]
    for *above, name in empty:
        with suppress(OSError), nofollow.opened(pool, above) as folder:
            found = folder.stat(name)
            if found and found.st_mtime < (now or time.time()) - _SETTLED:
                folder.rmdir(name)
                removed += 1
    return removed


def _regular(folder: Folder, name: str) -> os.stat_result | None:
    found = folder.stat(name)
    return found if found and stat.S_ISREG(found.st_mode) else None


def _module(version: ModuleVersion, files: Sequence[tuple[str, os.stat_result]]) -> PoolItem:
    return PoolItem(
        title=str(version),
        names=tuple(name for name, _ in files),
        bytes=sum(found.st_size for _, found in files),
        used=max(pool_metadata.last_use(found) for _, found in files),
    )
