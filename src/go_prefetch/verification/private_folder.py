"""Folders of one run that no other process enters: on the file system of the trees, or with temporary files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from go_prefetch.base import temporary_folder
from go_prefetch.base.run_file import clear_dead_runs
from go_prefetch.golang.modcache import ModuleFolder

_PREFIX = "go-prefetch-"
_IN_MEMORY = "/dev/shm"  # noqa: S108 - Linux; names in it are unpredictable


@contextlib.contextmanager
def private_folder(gomodcache: Path) -> Iterator[Path]:
    """Create a folder, and remove it with its contents at the end of the block. Raises OSError."""
    cache = gomodcache / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        yield temporary_folder.made(cache, _PREFIX, closing)


def private_folders(gomodcache: Path) -> list[Path]:
    """Return the folders of all runs, dead ones too. A link does not count, wherever it leads."""
    return [root for root in (gomodcache / "cache").glob(f"{_PREFIX}*") if not root.is_symlink()]


@contextlib.contextmanager
def temporary_root(*, tiny: bool = False) -> Iterator[Path]:
    """Create a folder for a small GOMODCACHE; remove it at the end: links in it, not their targets. Raises OSError.

    A `tiny` one, of links and a few bytes, is in memory if the system has a place for that. Creating a thousand files
    on a busy disk takes longer than Go takes to read their targets.
    """
    in_memory = tiny and os.access(_IN_MEMORY, os.W_OK)
    with temporary_folder.temporary_folder(Path(_IN_MEMORY) if in_memory else None) as folder:
        yield folder / "q"


def clear_leftovers(gomodcache: Path) -> None:
    """Remove what dead runs have left. No process holds their lock any more."""
    clear_dead_runs(ModuleFolder.of_cache(gomodcache).path)
    for root in private_folders(gomodcache):
        with contextlib.suppress(OSError):
            temporary_folder.remove_dead(root)
    temporary_folder.clear_temporary(Path(_IN_MEMORY))
