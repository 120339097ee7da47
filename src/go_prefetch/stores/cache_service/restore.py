"""One restore from the cache service: the best entry and, at the same time, the full entry below it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, StoreError
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.cold_runs import baseline
from go_prefetch.model.ports import Announced, Arrived, Wanted
from go_prefetch.model.results import Restored, RestoredEntry
from go_prefetch.stores.cache_service.compression import Encoding
from go_prefetch.stores.cache_service.keys import EntryName, Names
from go_prefetch.stores.cache_service.manifest import Manifest
from go_prefetch.stores.cache_service.module_archive import read_archive
from go_prefetch.stores.cache_service.protocol import Found
from go_prefetch.stores.cache_service.reading import Connection, EntryReader, Stream
from go_prefetch.stores.pool_metadata import holds_until

_ZIPS_PER_RANGE = 8  # modules take 0.2 to 1 MB each in the entries of real projects; early ranges have 1 MiB


class Reading:
    """Takes wanted files from entries. Files that had arrived before an error stay."""

    def __init__(
        self,
        connection: Connection,
        encoding: Encoding,
        names: Names,
        wanted: Wanted,
        arrived: Arrived,
        announced: Announced,
        proxies: str,
    ) -> None:
        """Take `wanted` files. `proxies` is the list that records of missing files must be about."""
        self._service = connection.service
        self._reader = EntryReader(connection)
        self._encoding = encoding
        self._names = names
        self._wanted = wanted
        self._arrived = arrived
        self._announced = announced
        self._lacking = {file.name: file for file in wanted.files}
        self._got: set[ModuleFile] = set()
        self._matched: EntryName | None = None
        self._proxies = proxies
        self._lock = threading.Lock()
        self._expected = 1  # manifests
        self._has_announced = False
        self._is_known = threading.Event()  # the manifest of the matched entry has come, or will not
        self._manifests: dict[EntryName, Manifest] = {}

    def run(self, deadline: Deadline) -> None:
        """Look up and read. Raises StoreError and NotAllowed for a look-up. A failed read becomes a warning.

        Entries for exactly these go.sum lines are looked up first, and alone. Otherwise a server that searches the own
        branch before the default branch would return a stale entry instead of the right one of the other branch.
        """
        look_up = self._service.look_up
        found = look_up(self._names.same, deadline) or look_up([self._names.lineage], deadline)
        self._matched = self._names.parsed(found.key) if found else None
        if found is None or self._matched is None:
            return
        if not self._matched.is_delta:
            self._take(self._matched, found, deadline)
            return
        self._expected = 2
        below = run_in_background(partial(self._take_full_below, self._matched.digest_of_full, deadline))
        try:
            self._take(self._matched, found, deadline)
        finally:
            self._is_known.set()
        below.result()

    def warn(self, error: StoreError) -> None:
        """Keep a warning for the report."""
        self._reader.warnings.append(error.notice)

    def restored(self, store: str, skipped_reason: Notice | None, seconds: float) -> Restored:
        """Return the result."""
        runs = [run for manifest in self._sound.values() for run in manifest.runs]
        return Restored(
            store=store,
            files=frozenset(self._got),
            bytes=self._reader.bytes,
            seconds=seconds,
            unavailable=self._unavailable(),
            cold=baseline(runs, {file.name for file in self._got}),
            entry=self._entry(),
            skipped_reason=skipped_reason,
            warnings=tuple(self._reader.warnings),
        )

    @property
    def _sound(self) -> dict[EntryName, Manifest]:
        return {name: one for name, one in self._manifests.items() if name.key not in self._reader.damaged}

    def _entry(self) -> RestoredEntry | None:
        if self._matched is None:
            return None
        full = next((name for name in self._sound if not name.is_delta), None)
        held = {name: frozenset(m.name for m in manifest.members) for name, manifest in self._sound.items()}
        return RestoredEntry(
            key=self._matched.key,
            held=frozenset().union(*held.values()),
            full=full.key if full else "",
            full_files=held[full] if full else frozenset(),
            full_bytes=self._sound[full].bytes if full else 0,
            runs=tuple(run for manifest in self._sound.values() for run in manifest.runs),
            content_unknown=self._reader.gave_up == "store-slow" and self._matched not in self._manifests,
        )

    def _unavailable(self) -> frozenset[ModuleFile]:
        """Return lacking files that no proxy had a short time ago."""
        now = time.time()
        gone = {
            note.name
            for manifest in self._sound.values()
            for note in manifest.unavailable
            if note.proxies == self._proxies and holds_until(note.until, now)
        }
        return frozenset(file for name, file in list(self._lacking.items()) if name in gone)

    def _announce(self) -> None:
        """Announce what will come, once the manifests of all entries that are read have come."""
        with self._lock:
            are_there = self._matched in self._manifests and len(self._manifests) >= self._expected
            if self._has_announced or not are_there:
                return
            self._has_announced = True
        held = {member.name for manifest in list(self._manifests.values()) for member in manifest.members}
        coming = frozenset(file for file in self._wanted.files if file.name in held)
        self._announced(Restored(files=coming, unavailable=self._unavailable() - coming))

    def _take_full_below(self, digest: str, deadline: Deadline) -> None:
        found = self._full_below(digest, deadline)
        name = self._names.parsed(found.key) if found else None
        if found and name and not name.is_delta and self._lacking and not self._reader.gave_up:
            self._take(name, found, deadline)
        else:
            self._expected = 1
            self._announce()

    def _taken_from(self, name: EntryName) -> Mapping[str, ModuleFile]:
        """Return the files to take from an entry. What a delta has is not taken from the full entry below it."""
        if name == self._matched:
            self._is_known.set()
            return dict(self._lacking)
        self._is_known.wait()
        above = self._manifests.get(self._matched) if self._matched else None
        delta = {member.name for member in above.members} if above else set()
        return {} if self._reader.gave_up else {n: file for n, file in list(self._lacking.items()) if n not in delta}

    def _full_below(self, digest: str, deadline: Deadline) -> Found | None:
        """Return the full entry that a delta adds to; if it is gone, the newest there is."""
        look_up = self._service.look_up
        return look_up([self._names.full_of(digest)], deadline) or look_up([self._names.any_full], deadline)

    def _take(self, name: EntryName, found: Found, deadline: Deadline) -> None:
        """Read one entry as long as it has wanted files."""

        def choose(manifest: Manifest) -> Mapping[str, ModuleFile]:
            self._manifests[name] = manifest
            self._announce()
            return self._taken_from(name)

        def note_file(file: ModuleFile) -> None:
            self._got.add(file)
            del self._lacking[file.name]
            self._arrived(file)

        def read(stream: Stream) -> tuple[Notice, ...]:
            return read_archive(
                stream, self._encoding, folder=self._wanted.folder, deadline=deadline, arrived=note_file, choose=choose
            )

        zips = 0 if name.is_delta else sum(file.kind == "zip" for file in self._wanted.files)
        self._reader.read(found, deadline, read, zips // _ZIPS_PER_RANGE)
