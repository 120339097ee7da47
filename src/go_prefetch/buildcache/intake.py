"""How restored files get into GOCACHE: each output first, then the actions that name it.

An output gets its name only if an action says that it has these bytes. Actions that are there with their outputs stay
as they are. An output without one is replaced: a damaged entry may have left it. Each new file is as old as if it had
been used two hours ago, so that Go notes the next use.

Outputs that others have replaced are kept in another folder: patches were made from them, and new ones will be.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, cast

from go_prefetch.base.atomic_file import unfinished
from go_prefetch.base.nofollow import NEW, random_digits
from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
from go_prefetch.buildcache.contents import Listing, contents
from go_prefetch.errors import StoreError
from go_prefetch.golang.build_cache import USE_IS_NOTED_AFTER, Action, OutputName

_AGE = 2 * USE_IS_NOTED_AFTER
_FILE, _EXECUTABLE = 0o666, 0o777  # as Go creates them; the umask applies
ROOM_LEFT = 256 << 20  # bytes of a disk that stay free
_DISK_BLOCK = 4096  # bytes that the smallest file takes on most disks


class BuildIntake:
    """Takes files into `gocache`, of which `found` was there before. Safe to use from many threads.

    `record` is called with each temporary name, relative to `gocache`. `moment` is the time of the restore, in Unix
    seconds. `old` is a folder for replaced outputs. Methods raise OSError, and StoreError (`store-slow`) after the
    deadline.
    """

    def __init__(
        self, gocache: Path, old: Path, found: Listing, moment: float, record: Callable[[str], None],
        deadline: Deadline,
    ) -> None:  # fmt: skip
        self.files = 0
        self.bytes = 0
        self._names = 0
        self._expected_bytes = self._placed_bytes = 0  # as the disk counts them
        self._gocache = gocache
        self._old = old
        self._deadline = deadline
        self._time = int((moment - _AGE) * 1e9)
        self._record = record
        self._lock = threading.Lock()
        self._folders: set[str] = set()
        there = contents(gocache, found, found.times)
        self._actions = set(there.actions)
        self._outputs = {one: output.bytes for one, output in there.outputs.items()}
        self._paths = {one: gocache / output.name.path for one, output in there.outputs.items()}
        self._waiting: dict[str, dict[str, Action]] = {}  # by output
        self._placed: dict[str, Action] = {}
        self._sizes = dict(self._outputs)  # of outputs that are right, and of others as the first entry says

    def expect(self, actions: int, sizes: Iterable[int]) -> int:
        """Add what another entry will bring. Return the bytes of the disk that all of them still need."""
        blocks = [_on_disk(size) for size in sizes]
        with self._lock:
            self._expected_bytes += actions * _DISK_BLOCK + sum(blocks)
            return self._expected_bytes - self._placed_bytes

    def count(self, names: int) -> int:
        """Count these names too. Return the number of all names that entries have."""
        with self._lock:
            self._names += names
            return self._names

    def lacks(self, output: str, size: int) -> bool:
        """Return whether an output of this size is not there."""
        return self._outputs.get(output) != size

    def accepts(self, name: OutputName, size: int) -> bool:
        """Return whether to take an output of this size.

        It is refused if it has another size in GOCACHE or in another entry, or if what is there is of another kind.
        """
        with self._lock:
            if self._sizes.setdefault(name.id, size) != size:
                return False
        place = self._gocache / OutputName(name.id, "").path
        if not name.executable:
            return not place.is_dir()
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(place) as inside:
            return all(entry.name == name.executable for entry in inside)
        return not os.path.lexists(place)

    def take_action(self, action: Action) -> None:
        """Take an action now if its output is there, otherwise when that has come."""
        with self._lock:
            if action.id in self._actions:
                return
            has_come = not self.lacks(action.output, action.size)
            if not has_come or self._sizes.setdefault(action.output, action.size) != action.size:
                self._waiting.setdefault(action.output, {})[action.id] = action
                return
            self._actions.add(action.id)
        self._place_action(action)

    def take_output(self, name: OutputName, size: int, copy: Callable[[BinaryIO], None]) -> None:
        """Take an output of `size` bytes, which `copy` writes, and then the actions that wait for it."""
        self._place(name.path, _mode(name), copy)
        self._finish(name, size)

    def write(self, path: Path, name: OutputName, copy: Callable[[BinaryIO], None]) -> None:
        """Write an output that is to be checked before it gets its name, to a new file on the disk of GOCACHE."""
        self._write(path, _mode(name), copy)

    def place(self, path: Path, name: OutputName, size: int) -> None:
        """Give such a file its name, and take the actions that wait for it."""
        self._make_folders(name.path.rpartition("/")[0])
        path.replace(self._gocache / name.path)
        self._finish(name, size)

    def _finish(self, name: OutputName, size: int) -> None:
        with self._lock:
            self._outputs[name.id] = size
            self._paths[name.id] = self._gocache / name.path
            self.files += 1
            self.bytes += size
            waiting = self._waiting.pop(name.id, {}).values()
            ready = [one for one in waiting if one.size == size and one.id not in self._actions]
            self._actions.update(one.id for one in ready)
        for action in ready:
            self._place_action(action)

    def take_replaced(self, name: OutputName, size: int, copy: Callable[[BinaryIO], None]) -> None:
        """Take an output into the folder for replaced ones. If that fails or the disk has no room, it is not there."""
        path = self._old / name.id
        file = _Tolerant(path, size)
        try:
            copy(cast(BinaryIO, file))
        finally:
            file.close()
        with self._lock:
            self._placed_bytes += _on_disk(file.size)
            if not file.failed:
                self._paths.setdefault(name.id, path)

    def path_of(self, output: str) -> Path | None:
        """Return where an output is, if it is there: in GOCACHE, or in the folder for replaced ones."""
        with self._lock:
            return self._paths.get(output)

    def withdraw(self, outputs: Iterable[str], actions: Iterable[Action]) -> None:
        """Remove these actions and all that name these outputs, as far as they were taken. Go makes the outputs again.

        The outputs stay. A build may have begun to read them, and Go replaces one whose bytes are wrong.
        """
        gone = frozenset(outputs)
        with self._lock:
            for action in actions:
                self._waiting.get(action.output, {}).pop(action.id, None)
            for output in gone:
                self._outputs.pop(output, None)
                self._paths.pop(output, None)
            ids = {action.id for action in actions}
            for action in [one for one in self._placed.values() if one.id in ids or one.output in gone]:
                del self._placed[action.id]
                (self._gocache / action.name).unlink(missing_ok=True)
                self.files -= 1

    def _place_action(self, action: Action) -> None:
        self._place(action.name, _FILE, lambda file: file.write(action.line))
        with self._lock:
            if self.lacks(action.output, action.size):  # it was withdrawn in the meantime
                (self._gocache / action.name).unlink(missing_ok=True)
                return
            self._placed[action.id] = action
            self.files += 1
            self.bytes += len(action.line)

    def _place(self, name: str, mode: int, copy: Callable[[BinaryIO], object]) -> None:
        """Write a file under a temporary name, and rename it. Go takes any file in an executable's folder for it."""
        folder, _, rest = name.partition("/")
        self._make_folders(folder)
        temporary = f"{folder}/{rest.partition('/')[0]}{random_digits()}.tmp"
        self._record(temporary)
        path = self._gocache / temporary
        with unfinished(path):
            try:
                self._write(path, mode, copy)
                self._make_folders(name.rpartition("/")[0])
                path.replace(self._gocache / name)
            except BaseException:
                with suppress(OSError):
                    path.unlink()
                raise

    def _write(self, path: Path, mode: int, copy: Callable[[BinaryIO], object]) -> None:
        if self._deadline.is_over:
            raise StoreError("store-slow", "no-time-to-unpack")
        with os.fdopen(os.open(path, NEW, mode), "wb") as file:
            copy(file)
            file.flush()
            _set_time(file, path, self._time)
            size = file.tell()
        with self._lock:
            self._placed_bytes += _on_disk(size)

    def _make_folders(self, name: str) -> None:
        """Create the folders of this path. A link in place of one raises OSError."""
        if name in self._folders:
            return
        parts = name.split("/")
        for end in range(1, len(parts) + 1):
            folder = self._gocache.joinpath(*parts[:end])
            folder.mkdir(parents=end == 1, exist_ok=True)
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "it is a link", str(folder))
        self._folders.add(name)


class _Tolerant:
    """Takes all bytes for a new file, whether they can be written or not. If not, there is no file."""

    def __init__(self, path: Path, size: int) -> None:
        self.size = 0
        self.failed = True
        self._path = path
        self._file: FileIO | None = None
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.parent.is_symlink() and free_bytes(path.parent) >= size + ROOM_LEFT:
                self._file = FileIO(os.open(path, NEW, _FILE), "wb")
                self.failed = False

    def write(self, data: bytes) -> int:
        """Write `data`, unless that fails or has failed."""
        if self._file and not self.failed:
            try:
                self.failed = self._file.write(data) != len(data)
            except OSError:
                self.failed = True
        self.size += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file, if there is one, and remove it if it lacks bytes."""
        with suppress(OSError):
            if self._file:
                self._file.close()
                if self.failed:
                    self._path.unlink()


def _mode(name: OutputName) -> int:
    return _EXECUTABLE if name.executable else _FILE


def _on_disk(size: int) -> int:
    """Return about the bytes of the disk that a file of this size takes."""
    return -(-max(size, 1) // _DISK_BLOCK) * _DISK_BLOCK


def _set_time(file: BinaryIO, path: Path, time: int) -> None:
    os.utime(file.fileno() if os.utime in os.supports_fd else path, ns=(time, time))
