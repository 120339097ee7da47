"""Build results in a cache service: full entries and deltas, of the lineage of a job.

A delta adds to the entries that its key names: each holds what the job before it had made. So an entry needs them all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from go_prefetch.base.background import end, run_in_background, wait_for_all
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import clear_dead_runs, recording
from go_prefetch.buildcache.contents import listing
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.build_cache import Contents
from go_prefetch.model.build_lineage import BuildEntryName, Lineage, new_key, parse_build_key
from go_prefetch.model.build_results import BuildBase, BuildRestored
from go_prefetch.model.progress import Meter
from go_prefetch.stores.cache_service.archive import read_members
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.build_archive import BuildEntryIntake, most_bytes, write_build_archive
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.protocol import Found, NotAllowed
from go_prefetch.stores.cache_service.reading import Connection, EntryReader, Stream

_AT_ONCE = 4  # entries below the newest that are read at once, each with connections and a decompressor of its own
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

    def restore(self, gocache: Path, lineage: Lineage, moment: float, deadline: Deadline) -> BuildRestored:
        """Put the files of the newest entry of the lineage into GOCACHE. A failure is a warning in the result."""
        started = time.monotonic()
        if self.access.no_reading:
            return BuildRestored(self.name, skipped_reason=self.access.no_reading)
        try:
            reading = _Reading(self._connect(), self._encoding, gocache, moment)
        except StoreError as error:
            return BuildRestored(self.name, warnings=(error.notice,))
        skipped_reason = None
        try:
            reading.run(lineage, deadline)
        except NotAllowed as no:
            skipped_reason = no.notice
        except StoreError as error:
            reading.reader.warnings.append(error.notice)
        except OSError as error:
            reading.warn_of_folder(error)
        return reading.restored(self.name, skipped_reason, time.monotonic() - started)

    def save(self, gocache: Path, contents: Contents, key: str, deadline: Deadline, meter: Meter) -> int:
        """Upload an entry with these files. Return the bytes sent. Raises StoreError, NotAllowed."""
        service = self._connect().service
        meter.wait_for(self.name)
        try:
            with uploading(lambda: service.reserve(key, deadline), deadline, meter.add_bytes) as out:
                write_build_archive(out, gocache, contents, self._encoding)
                return out.size
        except (OSError, ArchiveError) as error:
            raise StoreError("store-archive", words=str(error)) from None

    def key(self, lineage: Lineage, contents: Contents, base: BuildBase | None) -> str:
        """Return the key of a new entry with these files: a delta to `base`, or a full entry without one."""
        lines = [f"{action.id} {action.output}" for action in contents.actions.values()]
        return new_key(lineage.own, lines, base.ids if base else (), self.access.run)


class _Reading:
    """One restore."""

    def __init__(self, connection: Connection, encoding: Encoding, gocache: Path, moment: float) -> None:
        self.reader = EntryReader(connection)
        self._service = connection.service
        self._encoding = encoding
        self._gocache = gocache
        self._moment = moment
        self._matched: BuildEntryName | None = None
        self._is_own = True
        self._entries: dict[str, BuildEntryIntake] = {}  # by id
        self._intake: BuildIntake | None = None
        self._turns = threading.Semaphore(_AT_ONCE)

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
        clear_dead_runs(self._gocache)
        with recording(self._gocache) as record:
            self._intake = BuildIntake(self._gocache, listing(self._gocache), self._moment, record, deadline)
            # The full entry first, because it takes longest.
            entries = [
                run_in_background(partial(self._take_below, name, one, deadline)) for one in reversed(name.ids[1:])
            ]
            entries.append(run_in_background(partial(self._take_in_turn, name.ids[0], found, deadline)))
            try:
                wait_for_all(entries)  # afterwards, nothing is written any more
            except KeyboardInterrupt:
                end(entries, deadline)
                raise
            for entry in entries:
                entry.result()

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
        """Return what a delta can add to. If an entry of the chain is missing or damaged, there is nothing."""
        name = self._matched
        if name is None:
            return BuildBase()
        chain = [self._entries.get(one) for one in name.ids]
        actions: dict[str, str] = {}
        outputs: dict[str, int] = {}
        sizes = []
        for entry in reversed(chain):
            if entry is not None and entry.actions is not None:
                actions.update((action.id, action.output) for action in entry.actions)
                outputs.update(entry.outputs)
                sizes.append(sum(entry.outputs.values()))
        is_sound = self._is_own and len(sizes) == len(name.ids) and not self.reader.damaged
        return BuildBase(
            ids=name.ids if is_sound else (),
            actions=actions,
            outputs=outputs,
            full_bytes=sizes[0] if sizes else 0,
            delta_bytes=sum(sizes[1:]),
        )

    def _take_below(self, name: BuildEntryName, one: str, deadline: Deadline) -> None:
        found = self._service.look_up([f"{name.lineage}{one}"], deadline)
        it = parse_build_key(found.key) if found else None
        if found and it and it.lineage == name.lineage and it.ids[0] == one:
            self._take_in_turn(one, found, deadline)

    def _take_in_turn(self, one: str, found: Found, deadline: Deadline) -> None:
        with self._turns:
            if not self.reader.gave_up:
                self._take(one, found, deadline)

    def _take(self, one: str, found: Found, deadline: Deadline) -> None:
        assert self._intake is not None  # noqa: S101 - for the type checker
        entry = self._entries[one] = BuildEntryIntake(self._gocache, self._intake)

        def read(stream: Stream) -> tuple[Notice, ...]:
            try:
                read_members(stream, self._encoding, entry, deadline, most_bytes)
            except ArchiveError:
                entry.withdraw()
                raise
            return entry.notices

        is_full = self._matched is not None and one == self._matched.ids[-1]
        self.reader.read(found, deadline, read, _RANGES_OF_FULL if is_full else 1)
