"""Two stores in one: a pool on this machine in front, and the store behind it that machines share.

Files come from the front, and what it lacks from behind at the same time. A save gives the front all files that Go
accepted, those from behind too, and the store behind what it lacked. If one of the two fails, the other does its part.

The store behind is asked for nothing that the front has. So a front notes what that store did not take: it was down, or
the job may not write to it. A later job that uses these files and may write gives it them.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Protocol

from go_prefetch.base.background import end, result_of, run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.ports import Announced, Arrived, CacheStore, Saving, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, Saved
from go_prefetch.stores.pool_metadata import PoolMetadata


class FrontStore(CacheStore, Protocol):
    """A pool on this machine, which keeps notes."""

    @property
    def metadata(self) -> PoolMetadata:
        """Return its notes."""


class TieredStore:
    """The store `behind`, with `front` in front of it."""

    def __init__(self, front: FrontStore, behind: CacheStore) -> None:
        self.front = front
        self.behind = behind
        self.name = f"{front.name} in front of {behind.name}"
        self.has_single_files = front.has_single_files and behind.has_single_files
        self._is_behind_dead = False  # then it is not asked again in this run

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        """See CacheStore. What the front has does not wait for the store behind it. The announcement does."""
        started = time.monotonic()
        running: list[Future[Restored]] = []
        promised: set[ModuleFile] = set()

        def begin(coming: Restored) -> None:
            promised.update(coming.files)
            rest = _among(wanted, frozenset(wanted.files) - coming.files)
            running.append(run_in_background(partial(self._take_behind, rest, coming, deadline, arrived, announced)))

        try:
            front = _restored(self.front, wanted, deadline, arrived, begin)
            if not running:
                begin(front)
            behind = result_of(running[0])
        except BaseException:
            end(running, deadline)
            raise
        if not deadline.passed():
            undelivered = _among(wanted, promised - front.files)
            behind = behind.plus(self._take_behind(undelivered, front, deadline, arrived, ignore_announcement))
        both = front.plus(behind)
        return replace(
            both,
            store=self.name,
            seconds=time.monotonic() - started,
            unavailable=both.unavailable - both.files,
            entry=behind.entry or front.entry,
            lacks_bundle=behind.lacks_bundle,
            owed=self.front.metadata.owed(front.files),
            parts=(front, behind),
        )

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        """See CacheStore. Each of the two replaces or removes what came from it and Go rejected."""
        from_behind = [file for file in saving.restored if file in saving.behind]
        from_front = [file for file in saving.restored if file not in saving.behind]
        rejected = saving.rejected
        for_front = replace(
            saving,
            files=[*saving.files, *from_behind],
            restored=from_front,
            rejected=rejected - saving.behind,
            entry=None,
        )
        files = [*saving.files, *sorted(saving.owed)]
        for_behind = replace(saving, files=files, rejected=rejected & saving.behind, runs=())
        front = _saved(self.front, for_front, deadline, Meter("Save"))
        if self._is_behind_dead:
            behind = Saved(skipped_reason=notice("store-failed"))
        elif files or saving.behind or saving.unavailable:
            behind = _saved(self.behind, for_behind, deadline, meter)
            self._is_behind_dead = bool(behind.skipped_reason and behind.skipped_reason.slug == "store-failed")
        else:
            behind = Saved()
        self._note_owed(saving, behind)
        count = max(front.files, behind.files)  # most files go to both, and count once
        return Saved(
            files=count,
            bytes=max(front.bytes, behind.bytes),
            key=behind.key or front.key,
            skipped_reason=None if count else behind.skipped_reason or front.skipped_reason,
            warnings=(*front.warnings, *behind.warnings),
        )

    def _note_owed(self, saving: Saving, behind: Saved) -> None:
        """Note what the store behind has not got, or got at last. The notes are of no use to this run."""
        with suppress(OSError):
            if behind.skipped_reason and behind.skipped_reason.slug not in ("nothing-to-save", "save-disabled"):
                self.front.metadata.note_owed(saving.files)
            elif saving.owed:
                self.front.metadata.settle(saving.owed)

    def _take_behind(
        self, wanted: Wanted, coming: Restored, deadline: Deadline, arrived: Arrived, announced: Announced
    ) -> Restored:
        """Take files from behind. Announce them together with what is `coming` from the front."""
        has_announced = False

        def announce(more: Restored) -> None:
            nonlocal has_announced
            has_announced = True
            announced(coming.plus(more))

        behind = Restored(self.behind.name)
        if wanted.files and not self._is_behind_dead:
            behind = _restored(self.behind, wanted, deadline, arrived, announce)
            self._is_behind_dead = behind.is_out_of_reach
        if not has_announced:
            announce(behind)
        return behind


def _among(wanted: Wanted, files: Collection[ModuleFile]) -> Wanted:
    return replace(wanted, files=[file for file in wanted.files if file in files])


def _restored(
    store: CacheStore, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced
) -> Restored:
    try:
        return store.restore(wanted, deadline, arrived, announced)
    except StoreError as error:
        return Restored(store.name, warnings=(error.notice,))


def _saved(store: CacheStore, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
    try:
        return store.save(saving, deadline, meter)
    except StoreError as error:
        return Saved(skipped_reason=notice("store-failed"), warnings=(error.notice,))
