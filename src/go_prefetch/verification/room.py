"""The limit for unverified, unpacked files: half of the free disk, for all runs on a module cache.

Each run records its claims in its private folder, then adds up the claims of all runs. A claim is written before its
run adds up. Of two runs, at least the later writer sees both claims, so two runs never both get the space for one, and
neither waits for the other. The claims of a dead run are free again when its folder is removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from pathlib import Path

from go_prefetch.modfiles.zip_inspect import Space
from go_prefetch.verification.private_folder import private_folders

# A claim is the size of a sparse file, which is read and written in one step.
_NOTES = ("claimed-kilobytes", "claimed-files")
_SMALLEST_BLOCK, _LARGEST_BLOCK = 4 << 10, 64 << 10  # network file systems report the size of their requests


class Room:
    """The space for the quarantine in `root`, a private folder of `gomodcache`. Safe to use from any thread."""

    def __init__(self, root: Path, gomodcache: Path) -> None:
        """Raise OSError if the file system does not report free space."""
        self._root = root
        self._gomodcache = gomodcache
        self.block, free = _free(root)
        self._most = Space(free.bytes // 2, free.files // 2)
        self._claimed = Space(0, 0)
        self._lock = threading.Lock()
        self._note(self._claimed)

    def take(self, space: Space) -> bool:
        """Claim `space`. Return False if that is more than is left for all."""
        with self._lock, contextlib.suppress(OSError):
            wanted = self._claimed + space
            if wanted.fits(self._most) and space.bytes <= _free(self._root)[1].bytes // 2:
                self._note(wanted)
                if self._claimed_by_all().fits(self._most):
                    self._claimed = wanted
                    return True
                self._note(self._claimed)
        return False

    def _note(self, claimed: Space) -> None:
        for name, number in zip(_NOTES, (-(-claimed.bytes // 1024), claimed.files), strict=True):
            with (self._root / name).open("ab") as note:
                note.truncate(number)

    def _claimed_by_all(self) -> Space:
        claimed = Space(0, 0)
        for root in private_folders(self._gomodcache):
            claimed += Space(_noted(root / _NOTES[0]) * 1024, _noted(root / _NOTES[1]))
        return claimed


def _free(root: Path) -> tuple[int, Space]:
    """Return the size of a block, and what is free. Raises OSError."""
    if sys.platform == "win32":  # NTFS creates records of files on demand
        return _SMALLEST_BLOCK, Space(shutil.disk_usage(root).free, sys.maxsize)
    seen = os.statvfs(root)
    is_limited = seen.f_files > 0  # some file systems create inodes on demand
    block = min(max(seen.f_frsize, _SMALLEST_BLOCK), _LARGEST_BLOCK)
    return block, Space(seen.f_bavail * seen.f_frsize, seen.f_favail if is_limited else sys.maxsize)


def _noted(note: Path) -> int:
    try:
        return note.stat(follow_symlinks=False).st_size
    except OSError:  # a folder that is just being created or removed
        return 0
