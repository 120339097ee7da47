"""The limit for unverified, unpacked files: half of the free disk, for all runs on a module cache.

Each run records its claims in its private folder, then adds up the claims of all runs. A claim is written before its
run adds up. Of two runs, at least the later writer sees both claims, so two runs never both get the space for one, and
neither waits for the other. The claims of a dead run are free again when its folder is removed.
"""

from __future__ import annotations

import contextlib
import os
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
        seen = os.statvfs(root)
        self.block = min(max(seen.f_frsize, _SMALLEST_BLOCK), _LARGEST_BLOCK)
        limited = seen.f_files > 0  # some file systems create inodes on demand
        self._most = Space(seen.f_bavail * seen.f_frsize // 2, seen.f_favail // 2 if limited else sys.maxsize)
        self._claimed = Space(0, 0)
        self._lock = threading.Lock()
        self._note(self._claimed)

    def take(self, space: Space) -> bool:
        """Claim `space`. Return False if that is more than is left for all."""
        with self._lock, contextlib.suppress(OSError):
            wanted = self._claimed + space
            seen = os.statvfs(self._root)
            if wanted.fits(self._most) and space.bytes <= seen.f_bavail * seen.f_frsize // 2:
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


def _noted(note: Path) -> int:
    try:
        return note.stat(follow_symlinks=False).st_size
    except OSError:  # a folder that is just being created or removed
        return 0
