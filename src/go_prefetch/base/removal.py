"""Remove what is in the way below a root, and folders of any depth, without following a link.

Other users may change what is being removed at any moment; see nofollow.py.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from go_prefetch.base import nofollow
from go_prefetch.base.nofollow import Folder


def clear_way(root: Path, name: str) -> None:
    """Remove what prevents a regular file at `name`: links and files in place of folders, and a folder or link with
    its own name. `name` with a slash at its end is that of a folder.

    Raises OSError.
    """
    *parts, last = name.split("/")
    for depth, part in enumerate(parts):
        with nofollow.opened(root, parts[:depth]) as folder:
            if not folder.has_folder(part) and not _unlinked(folder, part):
                return
    if not last:
        return
    with nofollow.opened(root, parts) as folder:
        if folder.has_folder(last):
            remove(root, (*parts, last))
        elif not folder.has_file(last):
            folder.unlink(last)


def _unlinked(folder: Folder, part: str) -> bool:
    """Remove what is not a folder. Return whether another program has made it one meanwhile. Raises OSError."""
    try:
        folder.unlink(part)
    except OSError:  # systems have different errors for a folder
        if folder.has_folder(part):
            return True
        raise
    return False


def remove(root: Path, parts: Sequence[str], *, most: int = nofollow.MOST_ENTRIES, ignore_errors: bool = False) -> int:
    """Remove the folder that `parts` lead to from `root`, with its contents. Return the number of removed files.

    Read-only folders are made writable first. Raises OSError unless errors are ignored, with EFBIG for more than `most`
    entries.
    """
    *above, name = parts
    ignored = (OSError,) if ignore_errors else ()
    removal = _Removal(most, ignored)
    with suppress(*ignored), nofollow.opened(root, above) as parent:
        with contextlib.closing(parent.entered(name)) as top:
            removal.clear(top)
        parent.rmdir(name)
    return removal.files


class _Removal:
    """Removes the contents of a folder. Deeper folders are moved to its top, so that depth costs no more."""

    def __init__(self, most: int, ignored: tuple[type[OSError], ...]) -> None:
        self.files = 0
        self._entries_left = most
        self._ignored = ignored

    def clear(self, top: Folder) -> None:
        """Remove everything in `top`."""
        for names in self._without_files(top):
            pending = [*names]
            while pending:
                name = pending.pop()
                with suppress(*self._ignored):
                    with contextlib.closing(top.entered(name)) as here:
                        for folders in self._without_files(here):
                            pending += filter(None, (self._brought_up(folder, here, top) for folder in folders))
                    top.rmdir(name)

    def _without_files(self, here: Folder) -> Iterator[list[str]]:
        """Remove the files of a folder. Yield the names of its folders, for some entries at a time."""
        with suppress(OSError):  # it may belong to another user: remove what can be removed
            here.make_writable()
        last: tuple[list[str], list[str]] = ([], [])
        while (found := here.contents()) != last:
            last = found
            folders, others = found
            self._entries_left -= len(folders) + len(others)
            if self._entries_left < 0:
                raise OSError(errno.EFBIG, "it holds too much to be removed", str(here.path))
            for name in others:
                with suppress(*self._ignored):
                    here.unlink(name)
                    self.files += 1
            yield folders
            if len(folders) + len(others) < nofollow.MOST_ENTRIES:
                return

    def _brought_up(self, name: str, here: Folder, top: Folder) -> str:
        """Move a folder to `top`. Return its new name, or the empty string if that failed."""
        brought = f"{nofollow.random_digits()}.tmp"
        with suppress(*self._ignored):
            try:
                here.move(name, top, brought)
            except PermissionError:  # a read-only folder cannot be moved
                with contextlib.closing(here.entered(name)) as below:
                    below.make_writable()
                here.move(name, top, brought)
            return brought
        return ""
