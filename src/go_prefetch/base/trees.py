"""Folders with all that is in them: walked through and removed, without recursion and without following a link.

And the room for more of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from go_prefetch.base import nofollow


def free_bytes(folder: Path) -> int:
    """Bytes that are free on the disk of `folder`, which need not be there yet. Raises OSError."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(there).free


def walk(folder: Path, *, enter: Callable[[Path], bool] | None = None) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """Every folder from `folder` down, and what it holds; nothing of what cannot be read. Follows no link below.

    Folders that `enter` denies are left out. A folder comes before those in it.

    Not by recursion, as os.walk and shutil do it: a zip may nest folders deeper than Python nests calls.
    """
    pending = [os.fspath(folder)]
    while pending:
        here = pending.pop()
        entries: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(here) as found:
            entries += found
        yield Path(here), entries
        below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        pending += [path for path in below if enter is None or enter(Path(path))]


def remove_trees(folder: Path, *, ignore_errors: bool = False) -> None:
    """Remove `folder`; Go's trees in it are read-only, so their folders are made writable first.

    Follows no link, also where another user puts one in the place of a folder meanwhile. Raises OSError unless errors
    are ignored.
    """
    nofollow.remove(folder.parent, (folder.name,), most=sys.maxsize, ignore_errors=ignore_errors)
