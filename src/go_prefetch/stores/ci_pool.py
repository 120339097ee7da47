"""A pool that the CI system's own cache takes along: all of it travels each time, so it is kept to the plan."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from go_prefetch.errors import DownloadError, InputError, Notice, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.modfiles.managed_folder import own, remove_others
from go_prefetch.stores.pool_metadata import Ledger


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
        Ledger(pool, asked="").forget_others(files)
    except OSError as error:
        return (notice("pool-not-trimmed", pool=pool, words=error.strerror or str(error)),)
    return ()
