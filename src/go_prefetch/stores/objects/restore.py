"""One restore from a pool of objects: many at once, a bundle in place of the small ones, large zips repacked."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from go_prefetch.base.crew import Crew
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.ports import Announced, Arrived, Wanted, ignore_announcement
from go_prefetch.model.results import Restored
from go_prefetch.stores.cache_service.compression import ArchiveError
from go_prefetch.stores.objects.bundle import KeyNotes, KeyObjects
from go_prefetch.stores.objects.intake import PASSING, ObjectIntake, Taken
from go_prefetch.stores.objects.port import ObjectError, Trouble
from go_prefetch.stores.objects.repacked import RepackedZips

_READS = 32  # at once
# Bytes of a large zip. They are read one after the other: if all shared the link to the end, Go would have to unpack
# and hash them when nothing is left to read. The storage may read one in several parts at once.
_LARGE = 8 << 20
_MOST_LARGE = 64  # however many an untrusted note makes so
_LONGEST_WAIT_FOR_NOTES = 1.0  # seconds; they say in which order zips are read, and which there are repacked
LEAST_BUNDLED = 16  # small files; for fewer, a bundle is not worth its request


@dataclass(frozen=True)
class Known:
    """What the restore of a cache key has learnt for its save."""

    bundled: frozenset[str] | None = None  # names in the bundle; None if it was not read
    notes: KeyNotes = field(default_factory=KeyNotes)
    damaged: frozenset[ModuleFile] = frozenset()
    spoiled: frozenset[ModuleFile] = frozenset()  # zips whose repacked copy is not there, or of no use

    def plus(self, later: Known) -> Known:
        """Return this and what a later restore for the same key has learnt."""
        return Known(
            later.bundled if self.bundled is None else self.bundled,
            later.notes,
            self.damaged | later.damaged,
            self.spoiled | later.spoiled,
        )


class _Part(Enum):
    """What a restore reads besides the files."""

    BUNDLE = "bundle"
    NOTES = "notes"


@dataclass(frozen=True)
class _Bundle:
    """What the bundle had: the names of its files, and a notice for each wanted file in it that is damaged."""

    held: frozenset[str] = frozenset()
    warnings: tuple[Notice, ...] = ()


class Reading:
    """One restore: zips and the bundle at once. Small files that no bundle has come before the zips that wait."""

    def __init__(
        self,
        intake: ObjectIntake,
        about: KeyObjects,
        repacked: RepackedZips,
        wanted: Wanted,
        arrived: Arrived,
        announced: Announced,
    ) -> None:
        self._bundled: frozenset[str] | None = None  # names in the bundle; None if it was not read
        self._notes = KeyNotes()
        self._spoiled: set[ModuleFile] = set()
        self._intake = intake
        self._about = about
        self._repacked = repacked
        self._wanted = wanted
        self._arrived = arrived
        self._announced = announced
        self._small = {file for file in wanted.files if file.kind != "zip"}
        self._zips = [file for file in wanted.files if file.kind == "zip"]
        self._have_zips_begun = False
        self._large: frozenset[str] = frozenset()  # names
        self._one_large = threading.Lock()
        self._missing: set[ModuleFile] = set()
        self._asked_again: set[ModuleFile] = set()
        self._why_not: set[Trouble] = set()  # the storage's reasons for files that did not come in the end
        self._warnings: list[Notice] = []
        self._crew: Crew[ModuleFile | _Part, Taken | _Bundle | KeyNotes]

    @property
    def known(self) -> Known:
        """Return what it has learnt."""
        return Known(self._bundled, self._notes, frozenset(self._intake.damaged), frozenset(self._spoiled))

    @property
    def lacks_bundle(self) -> bool:
        """Return whether the bundle was looked for, and lacks small files, or a repacked zip is of no use."""
        held = self._bundled
        small = [file.name for file in self._wanted.files if file.kind != "zip"]
        return bool(self._spoiled) or (held is not None and not held.issuperset(small))

    def run(self, deadline: Deadline) -> tuple[Notice, ...]:
        """Take the files. Return warnings about the storage. Raises OSError as the folder does."""
        bundled = len(self._small) >= LEAST_BUNDLED
        first = [_Part.BUNDLE] if bundled else self._small
        take = partial(self._take, deadline=deadline)
        crew = self._crew = Crew("restore", take, deadline, (*first, _Part.NOTES))
        until = time.monotonic() + _LONGEST_WAIT_FOR_NOTES
        try:
            while crew.left:
                outcome = crew.take(_READS)
                if time.monotonic() > until:
                    self._begin_zips()
                if isinstance(outcome, Exception):
                    raise outcome
                if outcome is not None:
                    self._note(outcome)
                if deadline.is_over:
                    self._warnings.append(notice("store-slow", "pool-restore", store=self._intake.store))
                    break
                if problem := self._intake.health.problem:
                    self._warnings.append(problem.notice)
                    break
            else:
                self._warnings.extend(filter(None, [self._intake.health.warning(self._why_not)]))
        finally:
            crew.dismiss(seconds=1.0)
        return tuple(self._warnings)

    def _take(self, what: ModuleFile | _Part, deadline: Deadline) -> Taken | _Bundle | KeyNotes:
        if what is _Part.BUNDLE:
            return self._take_bundle(deadline)
        if what is _Part.NOTES:
            try:
                return self._about.notes(deadline)
            except ObjectError as error:
                self._intake.health.note(error)
                return KeyNotes()
        return self._take_file(what, deadline)

    def _take_file(self, file: ModuleFile, deadline: Deadline) -> Taken:
        is_repacked = self._is_repacked(file)
        taken = self._take_repacked(file, deadline) if is_repacked else Taken(file)
        if not taken.bytes:
            is_spoiled = is_repacked and taken.trouble in (None, Trouble.MISSING)
            with self._turn(file):
                taken = self._intake.take(file)
            if is_spoiled and taken.bytes:
                self._spoiled.add(file)
        if taken.bytes:
            self._arrived(file)
        return taken

    def _take_repacked(self, file: ModuleFile, deadline: Deadline) -> Taken:
        try:
            with ExitStack() as closing:
                with self._turn(file):
                    archive, size = closing.enter_context(self._repacked.fetched(file, deadline))
                self._intake.health.note_success()
                came = self._repacked.unpack(archive, file, self._wanted.folder, deadline)
        except ObjectError as error:
            self._intake.health.note(error)
            return Taken(file, trouble=error.trouble)
        except (ArchiveError, StoreError):
            return Taken(file)
        if not came:
            return Taken(file)
        self._intake.note(file, size)
        return Taken(file, size)

    def _turn(self, file: ModuleFile) -> AbstractContextManager[object]:
        return self._one_large if file.name in self._large else nullcontext()

    def _take_bundle(self, deadline: Deadline) -> _Bundle:
        def arrived(file: ModuleFile) -> None:
            self._intake.note(file, self._wanted.folder.size_if_there(file))
            self._arrived(file)

        try:
            held, warnings = self._about.take_bundle(self._small, self._wanted.folder, deadline, arrived)
        except ObjectError as error:
            self._intake.health.note(error)
            return _Bundle()
        except ArchiveError as error:
            return _Bundle(warnings=(notice("store-damaged", "entry", key=self._wanted.key.text, problem=str(error)),))
        except StoreError as error:
            return _Bundle(warnings=(error.notice,))
        self._intake.health.note_success()
        return _Bundle(held, warnings)

    def _note(self, outcome: Taken | _Bundle | KeyNotes) -> None:
        if isinstance(outcome, KeyNotes):
            self._notes = outcome
            self._begin_zips()
            self._order_by(outcome.sizes)
            return
        if isinstance(outcome, _Bundle):
            self._bundled = outcome.held
            self._warnings.extend(outcome.warnings)
            self._small -= self._intake.files
            self._crew.add_first(self._small)
        else:
            self._note_file(outcome)
        if not self._small:
            self._announce()

    def _note_file(self, taken: Taken) -> None:
        file = taken.file
        self._small.discard(file)
        if taken.bytes:
            return
        if taken.trouble in PASSING and file not in self._asked_again:
            self._asked_again.add(file)
            self._crew.add_last([file])
            return
        self._missing.add(file)
        if taken.trouble:
            self._why_not.add(taken.trouble)

    def _begin_zips(self) -> None:
        if not self._have_zips_begun:
            self._have_zips_begun = True
            self._crew.add_last(self._zips)

    def _order_by(self, sizes: Mapping[str, int]) -> None:
        """Read the largest zips first, by the sizes that an earlier run noted, and repacked ones before all others.

        What shrinks most by being repacked keeps Go busy longest, for each byte of the link.
        """
        large = heapq.nlargest(_MOST_LARGE, sizes, key=lambda name: sizes[name])
        self._large = frozenset(name for name in large if sizes[name] >= _LARGE)

        def turn(what: ModuleFile | _Part) -> tuple[bool, bool, int]:
            if isinstance(what, _Part):
                return (False, False, 0)
            return (what.kind == "zip", not self._is_repacked(what), -sizes.get(what.name, 0))

        self._crew.sort(turn)

    def _is_repacked(self, file: ModuleFile) -> bool:
        return self._repacked.name_of(file) in self._notes.repacked

    def _announce(self) -> None:
        """Announce what will come, once it is known of all small files: without them, a pool has no zip either."""
        if self._announced is ignore_announcement:
            return
        announce, self._announced = self._announced, ignore_announcement
        lacking = {file.module for file in self._missing if file.kind != "zip"}
        not_coming = self._missing | {file for file in self._zips if file.module in lacking}
        self._crew.withdraw(not_coming)
        coming = frozenset(self._wanted.files) - not_coming
        announce(Restored(files=coming, unavailable=self._notes.now_unavailable(self._missing)))
