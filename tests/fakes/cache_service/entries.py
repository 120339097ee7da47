"""What the service keeps, and its rules: who sees which entry, who may make one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

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
    """A reservation, and from its finalization on an entry."""

    number: int
    key: str
    version: str
    scope: str
    reserved_at: float
    blocks: dict[str, bytes] = field(default_factory=dict)
    data: bytes | None = None  # what was committed
    created: int = 0  # order of finalization; 0: not yet


class Refused(Exception):  # noqa: N818
    """An answer other than success: a status, Twirp's code, words, and the seconds to wait."""

    def __init__(self, status: int, code: str, words: str, retry_after: int = 0) -> None:
        super().__init__(words)
        self.status, self.code, self.words, self.retry_after = status, code, words, retry_after


class Entries:
    """All entries of one repository. `clock` is Unix time in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.creates_left = CREATES_A_MINUTE
        self.look_ups_left = LOOK_UPS_A_MINUTE
        self.full = False  # the storage's budget is used up
        self._all: dict[int, Entry] = {}
        self._numbers = itertools.count(1)
        self._finished = itertools.count(1)

    def __iter__(self) -> Iterable[Entry]:  # type: ignore[override]
        return iter([entry for entry in self._all.values() if entry.created])

    def check(self, key: object, version: object) -> tuple[str, str]:
        """Key and version if they are of the right size."""
        if not isinstance(key, str) or not 1 <= len(key) <= 512:
            raise Refused(400, "invalid_argument", "key must be between 1 and 512 characters")
        if not isinstance(version, str) or len(version) != 64:
            raise Refused(400, "invalid_argument", "version must be 64 characters")
        return key, version

    def reserve(self, token: Token, key: str, version: str, *, twice: bool = False) -> Entry:
        """Take a name. With `twice` a name can be taken again, as act allows it."""
        if self.creates_left <= 0:
            raise Refused(429, "resource_exhausted", "rate limit exceeded", retry_after=35)
        self.creates_left -= 1
        if self.full:
            raise Refused(429, "resource_exhausted", "insufficient usage to create the cache entry")
        for entry in self._all.values():
            alive = entry.created or self.clock() - entry.reserved_at < RESERVED_SECONDS
            if (entry.key, entry.version, entry.scope) == (key, version, token.own) and alive and not twice:
                words = "cache entry with the same key, version, and scope already exists"
                raise Refused(409, "already_exists", words)
        entry = Entry(next(self._numbers), key, version, token.own, self.clock())
        self._all[entry.number] = entry
        return entry

    def finish(self, entry: Entry | None, size: int) -> Entry:
        """Make a reservation an entry, if its bytes are there."""
        if size < 1:
            raise Refused(400, "invalid_argument", "size_bytes must be at least 1")
        if entry is None or entry.data is None or len(entry.data) != size:
            raise Refused(404, "not_found", "cache entry not found")
        entry.created = entry.created or next(self._finished)
        return entry

    def pending(self, token: Token, key: str, version: str) -> Entry | None:
        """The newest reservation of this name."""
        named = [e for e in self._all.values() if (e.key, e.version, e.scope) == (key, version, token.own)]
        return named[-1] if named else None

    def find(self, token: Token, keys: Sequence[str], version: str) -> Entry | None:
        """Scope by scope: the first key exactly, then each key as a prefix, the newest of those that match."""
        if self.look_ups_left <= 0:
            raise Refused(429, "resource_exhausted", "rate limit exceeded", retry_after=18)
        self.look_ups_left -= 1
        for scope in token.scopes:
            seen = [e for e in self._all.values() if e.created and (e.version, e.scope) == (version, scope)]
            seen.sort(key=lambda entry: entry.created, reverse=True)
            for entry in seen:
                if entry.key == keys[0]:
                    return entry
            for key in keys:
                for entry in seen:
                    if entry.key.startswith(key):
                        return entry
        return None

    def get(self, number: int) -> Entry | None:
        """By its number."""
        return self._all.get(number)

    def evict(self, number: int) -> None:
        """As the service does when its storage is full."""
        self._all.pop(number, None)
