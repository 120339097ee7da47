"""A folder in GOPROXY layout that is ours alone: it holds what a plan names, and nothing else.

Git is to ignore all of it; that mark also tells ours from a folder with other people's things.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from go_prefetch.base import nofollow
from go_prefetch.base.run_file import NOTES_FOLDER, clear_dead_runs, write_whole
from go_prefetch.errors import DownloadError, InputError
from go_prefetch.golang.modcache import ModuleFile

_MARK = ".gitignore"
_OURS = b"# Kept by go-prefetch: what its plan does not name is removed.\n*\n"  # others have files with a lone * too


def own(folder: Path) -> None:
    """Make the folder ours: empty or filled before. Git is to ignore all of it.

    Raises InputError for a folder with other things in it, DownloadError where it cannot be written.
    """
    mark = folder / _MARK
    try:
        if folder.is_file():
            raise InputError("folder-not-ours", "file", folder=folder)
        if folder.exists() and any(folder.iterdir()) and not _is_ours(mark):
            raise InputError("folder-not-ours", folder=folder)
        if not mark.is_file():
            write_whole(folder, _MARK, _OURS)
        clear_dead_runs(folder)
    except OSError as error:
        raise folder_error(error, folder) from None


def _is_ours(mark: Path) -> bool:
    if not os.path.lexists(mark):
        return False
    found = mark.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size == len(_OURS) and mark.read_bytes() == _OURS


def remove_others(folder: Path, files: Iterable[ModuleFile]) -> int:
    """Take away all but the regular files of `files`, the mark and a pool's notes; return how many went.

    Symbolic links go too, also where a planned file or its folder should be: none is ever written through.
    Raises OSError.
    """
    wanted = {file.name for file in files} | {_MARK}
    folders = {name.rpartition("/")[0] for name in wanted}
    folders |= {name[:at] for name in folders for at, letter in enumerate(name) if letter == "/"}
    removed = 0
    walked = []
    for parts, here, names in nofollow.walk(folder, lambda parts: "/".join(parts) in folders):
        walked.append(parts)
        for name in names:
            path = "/".join((*parts, name))
            if here.has_folder(name):
                removed += (
                    0
                    if path in folders or path == NOTES_FOLDER
                    else nofollow.remove(folder, (*parts, name), most=sys.maxsize)
                )
            elif path not in wanted or not here.has_file(name):
                here.unlink(name)
                removed += 1
    for *above, name in filter(None, reversed(walked)):
        with nofollow.opened(folder, above) as here, suppress(OSError):  # it holds something
            here.rmdir(name)
    return removed


def folder_error(error: OSError, folder: Path) -> DownloadError:
    """The error for a module cache (or folder to fill) that does not take files."""
    where = place_of(error, folder)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError("disk-full", place=where, words=error.strerror)
    return DownloadError("folder-unwritable", place=where, words=error.strerror)


def place_of(error: OSError, folder: Path) -> str:
    """What `error` is about.

    A write that found no room names no file, and one by a name relative to an open folder names no folder.
    """
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename or folder)
    return name if Path(name).is_absolute() else f"{name} in {folder}"
