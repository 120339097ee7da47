"""The quarantine: Go unpacks zips while others still download, then compares all trees with go.sum.

In the module cache, Go inflates a zip twice: to hash it and to unpack it. Here it is inflated once. Trees are unpacked
in a small GOMODCACHE of stubs (stub_modcache.py), and `go mod verify` hashes them, in parts. Those that match go.sum
are renamed into the module cache, with their `.ziphash`. Anything unusual is left to `go mod download`: Go hashes and
unpacks its zip in the module cache. A rejected tree is no verdict on its zip.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import stat
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType

from go_prefetch.base import file_lock
from go_prefetch.base.background import LOOK_EVERY
from go_prefetch.base.patience import patiently
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import recording, write_whole
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.errors import Notice, notice
from go_prefetch.golang import goflags
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.modcache import Identity, ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cold_runs import Span, length
from go_prefetch.model.plan import Plan, unambiguous
from go_prefetch.model.progress import Look, Meter
from go_prefetch.model.results import Admitted, Deferral
from go_prefetch.modfiles.zip_inspect import Space, plain_space
from go_prefetch.verification.private_folder import private_folder
from go_prefetch.verification.room import Room
from go_prefetch.verification.stub_modcache import StubCache, Verdict, joined
from go_prefetch.verification.tally import Tally, Unverified

# A large zip keeps one of them busy on one core for long.
_UNPACKERS = 2
# Bytes of unpacked trees. Go hashes them for about 0.1 s, and starts for as long.
_VERIFIED_AT_ONCE = 64 << 20
_BATCH = 200  # zips of one `go mod download`, limited by the length of its command line


class Quarantine:
    """Takes zips as they arrive in the module cache. `admit` moves the verified ones. A context manager.

    It takes none unless `is_used`.
    """

    def __init__(
        self, plan: Plan, go: GoEnvironment, deadline: Deadline, trace: Trace = UNTRACED, *, is_used: bool = True
    ) -> None:
        self._folder = plan.folder
        self._go = go
        self._deadline = deadline
        self._trace = trace
        self._hashes, left = _eligible(plan) if is_used else ({}, Counter())
        self._tally = Tally(left)
        self._unverified = Unverified()
        self._verdicts: list[Verdict] = []
        self._unpacking: list[Span] = []
        self._arrived: queue.SimpleQueue[ModuleVersion | None] = queue.SimpleQueue()
        self._unpackers = [threading.Thread(target=self._unpack_arrivals, daemon=True) for _ in range(_UNPACKERS)]
        self._closing = contextlib.ExitStack()
        self._stubs: StubCache | None = None
        self._problem: Notice | None = None
        self._room: Room | None = None
        if self._hashes:
            self._open(plan)

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
        """Report that `file` is now in the module cache. Safe to call from any thread."""
        if file.kind == "zip" and file.module in self._hashes:
            self._arrived.put(file.module)

    def admit(self, meter: Meter) -> Admitted:
        """Wait for the last tree, let Go check all of them, and move the good ones into the module cache."""
        begun = time.monotonic()
        if self._stubs is None:
            return Admitted(deferred_to_go=self._tally.left, notice=self._problem)
        self._arrived.put(None)
        meter.expect_modules(len(self._hashes))
        meter.watch(self._unpacked)
        for unpacker in self._unpackers:
            while unpacker.is_alive() and not self._deadline.passed():
                unpacker.join(LOOK_EVERY)  # a signal is handled in the meantime
        late = any(map(threading.Thread.is_alive, self._unpackers))
        meter.say("comparing with go.sum")
        meter.wait_for("go mod verify")
        taken = self._tally.taken
        if late:
            self._verdicts.append(Verdict(inconclusive=notice("inconclusive", "no-time")))
        else:
            self._verify()
        verdict = joined(self._verdicts)
        good = ((version, zip_was) for version, zip_was in taken.items() if version in verdict.good)
        admitted = frozenset(version for version, zip_was in good if self._admitted(version, zip_was))
        self._tally.leave(Deferral.REFUSED, len(verdict.bad))
        self._tally.leave(Deferral.NOT_UNPACKED, len(taken.keys() - admitted - verdict.bad))
        return Admitted(
            modules=admitted,
            deferred_to_go=self._tally.left,
            notice=notice("fast-verification", cause=verdict.inconclusive) if verdict.inconclusive else None,
            overlapping_seconds=length(list(self._unpacking), end=begun),
        )

    def _unpacked(self) -> Look:
        """Return how many modules are unpacked."""
        folder = self._stubs.folder if self._stubs else self._folder
        return Look(modules=sum(map(os.path.isdir, map(folder.tree, self._hashes))), waiting_for="Go to unpack zips")

    def _open(self, plan: Plan) -> None:
        """Create the folder, and begin with zips that were there before. If it fails, Go has every zip."""
        writable = goflags.is_set(self._go.goflags, "modcacherw")  # leaves unpacked folders writable
        try:
            root = self._closing.enter_context(private_folder(self._folder.gomodcache))
            self._room = Room(root, self._folder.gomodcache)
            self._closing.enter_context(recording(self._folder.path))
            self._stubs = StubCache(root / "q", self._go.goroot, self._hashes, writable_trees=writable)
        except OSError as error:
            self._tally.leave(Deferral.NO_QUARANTINE, len(self._hashes))
            self._hashes = {}
            self._problem = notice("fast-verification", "no-folder", words=error.strerror)
            return
        for version in _without_tree(plan):
            self.take(ModuleFile(version, "zip"))
        for unpacker in self._unpackers:
            unpacker.start()

    def _unpack_arrivals(self) -> None:
        """Unpack what has arrived since the last call, until the end is announced. Runs in several threads."""
        ended = False
        while not ended and not self._deadline.passed():
            waiting = [self._arrived.get()]
            with contextlib.suppress(queue.Empty):
                while len(waiting) < _BATCH:
                    waiting.append(self._arrived.get_nowait())
            ended = None in waiting
            batch: dict[ModuleVersion, int] = {}
            for version in waiting:
                if version is not None and (space := self._brought_in(version)):
                    batch[version] = space.bytes
            if batch and self._stubs:
                began = time.monotonic()
                with self._trace.span(f"unpack {len(batch)} zips", "unpack", zips=[str(version) for version in batch]):
                    self._stubs.unpack(batch, self._deadline)
                self._unpacking.append(Span(began, time.monotonic(), 0))
                self._unverified.add(batch)
                # What waits is unpacked first, unless one tree alone would keep a core busy at the end.
                if self._arrived.empty() or max(batch.values()) >= _VERIFIED_AT_ONCE:
                    self._verify(least=_VERIFIED_AT_ONCE)
        self._arrived.put(None)  # for the other threads

    def _verify(self, *, least: int = 0) -> None:
        """Let Go compare with go.sum what is unpacked and was not compared, if these trees have `least` bytes."""
        versions = self._unverified.take(least=least)
        if versions and self._stubs:
            with self._trace.span("go mod verify", "verify"):
                self._verdicts.append(self._stubs.verify(versions, self._deadline))

    def _brought_in(self, version: ModuleVersion) -> Space | None:
        """Bring a zip in, by a link if the file system supports it. Return its tree's space; None leaves it to Go."""
        if self._stubs is None or self._room is None:
            return None
        if not self._tally.begin(version, self._folder.identity(ModuleFile(version, "zip"))):
            return None
        try:
            brought = _brought(self._folder.zip_path(version), self._stubs.folder.zip_path(version), self._room)
        except OSError:
            brought = Deferral.UNREADABLE_ZIP
        if isinstance(brought, Deferral):
            self._tally.give_up(version, brought)
            return None
        return brought

    def _admitted(self, version: ModuleVersion, zip_was: Identity) -> bool:
        """Move one verified tree into the module cache under Go's own lock; `zip_was` is the zip it was unpacked from.

        Return False if there is one already, if it cannot be moved, or if another process holds the lock: that process
        unpacks it.
        """
        if self._stubs is None:
            return False
        file, target = ModuleFile(version, "zip"), self._folder.tree(version)
        try:
            with file_lock.held(self._folder.lock(version)):
                exchanged = self._folder.identity(file) != zip_was
                if exchanged or target.exists() or self._folder.partial(version).exists():
                    return False
                target.parent.mkdir(parents=True, exist_ok=True)
                _rename_tree(self._stubs.folder.tree(version), target)
                write_whole(self._folder.path, f"{file.name}hash", self._hashes[version].encode())
        except OSError:
            return False
        return True


def _eligible(plan: Plan) -> tuple[dict[ModuleVersion, str], Counter[Deferral]]:
    """Return the zip hashes of the modules to unpack that may be brought in, and the reasons for others.

    Candidates may be brought in too, because the store hands them over before the plan is decided.
    """
    hashes = unambiguous(plan.zip_hashes)
    left: Counter[Deferral] = Counter()
    chosen: dict[str, ModuleVersion] = {}
    lacking = [file.module for file in plan.missing if file.kind == "zip"]
    for version in (*lacking, *_without_tree(plan)):
        if version in plan.private or version in plan.toolchains:
            continue
        if version not in hashes:
            left[Deferral.TWO_HASHES] += 1
        elif version.path in chosen:
            left[Deferral.OTHER_VERSION] += 1
        else:
            chosen[version.path] = version
    for version in {file.module for file in plan.candidates} - plan.private:
        if version in hashes:
            chosen.setdefault(version.path, version)
    return {version: hashes[version] for version in chosen.values()}, left


def _without_tree(plan: Plan) -> list[ModuleVersion]:
    """Return modules whose zip was there before and is not unpacked. An unproven tree is not replaced here."""
    return [version for version in sorted(plan.packed) if not plan.folder.has_tree(version)]


def _brought(source: Path, place: Path, room: Room) -> Space | Deferral:
    """Bring a zip to `place`; return the space of its tree, or the reason if it stays out. Raises OSError.

    The file in `place` counts, because `source` may be replaced at any moment.
    """
    try:
        os.link(source, place)
    except OSError:
        if not room.take(Space(source.stat().st_size + room.block, 1)):
            return Deferral.NO_ROOM
        shutil.copyfile(source, place)
    space = plain_space(place, room.block)
    if space is not None and room.take(space):
        return space
    place.unlink()
    return Deferral.UNUSUAL_ZIP if space is None else Deferral.NO_ROOM


def _rename_tree(tree: Path, target: Path) -> None:
    """Move a tree. A normal user cannot move a read-only folder, so it is writable for that moment."""
    mode = stat.S_IMODE(tree.stat().st_mode)
    tree.chmod(mode | stat.S_IWUSR)
    patiently(lambda: tree.rename(target))  # Windows renames no folder in which a program has a file open
    target.chmod(mode)
