"""Folders of one run's own where temporary files go, which a later run removes if this one is killed.

A run holds a lock in each folder that it makes, so that later runs can tell what a dead one has left.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from go_prefetch.base import file_lock, nofollow
from go_prefetch.base.trees import remove_trees

_PREFIX = "go-prefetch-run-"
_ALIVE = "alive.lock"
_ATTEMPTS = 100  # another run may take a folder that is not locked yet for that of a dead one


def choose_place(environ: Mapping[str, str]) -> None:
    """Have `tempfile` use the folder that it would choose, without the file that it writes to find out.

    That file stays if the process is killed in this moment.
    """
    named = [environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    usual = ["/tmp", "/var/tmp"] if sys.platform != "win32" else []  # noqa: S108 - as tempfile
    for place in filter(None, (*named, *usual)):
        if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):  # noqa: PTH112
            tempfile.tempdir = os.path.abspath(place)  # noqa: PTH100 - not behind links
            return


@contextlib.contextmanager
def temporary_folder(place: Path | None = None) -> Iterator[Path]:
    """A folder that nobody else enters, in `place` or where temporary files go; removed at the end. Raises OSError."""
    with contextlib.ExitStack() as closing:
        yield made(place or Path(tempfile.gettempdir()), _PREFIX, closing)


def clear_temporary(*places: Path) -> None:
    """Remove what dead runs of this user have left in `places` and where temporary files go.

    Everybody may write there: a folder counts only if it is this user's, and closed to others.
    """
    for place in {Path(tempfile.gettempdir()), *places}:
        for root in place.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if _is_private(root.lstat()):
                    remove_dead(root)


def made(place: Path, prefix: str, closing: contextlib.ExitStack) -> Path:
    """A new folder in `place` that this run holds; `closing` removes it and lets go of it. Raises OSError."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            return _locked(place.resolve(), prefix, closing)
    return _locked(place.resolve(), prefix, closing)


def remove_dead(root: Path) -> None:
    """Remove a folder that no run holds. Raises OSError, BlockingIOError where one holds it."""
    with (
        nofollow.opened(root.parent, (root.name,)) as folder,
        file_lock.held(folder.at(_ALIVE), dir_fd=folder.descriptor),
    ):
        remove_trees(root, ignore_errors=True)


def _is_private(seen: os.stat_result) -> bool:
    is_closed = sys.platform == "win32" or stat.S_IMODE(seen.st_mode) == stat.S_IRWXU
    return stat.S_ISDIR(seen.st_mode) and nofollow.is_ours(seen) and is_closed


def _locked(place: Path, prefix: str, closing: contextlib.ExitStack) -> Path:
    root = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    with contextlib.ExitStack() as failing:
        failing.callback(remove_trees, root, ignore_errors=True)
        failing.enter_context(file_lock.held(root / _ALIVE))
        closing.push(failing.pop_all())
    return root
