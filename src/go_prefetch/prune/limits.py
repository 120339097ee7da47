"""Keep a directory pool within limits, at the end of a run that used it.

A pool of 10,000 modules takes 1 to 3 s to list. So a run does that only if no other run did within ten minutes, and the
pool may be too large for so long. There is no lock: runs that trim at the same time choose the same items, and an item
that is gone is one that the pool lacks.

    .go-prefetch/trimmed    empty; its time is that of the last trim
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from go_prefetch.base import nofollow, removal
from go_prefetch.base.run_file import NOTES_FOLDER, write_whole
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.prune.pool import (
    PoolItem,
    choose_items,
    list_build_caches,
    list_modules,
    remove,
    remove_empty_folders,
)

_TRIMMED = "trimmed"
_EVERY = 600.0  # seconds


def keep_within(
    pool: Path, max_age: float | None, max_size: int | None, used: Collection[ModuleVersion], since: float
) -> list[PoolItem]:
    """Remove what is over the limits, in seconds and bytes, unless another run did lately. Return what is gone.

    What was used `since` a moment, in Unix seconds, stays, and so do the modules `used`: a run whose module cache has
    them does not touch them in the pool.

    Raises OSError as the pool does, and InputError if it is Go's own module cache.
    """
    if not pool.is_dir() or not _is_due(pool):
        return []
    removal.clear_way(pool, f"{NOTES_FOLDER}/{_TRIMMED}")
    write_whole(pool, f"{NOTES_FOLDER}/{_TRIMMED}", b"")
    titles = frozenset(map(str, used))
    items = [*list_modules(pool), *list_build_caches(pool)]
    chosen = choose_items(
        items, max_age, max_size, time.time(), stays=lambda one: one.used >= since or one.title in titles
    )
    removed = [one for one in chosen if remove(pool, one)]
    if removed:
        remove_empty_folders(pool)
    return removed


def _is_due(pool: Path) -> bool:
    with suppress(OSError), nofollow.opened(pool, (NOTES_FOLDER,)) as notes:
        last = notes.stat(_TRIMMED)
        return last is None or not 0 <= time.time() - last.st_mtime < _EVERY
    return True
