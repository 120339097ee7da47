"""How restored files get into GOCACHE: each output first, then the actions that name it.

An output gets its name only if an action says that it has these bytes. Files that are there stay as they are. Each new
file is as old as if it had been used two hours ago, so that Go notes the next use.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.atomic_file import unfinished
from go_prefetch.base.nofollow import random_digits
from go_prefetch.buildcache.contents import Listing
from go_prefetch.golang.build_cache import USE_IS_NOTED_AFTER, Action, OutputName

_AGE = 2 * USE_IS_NOTED_AFTER
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_FILE, _EXECUTABLE = 0o666, 0o777  # as Go creates them; the umask applies


class BuildIntake:
    """Takes files into `gocache`, of which `found` was there before. Safe to use from many threads.

    `record` is called with each temporary name, relative to `gocache`. `moment` is the time of the restore, in Unix
    seconds. Methods raise OSError.
    """

    def __init__(self, gocache: Path, found: Listing, moment: float, record: Callable[[str], None]) -> None:
        self.files = 0
        self.bytes = 0
        self._gocache = gocache
        self._time = int((moment - _AGE) * 1e9)
        self._record = record
        self._lock = threading.Lock()
        self._folders: set[str] = set()
        self._actions = set(found.times)
        self._outputs = {one: output.bytes for one, output in found.outputs.items()}
        self._waiting: dict[str, list[Action]] = {}
        self._placed: dict[str, list[Action]] = {}  # by output

    def lacks(self, output: str, size: int) -> bool:
        """Return whether an output of this size is not there."""
        return self._outputs.get(output) != size

    def take_action(self, action: Action) -> None:
        """Take an action now if its output is there, otherwise when that has come."""
        with self._lock:
            if action.id in self._actions:
                return
            if self.lacks(action.output, action.size):
                self._waiting.setdefault(action.output, []).append(action)
                return
            self._actions.add(action.id)
        self._place_action(action)

    def take_output(self, name: OutputName, size: int, copy: Callable[[BinaryIO], None]) -> None:
        """Take an output of `size` bytes, which `copy` writes, and then the actions that wait for it."""
        mode = _EXECUTABLE if name.executable else _FILE
        self._place(name.path, mode, copy)
        with self._lock:
            self._outputs[name.id] = size
            self.files += 1
            self.bytes += size
            ready = [one for one in self._waiting.pop(name.id, ()) if one.size == size and one.id not in self._actions]
            self._actions.update(one.id for one in ready)
        for action in ready:
            self._place_action(action)

    def withdraw(self, outputs: Iterable[str]) -> None:
        """Remove the actions that were taken for these outputs, so that Go makes the outputs again.

        The outputs stay. A build may have begun to read them, and Go replaces one whose bytes are wrong.
        """
        with self._lock:
            for output in outputs:
                self._outputs.pop(output, None)
                for action in self._placed.pop(output, ()):
                    (self._gocache / action.name).unlink(missing_ok=True)
                    self.files -= 1

    def _place_action(self, action: Action) -> None:
        self._place(action.name, _FILE, lambda file: _write(file, action.line))
        with self._lock:
            self._placed.setdefault(action.output, []).append(action)
            self.files += 1
            self.bytes += len(action.line)

    def _place(self, name: str, mode: int, copy: Callable[[BinaryIO], None]) -> None:
        """Write a file under a temporary name, and rename it."""
        self._make_folders(name)
        temporary = f"{name}{random_digits()}.tmp"
        self._record(temporary)
        path = self._gocache / temporary
        with unfinished(path):
            try:
                with os.fdopen(os.open(path, _NEW, mode), "wb") as file:
                    copy(file)
                    file.flush()
                    _set_time(file, path, self._time)
                path.replace(self._gocache / name)
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    def _make_folders(self, name: str) -> None:
        """Create the folders of a file. A link in place of one raises OSError."""
        above = name.rpartition("/")[0]
        if above in self._folders:
            return
        parts = above.split("/")
        for end in range(1, len(parts) + 1):
            folder = self._gocache.joinpath(*parts[:end])
            folder.mkdir(parents=end == 1, exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(20, "it is a link", str(folder))
        self._folders.add(above)


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def _set_time(file: BinaryIO, path: Path, time: int) -> None:
    os.utime(file.fileno() if os.utime in os.supports_fd else path, ns=(time, time))
