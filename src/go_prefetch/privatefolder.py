"""Folders of one run's own, in GOMODCACHE/cache or where temporary files go, that nobody else enters.

Those in GOMODCACHE/cache are on the file system of the trees.

A run removes its own at its end. It holds a lock in it meanwhile, so that later runs can tell what a dead one has left.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from go_prefetch import filelock, nofollow
from go_prefetch.modcache import download_folder, remove_trees
from go_prefetch.runfile import clear_dead_runs

_PREFIX = "go-prefetch-"
_TEMPORARY_PREFIX = "go-prefetch-stubs-"
_ALIVE = "alive.lock"
_ATTEMPTS = 100  # another run may take a folder that is not locked yet for that of a dead one


@contextlib.contextmanager
def private_folder(gomodcache: Path) -> Iterator[Path]:
    """Make a folder, and remove it with all that is in it at the end of the block. Raises OSError."""
    cache = gomodcache / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        yield _made(cache.resolve(), closing)


def private_folders(gomodcache: Path) -> list[Path]:
    """Return the folders of all runs, dead ones too. A link is none, wherever it leads."""
    return [root for root in (gomodcache / "cache").glob(f"{_PREFIX}*") if not root.is_symlink()]


def clear_leftovers(gomodcache: Path) -> None:
    """Remove what dead runs have left: nobody holds their lock any more."""
    clear_dead_runs(download_folder(gomodcache))
    for root in private_folders(gomodcache):
        with contextlib.suppress(OSError), _lock_in(root):
            remove_trees(root, ignore_errors=True)


@contextlib.contextmanager
def temporary_folder(place: Path) -> Iterator[Path]:
    """The same in a folder for temporary files. Raises OSError."""
    with contextlib.ExitStack() as closing:
        yield _made(place.resolve(), closing, _TEMPORARY_PREFIX)


def clear_temporary(place: Path) -> None:
    """Remove what dead runs of this user have left in a folder for temporary files.

    Everybody may write there: a folder counts only if it is this user's and holds a lock.
    """
    for root in place.glob(f"{_TEMPORARY_PREFIX}*"):
        with contextlib.suppress(OSError):
            seen, lock = root.lstat(), (root / _ALIVE).lstat()
            if stat.S_ISDIR(seen.st_mode) and stat.S_ISREG(lock.st_mode) and _is_private(seen):
                with _lock_in(root):
                    remove_trees(root, ignore_errors=True)
                    # Where a program that the dead run had started writes there still: for the next run.
                    with nofollow.opened(root.parent, (root.name,)) as folder:
                        folder.create(_ALIVE).close()


@contextlib.contextmanager
def _lock_in(root: Path) -> Iterator[None]:
    """Hold the lock in a folder, and in none that a link leads to. Raises OSError."""
    with (
        nofollow.opened(root.parent, (root.name,)) as folder,
        filelock.held(folder.at(_ALIVE), dir_fd=folder.descriptor),
    ):
        yield


def _is_private(seen: os.stat_result) -> bool:
    return sys.platform == "win32" or (seen.st_uid == os.geteuid() and stat.S_IMODE(seen.st_mode) == stat.S_IRWXU)


def _made(place: Path, closing: contextlib.ExitStack, prefix: str = _PREFIX) -> Path:
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            return _locked(place, closing, prefix)
    return _locked(place, closing, prefix)


def _locked(place: Path, closing: contextlib.ExitStack, prefix: str) -> Path:
    """A new folder that this run holds; `closing` lets go of it and removes it."""
    root = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    with contextlib.ExitStack() as failing:
        failing.callback(remove_trees, root, ignore_errors=True)
        failing.enter_context(filelock.held(root / _ALIVE))
        closing.push(failing.pop_all())
    return root
