"""Delete a directory pool: everything that runs put there, and nothing if there is anything else.

Other runs may use the pool meanwhile: a file that is gone is one that the pool lacks. Other users may write to it
meanwhile: no link is followed, and only files that were listed are removed.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.base import nofollow
from go_prefetch.base.atomic_file import is_temporary
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.errors import InputError
from go_prefetch.golang.modcache import file_named
from go_prefetch.modfiles.managed_folder import MARK, is_managed


@dataclass(frozen=True)
class PoolContents:
    """What a pool holds: the names of its files, with slashes, and of its folders, each after the one above it."""

    names: tuple[str, ...] = ()
    folders: tuple[tuple[str, ...], ...] = ()
    bytes: int = 0


def contents_of(pool: Path) -> PoolContents:
    """Return the contents of a pool; none if there is no such folder.

    Raises InputError for a folder with anything else, OSError for one that cannot be read.
    """
    if not os.path.lexists(pool):
        return PoolContents()
    if not pool.is_dir():
        raise InputError("folder-not-found", "pool", pool=pool)
    os.scandir(pool).close()  # the walk takes what it may not read for empty
    names: list[str] = []
    folders: list[tuple[str, ...]] = []
    size = 0
    for parts, folder, entries in nofollow.walk(pool):
        folders += [parts] if parts else []
        for entry in entries:
            found, name = folder.stat(entry), "/".join((*parts, entry))
            if found is None or stat.S_ISDIR(found.st_mode):
                continue
            if parts[:1] != (NOTES_FOLDER,) and not _belongs(pool, name, found):
                raise InputError("folder-not-ours", "no-pool", pool=pool, name=name)
            names.append(name)
            size += found.st_size
    return PoolContents(tuple(names), tuple(folders), size)


def delete(pool: Path, contents: PoolContents) -> None:
    """Remove these files and folders, and the pool if it is empty then. Raises OSError if anything is left."""
    for name in contents.names:
        with suppress(FileNotFoundError, NotADirectoryError), nofollow.parent(pool, name) as (folder, last):
            folder.unlink(last)
    for *above, name in reversed(contents.folders):
        with suppress(OSError), nofollow.opened(pool, above) as folder:  # it is not empty
            folder.rmdir(name)
    with suppress(OSError):  # a link or a mount stays
        pool.rmdir()
    if pool.is_dir() and any(pool.iterdir()):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(pool))


def _belongs(pool: Path, name: str, found: os.stat_result) -> bool:
    """Return whether a run can have put this into a pool."""
    if not stat.S_ISREG(found.st_mode):
        return False
    if name == MARK:
        return is_managed(pool)
    return file_named(name) is not None or ("/@v/" in name and is_temporary(name))
