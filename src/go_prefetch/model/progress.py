"""How far a piece of work has come: written by the work from any thread, read by the platform that shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from go_prefetch.golang.modcache import ModuleFile

_LOOK_EVERY = 1.0  # seconds; a look may read many folders


@dataclass(frozen=True)
class Look:
    """What can be seen of running work without its help. Counts are added to what it has reported."""

    modules: int = 0
    bytes: int = 0
    waiting_for: str = ""


@dataclass(frozen=True)
class Progress:
    """The state of a piece of work. Zero as a total means that it is unknown."""

    title: str
    note: str = ""
    modules: int = 0
    all_modules: int = 0
    files: int = 0
    all_files: int = 0
    failed: int = 0
    bytes: int = 0
    all_bytes: int = 0
    seconds: float = 0.0  # since the work began
    idle: float = 0.0  # since the last change
    waiting_for: str = ""


class Meter:
    """Counts the files of a piece of work. A module is done when its zip is done. Safe to use from any thread."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._lock = threading.Lock()
        self._began = self._moved = clock()
        self._note = ""
        self._all_modules = self._all_files = self._all_bytes = 0
        self._modules = self._files = self._failed = self._bytes = 0
        self._look: Callable[[], Look] = Look
        self._looked, self._seen = float("-inf"), Look()
        self._followed: Meter | None = None

    def expect(self, files: Iterable[ModuleFile], size: int = 0) -> None:
        """Begin a part of the work: these files, and their bytes if they are known."""
        wanted = list(files)
        with self._lock:
            self._began = self._moved = self._clock()
            self._modules = self._files = self._failed = self._bytes = 0
            self._all_files = len(wanted)
            self._all_modules = sum(file.kind == "zip" for file in wanted)
            self._all_bytes = size

    def expect_modules(self, count: int) -> None:
        """Set the totals of work that has no files to count."""
        with self._lock:
            self._all_modules = count

    def done(self, file: ModuleFile, size: int = 0) -> None:
        """Count a file, and the bytes of it that no look has seen."""
        with self._lock:
            self._files += 1
            self._modules += file.kind == "zip"
            self._bytes += size
            self._moved = self._clock()

    def add_bytes(self, size: int) -> None:
        """Count bytes of no file in particular."""
        with self._lock:
            self._bytes += size
            self._moved = self._clock()

    def failed(self) -> None:
        """Count a file that did not come."""
        with self._lock:
            self._failed += 1
            self._moved = self._clock()

    def say(self, note: str) -> None:
        """Describe the work in words, where there are no files to count."""
        with self._lock:
            self._note = note
            self._moved = self._clock()

    def watch(self, look: Callable[[], Look]) -> None:
        """Call `look` about once a second while the progress is read. If it raises OSError, nothing changes."""
        with self._lock:
            self._look, self._looked = look, float("-inf")

    def follow(self, other: Meter) -> None:
        """Show from now on what another meter counts."""
        self._followed = other

    def wait_for(self, what: str) -> None:
        """Name the one thing that the work waits for."""
        self.watch(lambda: Look(waiting_for=what))

    def read(self) -> Progress:
        """Return the present state."""
        if self._followed:
            return self._followed.read()
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            seen = self._seen
            with suppress(OSError):
                seen = self._look()
            with self._lock:
                if (seen.modules, seen.bytes) != (self._seen.modules, self._seen.bytes):
                    self._moved = now
                self._seen = seen
        with self._lock:
            return Progress(
                title=self._title,
                note=self._note,
                modules=self._modules + self._seen.modules,
                all_modules=self._all_modules,
                files=self._files,
                all_files=self._all_files,
                failed=self._failed,
                bytes=self._bytes + self._seen.bytes,
                all_bytes=self._all_bytes,
                seconds=now - self._began,
                idle=now - self._moved,
                waiting_for=self._seen.waiting_for,
            )


# Opens a piece of work, which is shown until it is closed or another one is opened inside it.
Working = Callable[[str], AbstractContextManager[Meter]]
