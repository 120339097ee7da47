"""Build results in a cache service: full entries and deltas, of the lineage of a job.

A delta adds to the entries that its key names: each holds what the job before it had made. So an entry needs them all.
All are read at once. Patches come last, because they need outputs of the entries below theirs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from go_prefetch.base.background import end, run_in_background, wait_for_all
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import clear_dead_runs, recording
from go_prefetch.base.temporary_folder import clear_temporary, temporary_folder
from go_prefetch.buildcache.contents import listing
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.build_cache import Output
from go_prefetch.model.build_lineage import BuildEntryName, Lineage, new_key, parse_build_key
from go_prefetch.model.build_results import BuildBase, BuildRestored
from go_prefetch.model.progress import Meter
from go_prefetch.stores.cache_service.archive import read_members
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.build_archive import BuildEntryIntake, Replaced, most_bytes
from go_prefetch.stores.cache_service.build_packing import Packing, write_build_archive
from go_prefetch.stores.cache_service.build_patches import Old, Patch, patches
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.protocol import Found, NotAllowed
from go_prefetch.stores.cache_service.reading import Connection, EntryReader, Stream

_AT_ONCE = 4  # entries below the newest that are read at once, each with connections and a decompressor of its own
_PATCHES_AT_ONCE = 2  # each takes about 100 MB of memory
_RANGES_OF_FULL = 8  # 8 MiB: the standard library alone takes more. A smaller entry costs requests past its end.


@dataclass(frozen=True)
class Access:
    """What a job may do with the entries, and what makes its keys its own."""

    run: str  # `<run id>.<attempt>`
    no_reading: Notice | None = None  # why it may not read
    no_writing: Notice | None = None  # why it may not write, or why that would be of no use


class BuildStore:
    """The entries of build results in one encoding. `connect` is called with the first request."""

    def __init__(self, name: str, connect: Callable[[], Connection], encoding: Encoding, access: Access) -> None:
        self.name = name
        self.access = access
        self._connect = connect
        self._encoding = encoding

    def restore(self, gocache: Path, old: Path, lineage: Lineage, moment: float, deadline: Deadline) -> BuildRestored:
        """Put the files of the newest entry of the lineage into GOCACHE, and replaced outputs into the folder `old`.

        A failure is a warning in the result.
        """
        started = time.monotonic()
        if self.access.no_reading:
            return BuildRestored(self.name, skipped_reason=self.access.no_reading)
        try:
            reading = _Reading(self._connect(), self._encoding, gocache, old, moment)
        except StoreError as error:
            return BuildRestored(self.name, warnings=(error.notice,))
        skipped_reason = None
        try:
            clear_dead_runs(gocache)
            clear_temporary(gocache)
            reading.run(lineage, deadline)
        except NotAllowed as no:
            skipped_reason = no.notice
        except StoreError as error:
            reading.reader.warnings.append(error.notice)
        except OSError as error:
            reading.warn_of_folder(error)
        return reading.restored(self.name, skipped_reason, time.monotonic() - started)

    def patches(self, similar: Iterable[tuple[Output, Old]]) -> tuple[Patch, ...]:
        """Return how to compress new outputs in GOCACHE against the old ones of these pairs."""
        return patches(similar) if self._encoding.against else ()

    def save(self, gocache: Path, packing: Packing, key: str, deadline: Deadline, meter: Meter) -> int:
        """Upload an entry with these files. Return the bytes sent. Raises StoreError, NotAllowed."""
        service = self._connect().service
        meter.wait_for(self.name)
        try:
            with (
                temporary_folder(gocache) if packing.patches else nullcontext(gocache) as folder,
                uploading(lambda: service.reserve(key, deadline), deadline, meter.add_bytes) as out,
            ):
                write_build_archive(out, gocache, packing, self._encoding, folder)
                return out.size
        except (OSError, ArchiveError) as error:
            raise StoreError("store-archive", words=str(error)) from None

    def key(self, lineage: Lineage, packing: Packing, base: BuildBase | None) -> str:
        """Return the key of a new entry with these files: a delta to `base`, or a full entry without one."""
        lines = [f"{action.id} {action.output}" for action in packing.contents.actions.values()]
        lines += [f"{new} from {old}" for patch in packing.patches for new, old in patch.ids]
        lines += [f"without {one}" for one in packing.replaced]
        return new_key(lineage.own, lines, base.ids if base else (), self.access.run)


class _Reading:
    """One restore."""

    def __init__(self, connection: Connection, encoding: Encoding, gocache: Path, old: Path, moment: float) -> None:
        self.reader = EntryReader(connection)
        self._service = connection.service
        self._encoding = encoding
        self._gocache = gocache
        self._old = old
        self._moment = moment
        self._matched: BuildEntryName | None = None
        self._is_own = True
        self._entries: dict[str, BuildEntryIntake] = {}  # by id
        self._keys: dict[str, str] = {}  # by id
        self._intake: BuildIntake | None = None
        self._folder = gocache  # for files on the way
        self._replaced = Replaced()
        self._turns = threading.Semaphore(_AT_ONCE)
        self._lock = threading.Lock()

    def run(self, lineage: Lineage, deadline: Deadline) -> None:
        """Look up and read the newest entry, and at the same time those below it."""
        found = self._service.look_up([lineage.own], deadline)
        if found is None:
            found = self._service.look_up([lineage.shared], deadline)
        name = parse_build_key(found.key) if found else None
        if found is None or name is None or not name.key.startswith(lineage.shared):
            return
        self._matched, self._is_own = name, name.lineage == lineage.own
        self._gocache.mkdir(parents=True, exist_ok=True)
        with recording(self._gocache) as record, temporary_folder(self._gocache) as self._folder:
            there = listing(self._gocache)
            self._intake = BuildIntake(self._gocache, self._old, there, self._moment, record, deadline)
            # The full entry first, because it takes longest.
            entries = [
                run_in_background(partial(self._take_below, name, one, deadline)) for one in reversed(name.ids[1:])
            ]
            entries.append(run_in_background(partial(self._take_newest, name.ids[0], found, deadline)))
            _wait_for(entries, deadline)
            patches = [(one, patch) for one, entry in self._entries.items() for patch in entry.patches]
            takers = [partial(self._take_patches, patches, deadline) for _ in range(_PATCHES_AT_ONCE)]
            _wait_for([run_in_background(taker) for taker in takers], deadline)

    def warn_of_folder(self, error: OSError) -> None:
        """Keep a warning about GOCACHE."""
        self.reader.warnings.append(
            notice("build-cache-unwritable", folder=self._gocache, words=error.strerror or str(error))
        )

    def restored(self, store: str, skipped_reason: Notice | None, seconds: float) -> BuildRestored:
        """Return the result."""
        intake = self._intake
        return BuildRestored(
            store=store,
            key=self._matched.key if self._matched else "",
            is_own=self._is_own,
            files=intake.files if intake else 0,
            unpacked_bytes=intake.bytes if intake else 0,
            bytes=self.reader.bytes,
            seconds=seconds,
            base=self._base(),
            skipped_reason=skipped_reason,
            warnings=tuple(self.reader.warnings),
        )

    def _base(self) -> BuildBase:
        """Return what a delta can add to. If an entry of the chain is missing or damaged, there is nothing.

        Only outputs that came count as restored. The job saves others again.
        """
        name, intake = self._matched, self._intake
        if name is None or intake is None:
            return BuildBase()
        chain = [self._entries.get(one) for one in name.ids]
        read = [entry for entry in reversed(chain) if entry and entry.actions is not None]
        gone = read[-1].replaced if read else frozenset()
        held = {one: size for entry in read for one, size in entry.outputs.items()}
        outputs = {one: size for one, size in held.items() if one not in gone and not intake.lacks(one, size)}
        actions = {action.id: action.output for entry in read for action in entry.actions or ()}
        pairs = {new: old for entry in read for patch in entry.patches.values() for new, old in patch.items()}
        sizes = [sum(entry.plain.values()) for entry in read]
        is_whole = len(read) == len(name.ids) and not any(entry.left for entry in read)
        return BuildBase(
            ids=name.ids if is_whole and self._is_own and not self.reader.damaged else (),
            actions={action: output for action, output in actions.items() if output in outputs},
            outputs=outputs,
            replaced={one: size for one, size in held.items() if one in gone},
            made_from={new: old for new, old in pairs.items() if new in outputs},
            full_bytes=sizes[0] if sizes else 0,
            delta_bytes=sum(sizes[1:]),
            patch_bytes=sum(entry.patch_bytes for entry in read),
        )

    def _take_below(self, name: BuildEntryName, one: str, deadline: Deadline) -> None:
        found = self._service.look_up([f"{name.lineage}{one}"], deadline)
        it = parse_build_key(found.key) if found else None
        if found and it and it.lineage == name.lineage and it.ids[0] == one:
            self._take_in_turn(one, found, deadline)

    def _take_newest(self, one: str, found: Found, deadline: Deadline) -> None:
        try:
            self._take(one, found, deadline)
        finally:
            self._replaced.tell(())  # if it has not come so far

    def _take_in_turn(self, one: str, found: Found, deadline: Deadline) -> None:
        with self._turns:
            if not self.reader.gave_up:
                self._take(one, found, deadline)

    def _take(self, one: str, found: Found, deadline: Deadline) -> None:
        assert self._intake is not None  # noqa: S101 - for the type checker
        is_newest = self._matched is not None and one == self._matched.ids[0]
        entry = BuildEntryIntake(self._gocache, self._folder / one, self._intake, self._replaced, is_newest=is_newest)
        self._entries[one], self._keys[one] = entry, found.key

        def read(stream: Stream) -> tuple[Notice, ...]:
            try:
                read_members(stream, self._encoding, entry, deadline, most_bytes)
            except ArchiveError:
                entry.withdraw()
                raise
            return entry.notices

        is_full = self._matched is not None and one == self._matched.ids[-1]
        self.reader.read(found, deadline, read, _RANGES_OF_FULL if is_full else 1)

    def _take_patches(self, patches: list[tuple[str, str]], deadline: Deadline) -> None:
        """Take one patch after the other from this list, which another thread does too."""
        while not self.reader.gave_up:
            with self._lock:
                if not patches:
                    return
                one, patch = patches.pop()
            if self._keys[one] not in self.reader.damaged:
                with self.reader.noting(self._keys[one]):
                    self._take_patch(self._entries[one], patch, deadline)

    def _take_patch(self, entry: BuildEntryIntake, patch: str, deadline: Deadline) -> None:
        try:
            entry.take_patch(patch, self._encoding, deadline)
        except ArchiveError:
            entry.withdraw()
            raise


def _wait_for(calls: Collection[Future[None]], deadline: Deadline) -> None:
    """Wait for all. Afterwards, nothing is written any more. Raises what one of them raises."""
    try:
        wait_for_all(calls)
    except KeyboardInterrupt:
        end(calls, deadline)
        raise
    for call in calls:
        call.result()
