"""A folder in GOPROXY layout that go-prefetch manages: it holds the files of a plan, and nothing else.

Its .gitignore makes git ignore everything in it. That mark also distinguishes it from any other folder.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from go_prefetch.base import nofollow, removal
from go_prefetch.base.run_file import NOTES_FOLDER, clear_dead_runs, write_whole
from go_prefetch.base.trees import free_bytes
from go_prefetch.errors import DownloadError, InputError
from go_prefetch.golang.modcache import ModuleFile

MARK = ".gitignore"
_OURS = b"# Kept by go-prefetch: what its plan does not name is removed.\n*\n"  # other projects may have a lone * too


def own(folder: Path) -> None:
    """Mark the folder as managed: it must be empty or filled before. Git ignores everything in it.

    Raises InputError for a folder with other contents, DownloadError if it is not writable.
    """
    mark = folder / MARK
    try:
        if folder.is_file():
            raise InputError("folder-not-ours", "file", folder=folder)
        if folder.exists() and any(folder.iterdir()) and not is_managed(folder):
            raise InputError("folder-not-ours", folder=folder)
        if not mark.is_file():
            write_whole(folder, MARK, _OURS)
        clear_dead_runs(folder)
    except OSError as error:
        raise folder_error(error, folder) from None


def is_managed(folder: Path) -> bool:
    """Return whether the folder has the mark."""
    mark = folder / MARK
    if not os.path.lexists(mark):
        return False
    found = mark.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size == len(_OURS) and mark.read_bytes() == _OURS


def remove_others(folder: Path, files: Iterable[ModuleFile]) -> int:
    """Remove everything except the regular files of `files`, the mark and a pool's metadata. Return the number removed.

    Symbolic links are removed too, also in place of a planned file or its folder, so that no write follows one. Raises
    OSError.
    """
    wanted = {file.name for file in files} | {MARK}
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
                    else removal.remove(folder, (*parts, name), most=sys.maxsize)
                )
            elif path not in wanted or not here.has_file(name):
                here.unlink(name)
                removed += 1
    for *above, name in filter(None, reversed(walked)):
        with nofollow.opened(folder, above) as here, suppress(OSError):  # it is not empty
            here.rmdir(name)
    return removed


def folder_error(error: OSError, folder: Path, needed: int = 0) -> DownloadError:
    """Return the error for a module cache (or folder to fill) that does not accept files.

    `needed` is about the number of bytes that are still to be written, if it is known.
    """
    where = place_of(error, folder)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = 0
        with suppress(OSError):
            free = free_bytes(folder)
        case = "needed" if needed else ""
        return DownloadError("disk-full", case, place=where, words=error.strerror, free=free, needed=needed)
    case = "read-only" if error.errno == errno.EROFS else ""
    return DownloadError("folder-unwritable", case, place=where, words=error.strerror)


def place_of(error: OSError, folder: Path) -> str:
    """Return the path that `error` is about.

    A full disk is reported without a file name, and a name relative to an open folder without its folder.
    """
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename or folder)
    return name if Path(name).is_absolute() else f"{name} in {folder}"
