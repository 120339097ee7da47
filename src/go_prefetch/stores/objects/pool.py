"""A pool in GOPROXY layout on a storage of objects, which many machines share.

A restore reads many objects at once. One bundle for the cache key replaces the requests for small files. A save adds
what the pool lacks, without any lock: an object is put on the condition that there is none, and it appears complete.
Other users may write to the pool too. So each file is checked as one of a proxy is, and Go compares it with go.sum.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import recording
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.model.cache_key import CacheKey
from go_prefetch.model.cold_runs import baseline, distinct
from go_prefetch.model.ports import Announced, Arrived, Saving, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, Saved
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.objects.bundle import KeyObjects
from go_prefetch.stores.objects.intake import ObjectIntake, trouble_error
from go_prefetch.stores.objects.port import ObjectError, ObjectStorage
from go_prefetch.stores.objects.repacked import RepackedZips, zip_of_repacked
from go_prefetch.stores.objects.restore import LEAST_BUNDLED, Known, Reading
from go_prefetch.stores.objects.save import Writing


class ObjectPool:
    """The pool `name`. `connect` is called with the first request, and may raise StoreError.

    `not_saved` says why this run saves nothing; `proxies` is the list that records of missing files are about.
    """

    has_single_files = True

    def __init__(
        self,
        name: str,
        connect: Callable[[], ObjectStorage],
        encoding: Encoding,
        *,
        proxies: str,
        not_saved: Notice | None,
    ) -> None:
        self.name = name
        self._connect = connect
        self._encoding = encoding
        self._proxies = proxies
        self._not_saved = not_saved
        self._known: dict[CacheKey, Known] = {}

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        """Take what the pool has. A file that it cannot deliver complete counts as missing."""
        started = time.monotonic()
        storage = self._connect()
        intake = ObjectIntake(storage, wanted.folder, deadline)
        about = KeyObjects(storage, wanted.key, self._encoding, self._proxies)
        repacked = RepackedZips(storage, self._encoding)
        reading = Reading(intake, about, repacked, wanted, arrived, announced)
        with recording(wanted.folder.path):
            warnings = reading.run(deadline)
        known = self._known.get(wanted.key, Known()).plus(reading.known)
        self._known[wanted.key] = known
        return Restored(
            store=self.name,
            files=frozenset(intake.files),
            bytes=intake.bytes,
            seconds=time.monotonic() - started,
            unavailable=known.notes.now_unavailable(wanted.files) - intake.files,
            cold=baseline(known.notes.runs, {file.name for file in intake.files}),
            lacks_bundle=reading.lacks_bundle,
            runs=known.notes.runs,
            warnings=(*warnings, *intake.warnings()),
        )

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        """Add what the pool lacks, and replace what was damaged or Go rejected."""
        if self._not_saved:
            return Saved(skipped_reason=self._not_saved)
        storage = self._connect()
        known = self._known.get(saving.key, Known())
        about = KeyObjects(storage, saving.key, self._encoding, self._proxies)
        writing = Writing(storage, saving, known.damaged, deadline, meter)
        try:
            writing.run()
            repacked = self._repack(RepackedZips(storage, self._encoding), saving, known, deadline)
            self._describe(about, saving, known, repacked, deadline)
        except ObjectError as error:
            raise trouble_error(self.name, error) from None
        except (OSError, ArchiveError) as error:
            raise StoreError("store-archive", words=str(error)) from None
        skipped_reason = None if writing.files else notice("nothing-to-save", "stored")
        return Saved(files=writing.files, bytes=writing.bytes, skipped_reason=skipped_reason)

    def _repack(self, zips: RepackedZips, saving: Saving, known: Known, deadline: Deadline) -> frozenset[str]:
        """Put what this run has brought once more, repacked, where that is worth it. Return the names for the notes."""
        unsound = {file for file in saving.rejected | known.spoiled | known.damaged if file.kind == "zip"}
        for file in unsound:
            zips.remove(file, deadline)
        every = (*saving.files, *saving.restored)
        sound = set(every) - unsound
        held = frozenset(name for name in known.notes.repacked if zip_of_repacked(name) in sound)
        new = known.spoiled.union(saving.files)
        for file in every:
            if deadline.is_over:
                break
            if zips.name_of(file) not in held and zips.is_candidate(file, saving.folder):
                is_there = zips.is_there(file, deadline)
                if is_there or (file in new and zips.put(file, saving.folder, deadline)):
                    held |= {zips.name_of(file)}
        return held

    def _describe(
        self, about: KeyObjects, saving: Saving, known: Known, repacked: frozenset[str], deadline: Deadline
    ) -> None:
        """Write the bundle and the notes of the key, if this run knows more than they have."""
        every = [*saving.files, *saving.restored]
        small = [file for file in every if file.kind != "zip"]
        if len(small) >= LEAST_BUNDLED and known.bundled is not None and len(small) > len(known.bundled):
            about.put_bundle(saving.folder, small, deadline)
        if saving.cold or saving.unavailable or repacked != known.notes.repacked:
            runs = [*([saving.cold] if saving.cold else []), *known.notes.runs]
            gone = {file.name for file in (*saving.unavailable, *known.notes.now_unavailable(every))}
            about.put_notes(distinct(runs, {file.name for file in every}), gone, repacked, deadline)
