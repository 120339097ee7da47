"""Folders of one run's own in GOMODCACHE/cache, on the file system of the trees, that nobody else enters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from go_prefetch.base import temporary_folder
from go_prefetch.base.run_file import clear_dead_runs
from go_prefetch.golang.modcache import ModuleFolder

_PREFIX = "go-prefetch-"


@contextlib.contextmanager
def private_folder(gomodcache: Path) -> Iterator[Path]:
    """Make a folder, and remove it with all that is in it at the end of the block. Raises OSError."""
    cache = gomodcache / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        yield temporary_folder.made(cache, _PREFIX, closing)


def private_folders(gomodcache: Path) -> list[Path]:
    """Return the folders of all runs, dead ones too. A link is none, wherever it leads."""
    return [root for root in (gomodcache / "cache").glob(f"{_PREFIX}*") if not root.is_symlink()]


def clear_leftovers(gomodcache: Path) -> None:
    """Remove what dead runs have left: nobody holds their lock any more."""
    clear_dead_runs(ModuleFolder.of_cache(gomodcache).path)
    for root in private_folders(gomodcache):
        with contextlib.suppress(OSError):
            temporary_folder.remove_dead(root)
