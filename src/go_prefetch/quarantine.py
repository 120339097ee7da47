"""The fast way: Go unpacks zips while others still travel, then checks all trees against go.sum at once.

A zip in the module cache is inflated twice by Go, to hash it and to unpack it. In here it is inflated once: trees are
unpacked in a small GOMODCACHE of stubs (stubcache.py), one `go mod verify` hashes them, and those that are what go.sum
says are renamed into the module cache, with their `.ziphash`. Whatever is odd is left to the slow way: Go hashes and
unpacks its zip in the module cache, as ever. A tree that is refused is no verdict on its zip; Go's word on the zip is.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import stat
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType

from go_prefetch import filelock
from go_prefetch.modcache import ModuleFile, download_folder, path_in, remove_trees, tree_in
from go_prefetch.module import ModuleVersion
from go_prefetch.plainzip import plain_bytes
from go_prefetch.results import Admitted, Plan
from go_prefetch.retry import Deadline
from go_prefetch.runfile import clear_dead_runs, recording, write_whole
from go_prefetch.stubcache import StubCache, Verdict
from go_prefetch.trace import UNTRACED, Trace

_PREFIX = "go-prefetch-"
_ALIVE = "alive.lock"
# A large zip keeps one of them busy on one core for long.
_UNPACKERS = 2
_BATCH = 200  # zips of one `go mod download`: its argument list has to fit


class Quarantine:
    """Takes zips as they arrive in the module cache; `admit` moves what Go found good. A context manager.

    Without `goroot` it takes none.
    """

    def __init__(
        self, plan: Plan, goroot: Path | None, *, writable_trees: bool, deadline: Deadline, trace: Trace = UNTRACED
    ) -> None:
        self._plan = plan
        self._writable = writable_trees
        self._deadline = deadline
        self._trace = trace
        self._hashes, self._left = _eligible(plan) if goroot else ({}, Counter())
        self._arrived: queue.SimpleQueue[ModuleVersion | None] = queue.SimpleQueue()
        self._taken: dict[ModuleVersion, tuple[int, ...]] = {}  # to the identity of the zip that was brought in
        self._room = 0  # bytes that may still be unpacked: the zips are unverified, and others need the disk too
        self._unpackers = [threading.Thread(target=self._unpack_arrivals, daemon=True) for _ in range(_UNPACKERS)]
        self._closing = contextlib.ExitStack()
        self._stubs: StubCache | None = None
        if self._hashes and goroot:
            self._open(goroot)

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arrived.put(None)
        if self._stubs:
            self._stubs.stop()
        self._closing.close()

    def take(self, file: ModuleFile) -> None:
        """Note that `file` is now in the module cache. Safe to call from any thread."""
        if file.kind == "zip" and file.module in self._hashes:
            self._arrived.put(file.module)

    def admit(self) -> Admitted:
        """Wait for the last tree, let Go check all, move the good ones into the module cache."""
        started = time.monotonic()
        if self._stubs is None:
            return Admitted(left_to_go=dict(self._left))
        self._arrived.put(None)
        for unpacker in self._unpackers:
            unpacker.join(self._deadline.left())
        late = any(map(threading.Thread.is_alive, self._unpackers))
        with self._trace.span("go mod verify", "verify"):
            verdict = Verdict(disbelieved="no time left") if late else self._stubs.verify(self._deadline)
        taken = frozenset(dict(self._taken))  # a copy: if late, it grows still
        admitted = frozenset(version for version in verdict.good & taken if self._admitted(version))
        self._left["refused by go mod verify"] += len(verdict.bad)
        self._left["not unpacked, or there already"] += len(taken - admitted - verdict.bad)
        return Admitted(
            modules=admitted,
            seconds=time.monotonic() - started,
            left_to_go={reason: count for reason, count in self._left.items() if count},
            notice=f"the fast way was not believed: {verdict.disbelieved}" if verdict.disbelieved else "",
        )

    def _open(self, goroot: Path) -> None:
        """Make the folder; where that fails, every zip goes the slow way."""
        cache = self._plan.gomodcache / "cache"
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _clear_leftovers(self._plan.gomodcache)
            root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=cache.resolve()))
            self._closing.callback(remove_trees, root, ignore_errors=True)
            self._room = shutil.disk_usage(root).free // 2
            self._closing.enter_context(filelock.held(root / _ALIVE))
            self._closing.enter_context(recording(self._plan.folder))
            self._stubs = StubCache(root / "q", goroot, self._hashes, writable_trees=self._writable)
        except OSError as error:
            self._left[f"no quarantine: {error.strerror}"] += len(self._hashes)
            self._hashes = {}
            return
        for unpacker in self._unpackers:
            unpacker.start()

    def _unpack_arrivals(self) -> None:
        """Until the end is announced: unpack whatever has come since the last call. Runs in several threads."""
        ended = False
        while not ended and not self._deadline.passed():
            waiting = [self._arrived.get()]
            with contextlib.suppress(queue.Empty):
                while len(waiting) < _BATCH:
                    waiting.append(self._arrived.get_nowait())
            ended = None in waiting
            batch = [version for version in waiting if version is not None and self._brought_in(version)]
            if batch and self._stubs:
                with self._trace.span(f"unpack {len(batch)} zips", "unpack", zips=[str(version) for version in batch]):
                    self._stubs.unpack(batch, self._deadline)
        self._arrived.put(None)  # for the other threads

    def _brought_in(self, version: ModuleVersion) -> bool:
        """Bring a zip in, by a link where the file system allows."""
        source = path_in(self._plan.folder, ModuleFile(version, "zip"))
        if self._stubs is None or version in self._taken:
            return False
        place = self._stubs.zip_path(version)
        try:
            identity = _identity(source)
            size = plain_bytes(source)
            if size is None or size > self._room:
                self._left["a zip of an unusual kind" if size is None else "no room to unpack it unverified"] += 1
                return False
            self._room -= size
            try:
                os.link(source, place)
            except OSError:
                shutil.copyfile(source, place)
        except OSError:
            return False
        self._taken[version] = identity
        return True

    def _admitted(self, version: ModuleVersion) -> bool:
        """Move one verified tree into the module cache under Go's own lock.

        False if one is there, or it cannot be, or somebody else holds the lock: he unpacks it.
        """
        if self._stubs is None:
            return False
        zip_path = path_in(self._plan.folder, ModuleFile(version, "zip"))
        target = tree_in(self._plan.gomodcache, version)
        try:
            with filelock.held(zip_path.with_suffix(".lock")):
                exchanged = _identity(zip_path) != self._taken[version]
                if exchanged or target.exists() or zip_path.with_suffix(".partial").exists():
                    return False
                target.parent.mkdir(parents=True, exist_ok=True)
                _rename_tree(self._stubs.tree(version), target)
                ziphash = f"{ModuleFile(version, 'zip').name}hash"
                write_whole(self._plan.folder, ziphash, self._hashes[version].encode())
        except OSError:
            return False
        return True


def _eligible(plan: Plan) -> tuple[dict[ModuleVersion, str], Counter[str]]:
    """Zip hashes of the missing modules that may go the fast way, and why others may not."""
    hashes = plan.zip_hashes
    left: Counter[str] = Counter()
    chosen: dict[str, ModuleVersion] = {}
    for file in plan.missing:
        version = file.module
        if file.kind != "zip" or version in plan.private:
            continue
        if len(hashes.get(version, ())) != 1:
            left["two hashes in go.sum"] += 1
        elif version.path in chosen:
            left["another version of the same module"] += 1
        else:
            chosen[version.path] = version
    return {version: next(iter(hashes[version])) for version in chosen.values()}, left


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when somebody puts another file in its place."""
    seen = path.stat(follow_symlinks=False)
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def _rename_tree(tree: Path, target: Path) -> None:
    """A read-only folder cannot be moved by a normal user: it is writable for that moment."""
    mode = stat.S_IMODE(tree.stat().st_mode)
    tree.chmod(mode | stat.S_IWUSR)
    tree.rename(target)
    target.chmod(mode)


def _clear_leftovers(gomodcache: Path) -> None:
    """Remove what dead runs have left: nobody holds their lock any more. A link is no quarantine, wherever it leads."""
    clear_dead_runs(download_folder(gomodcache))
    for root in (gomodcache / "cache").glob(f"{_PREFIX}*"):
        if root.is_symlink():
            continue
        with contextlib.suppress(OSError), filelock.held(root / _ALIVE):
            remove_trees(root, ignore_errors=True)
