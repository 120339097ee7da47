"""The cache service as a store: full entries, and deltas.

An entry never changes. The missing files of a run are in a full entry for the same go.sum lines, or in a delta for them
and the full entry below it. After a change of go.sum, most are in the newest entry of the cache name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from go_prefetch.base.retry import Deadline
from go_prefetch.config.choices import When
from go_prefetch.errors import StoreError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.cold_runs import distinct
from go_prefetch.model.ports import Announced, Arrived, Saving, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, RestoredEntry, Saved
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.endpoint import CacheEndpoint
from go_prefetch.stores.cache_service.keys import Names
from go_prefetch.stores.cache_service.manifest import MOST_RUNS, Manifest, Unavailable
from go_prefetch.stores.cache_service.module_archive import member_bytes, write_archive
from go_prefetch.stores.cache_service.protocol import NotAllowed
from go_prefetch.stores.cache_service.reading import Connection
from go_prefetch.stores.cache_service.restore import Reading
from go_prefetch.stores.pool_metadata import UNAVAILABLE_SECONDS

# A delta above this share of its full entry is written as a new full entry.
_LARGEST_DELTA = 0.30


class CacheServiceStore:
    """The entries of `endpoint`, in one encoding. `connect` is called with the first request."""

    name = "the cache service"
    has_single_files = False

    def __init__(
        self,
        endpoint: CacheEndpoint,
        encoding: Encoding,
        connect: Callable[[], Connection],
        *,
        save: When,
        proxies: str,
    ) -> None:
        self._endpoint = endpoint
        self._encoding = encoding
        self._connect = connect
        self._save = save
        self._proxies = proxies

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        """Read the best entry, and the one below it, for the wanted files."""
        if refusal := self._endpoint.no_reading:
            return Restored(self.name, skipped_reason=refusal)
        started = time.monotonic()
        names = Names(wanted.key, self._endpoint.run)
        reading = Reading(self._connect(), self._encoding, names, wanted, arrived, announced, self._proxies)
        skipped_reason = None
        try:
            reading.run(deadline)
        except NotAllowed as no:
            skipped_reason = no.notice
        except StoreError as error:
            reading.warn(error)
        return reading.restored(self.name, skipped_reason, time.monotonic() - started)

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        """Upload what no entry has: as a delta if it is small and there is a full entry for it."""
        if refusal := self._endpoint.no_writing(self._save):
            return Saved(skipped_reason=refusal)
        names = Names(saving.key, self._endpoint.run)
        rejected = {file.name for file in saving.rejected}
        every = [*saving.files, *saving.restored]
        if not every:
            return Saved(skipped_reason=notice("nothing-to-save", "unverified"))
        if saving.entry and {file.name for file in every} <= saving.entry.held - rejected:
            return Saved(skipped_reason=notice("entry-complete"))
        if saving.entry and saving.entry.content_unknown:
            return Saved(skipped_reason=notice("entry-too-slow"))
        try:
            files, base = _worth_saving(every, saving, self._encoding, rejected)
            full = names.parsed(base.full) if base else None
            key = names.delta(full.digest) if full else names.full
            size = self._upload(key, files, full.key if full else "", saving, deadline, meter)
        except NotAllowed as no:
            return Saved(skipped_reason=no.notice)
        except (OSError, ArchiveError) as error:
            raise StoreError("store-archive", words=str(error)) from None
        return Saved(files=len(files), bytes=size, key=key)

    def _upload(
        self, key: str, files: Sequence[ModuleFile], full: str, saving: Saving, deadline: Deadline, meter: Meter
    ) -> int:
        """Reserve the key at the beginning: of many jobs that lacked the same files, one makes the archive."""
        service = self._connect().service
        until = time.time() + UNAVAILABLE_SECONDS
        unavailable = tuple(Unavailable(file.name, self._proxies, until) for file in saving.unavailable)
        runs = (*((saving.cold,) if saving.cold else ()), *(saving.entry.runs if saving.entry else ()))
        measured = distinct(runs, (file.name for file in files))[:MOST_RUNS]
        notes = Manifest((), full, tuple(measured), unavailable)
        meter.expect(files)
        meter.say("packing and uploading")
        meter.wait_for(self.name)
        with uploading(lambda: service.reserve(key, deadline), deadline, meter.add_bytes) as out:
            write_archive(out, saving.folder, files, self._encoding, notes, meter.done)
        return out.size


def _worth_saving(
    every: list[ModuleFile], saving: Saving, encoding: Encoding, rejected: set[str]
) -> tuple[list[ModuleFile], RestoredEntry | None]:
    """Return the files of the new entry, and the entry whose full one it adds to; without one it is full itself."""
    base = saving.entry
    # A full entry for the same go.sum lines is found before a delta for them, so only a newer full one replaces it.
    has_others = base is not None and saving.key.digest not in base.full
    if base and base.full and has_others and rejected.isdisjoint(base.full_files):
        new = [file for file in every if file.name not in base.full_files]
        if sum(member_bytes(saving.folder, file, encoding) for file in new) <= _LARGEST_DELTA * base.full_bytes:
            return new, base
    return every, None
