"""Folder trees: walk and remove them without recursion and without following links. Free disk space."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from go_prefetch.base import removal
from go_prefetch.base.nofollow import is_folder
from go_prefetch.base.windows_names import extended


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk of `folder`, which need not exist yet. Raises OSError."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(there).free


def walk(folder: Path, *, enter: Callable[[Path], bool] | None = None) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """Yield every folder from `folder` down, and its entries; skip what is not readable. Follows no link below.

    Folders that `enter` rejects are left out. A folder comes before those in it.

    Not recursive, unlike os.walk and shutil: a zip may nest folders deeper than Python nests calls.
    """
    pending = [os.fspath(folder)]
    while pending:
        here = pending.pop()
        entries: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(extended(here)) as found:
            entries += found
        yield Path(here), entries
        below = [entry.path for entry in entries if is_folder(entry)]
        pending += [path for path in below if enter is None or enter(Path(path))]


def remove_trees(folder: Path, *, ignore_errors: bool = False) -> None:
    """Remove `folder`. Go's trees in it are read-only, so their folders are made writable first.

    Follows no link, even if another user replaces a folder by one in the meantime. Raises OSError unless errors are
    ignored.
    """
    removal.remove(folder.parent, (folder.name,), most=sys.maxsize, ignore_errors=ignore_errors)
