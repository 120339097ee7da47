"""Files that appear complete or not at all: written under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import nofollow
from go_prefetch.base.nofollow import Folder

# This process's own streams by name. A new open of a file would write it from its beginning.
_STREAM = re.compile(r"/(?:proc/self|dev)/fd/([0-9]{1,9})|/dev/(stdout|stderr)")

_TEMPORARY = re.compile(rf"[0-9]{{{nofollow.DIGITS}}}\.tmp$")

_in_progress: dict[Path, int] = {}  # to the thread that writes it


@contextmanager
def new_file(
    root: Path,
    name: str,
    *,
    record: Callable[[str], None] = lambda _: None,
    before_rename: Callable[[Folder, BinaryIO], None] = lambda *_: None,
) -> Iterator[BinaryIO]:
    """Create an empty file to write and read. At the end it becomes `name` (with slashes) below `root`, or is removed.

    Its temporary name has unpredictable digits and Go's own form, `NAME<digits>.tmp`. Go removes such a file if a
    killed process left it. `record` is called with that name, relative to `root`, before the file is created.
    `before_rename` is called with the folder and the complete file, and may raise.

    Follows no link below `root` and never writes to an existing file. Raises OSError.
    """
    temporary = f"{name}{nofollow.random_digits()}.tmp"
    with nofollow.parent(root, temporary, create=True) as (folder, temporary_name):
        record(temporary)
        with unfinished(folder.path / temporary_name):
            try:
                with folder.create(temporary_name) as file:
                    yield file
                    file.flush()
                    before_rename(folder, file)
                folder.rename(temporary_name, name.rpartition("/")[2])
            except BaseException:
                with suppress(OSError):
                    folder.unlink(temporary_name)
                raise


@contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Let `remove_unfinished` remove the file `path` during the block."""
    _in_progress[path] = threading.get_ident()
    try:
        yield
    finally:
        _in_progress.pop(path, None)


def write_whole(final: Path, data: bytes) -> None:
    """Write `data` to `final`, completely or not at all. Raises OSError."""
    with new_file(final.parent, final.name) as file:
        file.write(data)


def write_named(final: Path, data: bytes) -> None:
    """Write `data` to a path that a user has named. Replace a file atomically; write to a device, pipe or stream."""
    stream = _STREAM.fullmatch(os.fspath(final))
    if stream or _takes_bytes_as_they_come(final):
        with open(os.dup(_number(stream)) if stream else final, "wb") as out:  # noqa: PTH123 - a number has no Path
            out.write(data)
    else:
        write_whole(final, data)


def check_named(final: Path) -> None:
    """Raise OSError if `write_named` cannot write to this path. Writes nothing."""
    if _STREAM.fullmatch(os.fspath(final)) or _takes_bytes_as_they_come(final):
        return
    if final.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(final))
    folder = next(parent for parent in final.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _number(stream: re.Match[str]) -> int:
    return int(stream[1] or {"stdout": 1, "stderr": 2}[stream[2]])


def _takes_bytes_as_they_come(final: Path) -> bool:
    try:
        return not stat.S_ISREG(final.stat().st_mode) and not final.is_dir()
    except OSError:
        return False


def is_temporary(name: str) -> bool:
    """Return whether `new_file` can have created a file of this name."""
    return _TEMPORARY.search(name) is not None


def remove_unfinished(threads: Collection[int | None] | None = None) -> bool:
    """Remove unfinished files of threads that will never end: of these, or of all right before the program ends.

    Return whether none of them is left: Windows removes no file that a thread has open.
    """
    is_clear = True
    for path, thread in list(_in_progress.items()):
        if threads is None or thread in threads:
            try:
                path.unlink(missing_ok=True)
            except OSError:
                is_clear = False
    return is_clear
