"""What the service keeps, and its rules: who sees which entry, who may make one."""

from __future__ import annotations

import itertools
import math
import mmap
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.fakes.cache_service.answers import Refused

RESERVED_SECONDS = 24 * 3600
CREATES_A_MINUTE = 200
LOOK_UPS_A_MINUTE = 1500


@dataclass(frozen=True)
class Token:
    """What a job's token allows: writing to its own ref, reading from that and from others, the nearest first."""

    text: str = "job-token"
    own: str = "refs/heads/main"
    others: tuple[str, ...] = ()
    reads: bool = True
    writes: bool = True

    @property
    def scopes(self) -> tuple[str, ...]:
        """The refs whose entries it sees, in the order in which they are searched."""
        return self.own, *self.others


@dataclass
class Entry:
    """A reservation, and from its finalization on an entry. Times are Unix time in seconds."""

    number: int
    key: str
    version: str
    scope: str
    reserved_at: float
    blocks: dict[str, bytes] = field(default_factory=dict)  # v2: by block id, invisible until listed
    chunks: dict[int, bytes] = field(default_factory=dict)  # v1: by offset
    created: int = 0  # order of finalization; 0: not yet
    created_at: float = 0
    edition: int = 0  # how often the bytes were exchanged
    _data: bytes | mmap.mmap | None = None

    @property
    def data(self) -> bytes | mmap.mmap | None:
        """What was committed."""
        return self._data

    @data.setter
    def data(self, data: bytes | None) -> None:
        self._data = data
        self.edition += 1

    @property
    def etag(self) -> str:
        """Another one for every blob, and whenever its bytes are exchanged."""
        return f'"0x8D{self.number:06X}{self.edition:06X}"'

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._data or b"")

    def move_to(self, folder: Path) -> None:
        """Let the bytes lie in a file without a name instead of memory."""
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(self._data or b"")
            file.flush()
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.blocks.clear()


class Entries:
    """All entries of one repository, their bytes in memory or in files of `folder`. `clock` is Unix time in seconds."""

    def __init__(self, clock: Callable[[], float], *, has_limits: bool, folder: Path | None) -> None:
        self.clock = clock
        self.creates_left = CREATES_A_MINUTE
        self.look_ups_left = LOOK_UPS_A_MINUTE
        self._has_limits = has_limits
        self._folder = folder
        self.full = False  # the storage's budget is used up
        self._minute_began: float | None = None
        self._all: dict[int, Entry] = {}
        self._numbers = itertools.count(1)
        self._finished = itertools.count(1)

    def __iter__(self) -> Iterator[Entry]:
        return iter([entry for entry in self._all.values() if entry.created])

    def check(self, key: object, version: object) -> tuple[str, str]:
        """Key and version if they are of the right size."""
        if not isinstance(key, str) or not 1 <= len(key) <= 512:
            raise Refused(400, "invalid_argument", "key must be between 1 and 512 characters")
        if not isinstance(version, str) or len(version) != 64:
            raise Refused(400, "invalid_argument", "version must be between 1 and 64 characters")
        return key, version

    def reserve(self, token: Token, key: str, version: str, *, twice: bool = False) -> Entry:
        """Take a name. With `twice` a name can be taken again, as act allows it."""
        wait = self._seconds_to_next_minute()
        if self._has_limits and self.creates_left <= 0:
            raise Refused(429, "resource_exhausted", "rate limit exceeded", retry_after=wait)
        self.creates_left -= 1
        if self.full:
            raise Refused(429, "resource_exhausted", "insufficient usage to create the cache entry")
        if not twice and any(self._holds(entry, token, key, version) for entry in self._all.values()):
            words = "cache entry with the same key, version, and scope already exists"
            raise Refused(409, "already_exists", words)
        return self._add(token, key, version)

    def plant(self, token: Token, key: str, version: str, data: bytes) -> Entry:
        """Add an entry of another job; it counts against no limit."""
        entry = self._add(token, key, version)
        entry.data = data
        return self.finish(entry, len(data))

    def finish(self, entry: Entry | None, size: int) -> Entry:
        """Make a reservation an entry, if its bytes are there."""
        if size < 1:
            raise Refused(400, "invalid_argument", "size_bytes must be greater than 0")
        if entry is None or entry.data is None or len(entry.data) != size:
            raise Refused(404, "not_found", "cache entry not found")
        if not entry.created:
            entry.created, entry.created_at = next(self._finished), self.clock()
            if self._folder:
                entry.move_to(self._folder)
        return entry

    def pending(self, token: Token, key: str, version: str) -> Entry | None:
        """The newest reservation of this name."""
        named = [e for e in self._all.values() if (e.key, e.version, e.scope) == (key, version, token.own)]
        return named[-1] if named else None

    def find(self, token: Token, keys: Sequence[str], version: str) -> Entry | None:
        """Scope by scope: the first key exactly, then each key as a prefix, the newest of those that match."""
        wait = self._seconds_to_next_minute()
        if self._has_limits and self.look_ups_left <= 0:
            raise Refused(429, "resource_exhausted", "rate limit exceeded", retry_after=wait)
        self.look_ups_left -= 1
        for scope in token.scopes:
            seen = [e for e in self._all.values() if e.created and (e.version, e.scope) == (version, scope)]
            seen.sort(key=lambda entry: entry.created, reverse=True)
            exact = [entry for entry in seen if entry.key == keys[0]]
            by_prefix = [entry for key in keys for entry in seen if entry.key.startswith(key)]
            if exact or by_prefix:
                return (exact or by_prefix)[0]
        return None

    def get(self, number: int) -> Entry | None:
        """By its number."""
        return self._all.get(number)

    def evict(self, number: int) -> None:
        """As the service does when its storage is full."""
        self._all.pop(number, None)

    def _add(self, token: Token, key: str, version: str) -> Entry:
        entry = Entry(next(self._numbers), key, version, token.own, self.clock())
        self._all[entry.number] = entry
        return entry

    def _holds(self, entry: Entry, token: Token, key: str, version: str) -> bool:
        alive = entry.created or self.clock() - entry.reserved_at < RESERVED_SECONDS
        return bool(alive) and (entry.key, entry.version, entry.scope) == (key, version, token.own)

    def _seconds_to_next_minute(self) -> int:
        now = self.clock()
        if self._minute_began is None:
            self._minute_began = now
        elif now - self._minute_began >= 60:
            self._minute_began = now
            self.creates_left, self.look_ups_left = CREATES_A_MINUTE, LOOK_UPS_A_MINUTE
        return max(1, math.ceil(self._minute_began + 60 - now))
