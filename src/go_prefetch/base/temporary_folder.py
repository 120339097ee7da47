"""Private folders of one run for temporary files. A later run removes them if this one is killed.

A run holds a lock in each of its folders, so that later runs recognise what a dead run has left.
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
_ATTEMPTS = 100  # without a lock, another run may take a new folder for that of a dead run


def choose_place(environ: Mapping[str, str]) -> None:
    """Make `tempfile` use its usual folder, without the file that it writes to choose one.

    That file would stay if the process is killed at that moment.
    """
    named = [environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    usual = ["/tmp", "/var/tmp"] if sys.platform != "win32" else []  # noqa: S108 - as tempfile
    for place in filter(None, (*named, *usual)):
        if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):  # noqa: PTH112
            tempfile.tempdir = os.path.abspath(place)  # noqa: PTH100 - not behind links
            return


@contextlib.contextmanager
def temporary_folder(place: Path | None = None) -> Iterator[Path]:
    """Create a private folder in `place` or the folder for temporary files; remove it at the end. Raises OSError."""
    with contextlib.ExitStack() as closing:
        yield made(place or Path(tempfile.gettempdir()), _PREFIX, closing)


def clear_temporary(*places: Path) -> None:
    """Remove what dead runs of this user have left in `places` and in the folder for temporary files.

    All users may write there, so a folder counts only if it belongs to this user and is closed to others.
    """
    for place in {Path(tempfile.gettempdir()), *places}:
        for root in place.glob(f"{_PREFIX}*"):
            with contextlib.suppress(OSError):
                if _is_private(root.lstat()):
                    remove_dead(root)


def made(place: Path, prefix: str, closing: contextlib.ExitStack) -> Path:
    """Create a folder in `place` that this run holds; `closing` removes and releases it. Raises OSError."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            return _locked(place.resolve(), prefix, closing)
    return _locked(place.resolve(), prefix, closing)


def remove_dead(root: Path) -> None:
    """Remove a folder that no run holds. Raises OSError, BlockingIOError if a run holds it."""
    with nofollow.opened(root.parent, (root.name,)) as folder:
        with file_lock.held(folder.at(_ALIVE), dir_fd=folder.descriptor):
            remove_trees(root, ignore_errors=True)
        if sys.platform == "win32":  # it removes no open file; a run that has the folder now has this one open
            with contextlib.suppress(OSError), nofollow.opened(root.parent) as place:
                folder.unlink(_ALIVE)
                place.rmdir(root.name)


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
