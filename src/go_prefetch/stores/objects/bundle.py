"""What a pool of objects has for one cache key, in addition to the files themselves.

    .go-prefetch/bundles/<cache key>.<encoding>   an entry archive (see archive.py) of the `.mod` and `.info` files
    .go-prefetch/notes/<cache key>.json           {"format": 1, "runs": [see cold_run_note.py; files by their names],
                                                   "unavailable": [{"name", "asked", "until"}, …],
                                                   "repacked": [names of objects, see repacked.py]}

Thousands of small files at 20 ms each are a matter of latency, not of bytes. A pool without these objects works, and
single files are never left out because of a bundle, so that a plain Go can read the pool too. Both are untrusted.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from typing import Any

from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.base.untrusted_json import as_number, as_text, objects, parse_object, required, texts
from go_prefetch.errors import Notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.cache_key import CacheKey
from go_prefetch.model.cold_runs import ColdRun
from go_prefetch.stores.cache_service.compression import Encoding
from go_prefetch.stores.cache_service.manifest import MOST_RUNS, Manifest
from go_prefetch.stores.cache_service.module_archive import read_archive, write_archive
from go_prefetch.stores.cold_run_note import as_note, parse_note
from go_prefetch.stores.objects.port import ObjectError, ObjectStorage, Trouble
from go_prefetch.stores.pool_metadata import UNAVAILABLE_SECONDS, holds_until

_ABOUT_KEY = re.compile(rf"{re.escape(NOTES_FOLDER)}/(bundles|notes)/go-prefetch-[a-z0-9-]+\.[a-z0-9-]+")
_FORMAT = 1
_MOST_BUNDLE_BYTES = 256 << 20
_IN_MEMORY = 8 << 20  # bytes of a bundle; a larger one is a temporary file
_MOST_NOTE_BYTES = 8 << 20
_MOST_UNAVAILABLE = 10_000
_MOST_REPACKED = 1000


def is_about_key(name: str) -> bool:
    """Return whether this is the name of a bundle or of notes of a cache key."""
    return _ABOUT_KEY.fullmatch(name) is not None


@dataclass(frozen=True)
class KeyNotes:
    """What is recorded for a cache key: cold runs, and until when a file need not be requested, by its name.

    `repacked` has the names of objects.
    """

    runs: tuple[ColdRun, ...] = ()
    unavailable: Mapping[str, float] = field(default_factory=dict)  # for the proxies of this run
    repacked: frozenset[str] = frozenset()

    @property
    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file that a run has downloaded, by name."""
        return {name: span.bytes for run in self.runs for name, span in run.files.items()}

    def now_unavailable(self, files: Iterable[ModuleFile]) -> frozenset[ModuleFile]:
        """Return those of `files` that no proxy had a short time ago."""
        now = time.time()
        return frozenset(f for f in files if holds_until(self.unavailable.get(f.name, 0.0), now))


class KeyObjects:
    """The bundle and the notes of one cache key in `storage`, for the list `proxies`."""

    def __init__(self, storage: ObjectStorage, key: CacheKey, encoding: Encoding, proxies: str) -> None:
        self._storage = storage
        self._encoding = encoding
        self._proxies = proxies
        self._bundle = f"{NOTES_FOLDER}/bundles/{key.text}.{encoding.name}"
        self._notes = f"{NOTES_FOLDER}/notes/{key.text}.json"

    def take_bundle(
        self,
        wanted: Iterable[ModuleFile],
        folder: ModuleFolder,
        deadline: Deadline,
        arrived: Callable[[ModuleFile], None],
    ) -> tuple[frozenset[str], tuple[Notice, ...]]:
        """Put the wanted small files that the bundle has into `folder`.

        Return the names of all its files, and a notice for each wanted one that is damaged. Raises ObjectError if there
        is no bundle, ArchiveError if it is damaged, StoreError as read_archive does, OSError as the folder does.
        """
        by_name = {file.name: file for file in wanted}
        held: set[str] = set()

        def choose(manifest: Manifest) -> Mapping[str, ModuleFile]:
            held.update(member.name for member in manifest.members)
            return by_name

        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as archive:
            self._storage.get(self._bundle, archive, _MOST_BUNDLE_BYTES, deadline)  # type: ignore[arg-type]
            archive.seek(0)
            notices = read_archive(
                archive, self._encoding, folder=folder, deadline=deadline, arrived=arrived, choose=choose
            )
        return frozenset(held), notices

    def put_bundle(self, folder: ModuleFolder, files: Sequence[ModuleFile], deadline: Deadline) -> None:
        """Write the bundle of these files in place of an older one.

        Raises ObjectError, ArchiveError, OSError.
        """
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as archive:
            write_archive(archive, folder, files, self._encoding)
            self._storage.put(self._bundle, archive, deadline, replaces=True)  # type: ignore[arg-type]

    def notes(self, deadline: Deadline) -> KeyNotes:
        """Return what is recorded. Invalid records count as none. Raises ObjectError, except for a missing object."""
        out = BytesIO()
        try:
            self._storage.get(self._notes, out, _MOST_NOTE_BYTES, deadline)
        except ObjectError as error:
            if error.trouble in (Trouble.MISSING, Trouble.TOO_LARGE):
                return KeyNotes()
            raise
        return self._parsed(parse_object(out.getvalue(), _MOST_NOTE_BYTES) or {})

    def put_notes(
        self, runs: Sequence[ColdRun], unavailable: Iterable[str], repacked: Iterable[str], deadline: Deadline
    ) -> None:
        """Record these in place of older notes. Raises ObjectError."""
        until = round(time.time() + UNAVAILABLE_SECONDS)
        values = {
            "format": _FORMAT,
            "runs": [as_note(run) for run in runs[:MOST_RUNS]],
            "unavailable": [{"name": name, "asked": self._proxies, "until": until} for name in sorted(unavailable)],
            "repacked": sorted(repacked)[:_MOST_REPACKED],
        }
        self._storage.put(self._notes, BytesIO(json.dumps(values).encode()), deadline, replaces=True)

    def _parsed(self, values: Mapping[str, Any]) -> KeyNotes:
        if values.get("format") != _FORMAT:
            return KeyNotes()
        try:
            runs = [parse_note(dict(run), lambda name: required(as_text(name))) for run in objects(values, "runs")]
        except ValueError:
            return KeyNotes()
        unavailable = {
            name: until
            for note in list(objects(values, "unavailable"))[:_MOST_UNAVAILABLE]
            if note.get("asked") == self._proxies
            and (name := as_text(note.get("name")))
            and (until := as_number(note.get("until"), 0.0))
        }
        repacked = frozenset(islice(texts(values, "repacked"), _MOST_REPACKED))
        return KeyNotes(tuple(filter(None, runs))[:MOST_RUNS], unavailable, repacked)
