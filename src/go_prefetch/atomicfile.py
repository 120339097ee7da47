"""Files that appear whole or not at all: written beside their final place, then renamed."""

from __future__ import annotations

import itertools
import os
import random
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Digits that every temporary name of this process has, more than Go's own names have: its leftovers can be told apart.
RUN = f"{os.getpid()}{random.randrange(10**9):09d}"  # noqa: S311 - a name

# Our own streams by name: opened anew, one that is a file would be written from its beginning.
_STREAM = re.compile(r"/(?:proc/self|dev)/fd/([0-9]{1,9})|/dev/(stdout|stderr)")

_numbers = itertools.count()
_under_way: set[Path] = set()


@contextmanager
def written_beside(final: Path) -> Iterator[Path]:
    """A path beside `final` to write to; renamed to `final` on leaving, removed if an error ended the block.

    The temporary name has the form Go gives its own, `NAME<digits>.tmp`, which Go clears away when a killed
    process left one behind. Raises OSError as the file system does.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(f"{final.name}{RUN}{next(_numbers):06d}.tmp")
    _under_way.add(beside)
    try:
        yield beside
        beside.replace(final)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    finally:
        _under_way.discard(beside)


def write_whole(final: Path, data: bytes) -> None:
    """Write `data` to `final`, whole or not at all."""
    with written_beside(final) as beside:
        beside.write_bytes(data)


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


def is_leftover(name: str, run: str) -> bool:
    """Whether the process whose RUN is `run` gave this temporary name to a file, which is nobody's once it is dead."""
    return re.search(rf"{run}[0-9]{{6}}\.tmp$", name) is not None


def remove_unfinished() -> None:
    """Remove what threads that will never end have begun: for a program that is about to end."""
    for path in list(_under_way):
        with suppress(OSError):
            path.unlink(missing_ok=True)
