"""A bucket in place of a cache service: entries of the build cache as objects.

    .go-prefetch/entries/go-prefetch-build-1/<compiled by>/<job>/<id>[/<id of each entry below>]/<run>.<encoding>

The name has the whole key, and its parts are folders, because clients list whole folders. So one request finds the
newest entry of a job and all below it. An entry appears complete, under a new name, and never changes. Nothing is
locked. A delta whose base another job has removed meanwhile is removed too.

Only the entries of one job are ever listed, or those of one toolchain for a job that has none. A bucket forgets those
of other toolchains by a lifecycle rule.
"""

from __future__ import annotations

import io
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, cast

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError, notice
from go_prefetch.model.build_lineage import DIGITS, PREFIX, BuildEntryName, parse_build_key
from go_prefetch.stores.cache_service.protocol import Found, NotAllowed, Upload
from go_prefetch.stores.cache_service.range_buffer import Arrivals
from go_prefetch.stores.cache_service.reading import Connection
from go_prefetch.stores.entry_files import ENTRIES, HEADS, YOUNG
from go_prefetch.stores.objects.intake import trouble_error
from go_prefetch.stores.objects.port import ObjectError, ObjectStorage, Trouble

_ROOT = "/".join((*ENTRIES, PREFIX))
_MOST_ENTRIES = 10_000  # of one listing
_HEX = f"([0-9a-f]{{{DIGITS}}})"
# The beginnings of keys that are looked up: of a toolchain, of a job, of an entry.
_PREFIX = re.compile(rf"{PREFIX}-{_HEX}-(?:{_HEX}-(?:{_HEX}(?:[.-].*)?)?)?", re.ASCII | re.DOTALL)
_NAME = re.compile(rf"{re.escape(_ROOT)}/([^/]+)/([^/]+)/([0-9a-f/]+)/([0-9.]+)\.([a-z0-9-]+)", re.ASCII)


def object_connection(storage: ObjectStorage, encoding_name: str) -> Connection:
    """Return the connection to the entries on `storage`."""
    service = EntryObjects(storage, encoding_name)
    # The arguments that are left out are about URLs that expire, and about ranges.
    return Connection(service, lambda url, _, deadline, __: ObjectStream(storage, url, service.size_of(url), deadline))


@dataclass(frozen=True)
class EntryObject:
    """An entry in a listing."""

    name: str
    entry: BuildEntryName
    bytes: int
    saved: float  # Unix time, by the clock of the storage


def object_name(entry: BuildEntryName, encoding: str) -> str:
    """Return the name of the object of an entry."""
    compiled_by, job, _ = entry.lineage.removeprefix(f"{PREFIX}-").split("-")
    run = entry.key.rpartition("-")[2]
    return "/".join((_ROOT, compiled_by, job, *entry.ids, f"{run}.{encoding}"))


def entry_of(name: str, encoding: str) -> BuildEntryName | None:
    """Return the key in the name of an object; None for one that go-prefetch did not write in this encoding."""
    match = _NAME.fullmatch(name)
    key = f"{PREFIX}-{match[1]}-{match[2]}-{match[3].replace('/', '.')}-{match[4]}" if match else ""
    entry = parse_build_key(key)
    return entry if entry and object_name(entry, encoding) == name else None


def lineage_of(name: str) -> str:
    """Return the prefix of the keys of the entry with this name, in any encoding; empty if it is none."""
    entry = entry_of(name, name.rpartition(".")[2])
    return entry.lineage.rstrip("-") if entry else ""


class EntryObjects:
    """The entries of one encoding. A CacheService whose URLs are the names of objects."""

    def __init__(self, storage: ObjectStorage, encoding: str) -> None:
        self.storage = storage
        self.encoding = encoding
        self._listed: dict[str, list[EntryObject]] = {}

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """See CacheService. What one listing showed is not listed again."""
        for prefix in prefixes:
            for one in self._entries_for(prefix, deadline):
                if one.entry.key.startswith(prefix):
                    return Found(one.entry.key, one.name)
        return None

    def reserve(self, key: str, deadline: Deadline) -> Upload:
        """See CacheService. Nothing is reserved before the entry is complete."""
        entry = parse_build_key(key)
        if entry is None:
            raise NotAllowed(notice("store-not-allowed", "not-taken"))
        self.refuse(entry, self.of_job(entry, deadline))
        return _ObjectUpload(self, entry)

    def of_job(self, entry: BuildEntryName, deadline: Deadline) -> list[EntryObject]:
        """List the entries of the lineage of an entry, the newest first."""
        return self._list(object_name(entry, self.encoding).rsplit("/", len(entry.ids) + 1)[0], deadline)

    def refuse(self, entry: BuildEntryName, found: Sequence[EntryObject]) -> None:
        """Raise NotAllowed if its lineage has such an entry, or not each one below."""
        if any(one.entry.key == entry.key for one in found):
            raise NotAllowed(notice("entry-taken"))
        refuse_without_base(entry, found)

    def size_of(self, name: str) -> int:
        """Return the bytes of an entry that a listing showed."""
        return next((one.bytes for found in self._listed.values() for one in found if one.name == name), 0)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise StoreError in place of ObjectError."""
        try:
            yield
        except ObjectError as error:
            raise trouble_error(self.storage.name, error) from None

    def _entries_for(self, prefix: str, deadline: Deadline) -> list[EntryObject]:
        """Return the entries among which are all whose keys begin with `prefix`, the newest first."""
        match = _PREFIX.fullmatch(prefix)
        if match is None:
            return []
        folder = "/".join((_ROOT, *filter(None, match.groups())))
        for known, found in self._listed.items():
            if f"{folder}/".startswith(f"{known}/"):
                return found
        self._listed[folder] = self._list(folder, deadline)
        return self._listed[folder]

    def _list(self, folder: str, deadline: Deadline) -> list[EntryObject]:
        with self.errors():
            found = list(islice(self.storage.entries(f"{folder}/", deadline), _MOST_ENTRIES))
        entries = [
            EntryObject(one.name, entry, one.bytes, one.modified)
            for one in found
            if (entry := entry_of(one.name, self.encoding))
        ]
        # Many storages note the second only, and in that second a delta is newer than what it adds to.
        return sorted(entries, key=lambda one: (one.saved, len(one.entry.ids), one.name), reverse=True)


class ObjectStream:
    """The archive of an entry as it arrives, some pieces ahead of the reader."""

    def __init__(self, storage: ObjectStorage, name: str, size: int, deadline: Deadline) -> None:
        self._storage = storage
        self._name = name
        self._size = size
        self._deadline = deadline
        self._arrivals = Arrivals(deadline)
        self._rest = memoryview(b"")

    def __enter__(self) -> ObjectStream:
        self._arrivals.begin_stream(self._size)
        run_in_background(self._bring)
        return self

    def __exit__(self, *_: object) -> None:
        self._arrivals.close()

    @property
    def received(self) -> int:
        """Return the bytes so far, including those that are not read yet."""
        return self._arrivals.received

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, in order; none at the end. Raises StoreError."""
        if not self._rest:
            self._rest = memoryview(self._arrivals.awaited())
        some, self._rest = self._rest[:size], self._rest[size:]
        return bytes(some)

    def _bring(self) -> None:
        out = cast(BinaryIO, _Pieces(self._arrivals.add_to_stream))
        try:
            self._storage.get(self._name, out, self._size, self._deadline)
            self._arrivals.end_stream()
        except ObjectError as error:
            is_gone = error.trouble in (Trouble.MISSING, Trouble.TOO_LARGE)
            gone = StoreError("store-damaged", "gone", key=self._name)
            self._arrivals.fail(gone if is_gone else trouble_error(self._storage.name, error))
        except Exception as error:  # noqa: BLE001 - the reader must not wait without end
            self._arrivals.fail(StoreError("store-unreachable", "reading", words=str(error)))


class _Pieces(io.RawIOBase):
    """A file that hands on what is written to it, until `take` returns False."""

    def __init__(self, take: Callable[[bytes], bool]) -> None:
        super().__init__()
        self._take = take

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: object, /) -> int:
        """Hand on bytes. Raises OSError once they are no longer wanted."""
        piece = bytes(cast(bytes, data))
        if not self._take(piece):
            raise OSError("no longer read")
        return len(piece)


class _ObjectUpload:
    """An entry that is being written to a temporary file. The storage gets it when it is complete."""

    def __init__(self, service: EntryObjects, entry: BuildEntryName) -> None:
        self._service = service
        self._entry = entry
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it ends with the upload

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """See Upload. Raises OSError for a full disk."""
        del number
        with self._lock:
            if deadline.passed() or self._file.closed:
                raise StoreError("store-slow", "upload")
            self._file.seek(offset)
            self._file.write(block)

    def put_whole(self, content: bytes, deadline: Deadline) -> None:
        """See Upload."""
        self.put(0, 0, content, deadline)
        self.finish(1, len(content), deadline)

    def abandon(self) -> None:
        """See Upload."""
        with self._lock:
            self._file.close()

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """See Upload. Then remove the entries that it replaces."""
        del blocks, size
        service, entry = self._service, self._entry
        name = object_name(entry, service.encoding)
        with service.errors(), self._file:
            if not service.storage.put(name, self._file, deadline):
                raise NotAllowed(notice("entry-taken"))
        with suppress(ObjectError, StoreError):  # the entry is saved; this job may not list or remove, for example
            found = service.of_job(entry, deadline)
            try:
                refuse_without_base(entry, found)
            except NotAllowed:
                service.storage.remove(name, deadline)
                raise
            for one in superfluous(found):
                service.storage.remove(one.name, deadline)


def refuse_without_base(entry: BuildEntryName, found: Sequence[EntryObject]) -> None:
    """Raise NotAllowed if its lineage has not each entry below this one."""
    if not {one.entry.ids[0] for one in found}.issuperset(entry.ids[1:]):
        raise NotAllowed(notice("entry-base-gone"))


def superfluous(found: Sequence[EntryObject]) -> list[EntryObject]:
    """Return those that no later run will read. `found` are all of one lineage, the newest first.

    The newest ones stay, those saved within an hour of the newest, and all entries below them.
    """
    young = found[0].saved - YOUNG / 10**9 if found else 0.0
    heads = [one for number, one in enumerate(found) if number < HEADS or one.saved > young]
    needed = {one_id for head in heads for one_id in head.entry.ids}
    return [one for one in found if one not in heads and one.entry.ids[0] not in needed]
