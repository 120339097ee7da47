"""Folders with all that is in them: walked through and removed, without recursion and without following a link.

And the room for more of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from go_prefetch.base import nofollow
from go_prefetch.base.nofollow import Folder


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
    ignored = (OSError,) if ignore_errors else ()
    with contextlib.suppress(*ignored), nofollow.opened(folder.parent) as above:
        with contextlib.closing(above.entered(folder.name)) as top:
            pending = _emptied(top, top, ignored)
            while pending:
                name = pending.pop()
                with contextlib.suppress(*ignored):
                    with contextlib.closing(top.entered(name)) as here:
                        pending += _emptied(here, top, ignored)
                    top.rmdir(name)
        above.rmdir(folder.name)


def _emptied(here: Folder, top: Folder, ignored: tuple[type[OSError], ...]) -> list[str]:
    """Remove the files of a folder, bring its folders up to `top`, so that no depth costs more; return their names."""
    with contextlib.suppress(OSError):  # another user's, perhaps: what can be removed all the same, is
        here.make_writable()
    folders, others = here.contents()
    for name in others:
        with contextlib.suppress(*ignored):
            here.unlink(name)
    return (
        folders if here is top else [brought for name in folders if (brought := _brought_up(name, here, top, ignored))]
    )


def _brought_up(name: str, here: Folder, top: Folder, ignored: tuple[type[OSError], ...]) -> str:
    brought = f"{nofollow.random_digits()}.tmp"
    with contextlib.suppress(*ignored):
        try:
            here.move(name, top, brought)
        except PermissionError:  # a read-only folder cannot be moved elsewhere
            with contextlib.closing(here.entered(name)) as below:
                below.make_writable()
            here.move(name, top, brought)
        return brought
    return ""
