"""Files that appear whole or not at all: written under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import nofollow
from go_prefetch.base.nofollow import Folder

# Our own streams by name: opened anew, one that is a file would be written from its beginning.
_STREAM = re.compile(r"/(?:proc/self|dev)/fd/([0-9]{1,9})|/dev/(stdout|stderr)")

_TEMPORARY = re.compile(rf"[0-9]{{{nofollow.DIGITS}}}\.tmp$")

_in_progress: set[Path] = set()


@contextmanager
def new_file(
    root: Path,
    name: str,
    *,
    record: Callable[[str], None] = lambda _: None,
    before_rename: Callable[[Folder, BinaryIO], None] = lambda *_: None,
) -> Iterator[BinaryIO]:
    """An empty file to write and read; on leaving it becomes `name` (with slashes) below `root`, or is removed.

    Its temporary name has unpredictable digits and the form of Go's own, `NAME<digits>.tmp`, which Go removes when a
    killed process left one behind. `record` is called with it, relative to `root`, before the file is made;
    `before_rename` with the folder and the whole file, and may raise.

    Follows no link below `root` and never writes to a file that is there already. Raises OSError.
    """
    temporary = f"{name}{nofollow.random_digits()}.tmp"
    with nofollow.parent(root, temporary, create=True) as (folder, temporary_name):
        record(temporary)
        path = folder.path / temporary_name
        _in_progress.add(path)
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
        finally:
            _in_progress.discard(path)


def write_whole(final: Path, data: bytes) -> None:
    """Write `data` to `final`, whole or not at all. Raises OSError."""
    with new_file(final.parent, final.name) as file:
        file.write(data)


def write_named(final: Path, data: bytes) -> None:
    """Write `data` to what a person named: a file whole or not at all; a device, pipe or stream is never replaced."""
    stream = _STREAM.fullmatch(os.fspath(final))
    if stream or _takes_bytes_as_they_come(final):
        with open(os.dup(_number(stream)) if stream else final, "wb") as out:  # noqa: PTH123 - a number has no Path
            out.write(data)
    else:
        write_whole(final, data)


def _number(stream: re.Match[str]) -> int:
    return int(stream[1] or {"stdout": 1, "stderr": 2}[stream[2]])


def _takes_bytes_as_they_come(final: Path) -> bool:
    try:
        return not stat.S_ISREG(final.stat().st_mode) and not final.is_dir()
    except OSError:
        return False


def is_temporary(name: str) -> bool:
    """Whether a file of this name can be one that `new_file` has begun."""
    return _TEMPORARY.search(name) is not None


def remove_unfinished() -> None:
    """Remove what threads that will never end have begun: for a program that is about to end."""
    for path in list(_in_progress):
        with suppress(OSError):
            path.unlink(missing_ok=True)
