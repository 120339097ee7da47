"""How one entry after the other is read, whatever is in it. What went wrong becomes a warning."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.stores.cache_service.compression import ArchiveError, Readable
from go_prefetch.stores.cache_service.protocol import CacheService, Found


class Stream(Readable, Protocol):
    """The bytes of an entry as they arrive."""

    @property
    def received(self) -> int:
        """Return the number of bytes, including those that are not read yet."""


@dataclass(frozen=True)
class Connection:
    """A protocol, and how to read an entry that it finds: its URL, a way to get a new one, a deadline, its ranges."""

    service: CacheService
    open: Callable[[str, Callable[[], str], Deadline, int], AbstractContextManager[Stream]]


class EntryReader:
    """Reads entries, also several at once, and keeps what can be said of them together."""

    def __init__(self, connection: Connection) -> None:
        self.bytes = 0
        self.damaged: set[str] = set()  # keys of entries that no later entry may rely on
        self.gave_up = ""  # the slug of the error that ended it
        self.warnings: list[Notice] = []
        self._connection = connection
        self._lock = threading.Lock()

    def read(
        self, found: Found, deadline: Deadline, read: Callable[[Stream], tuple[Notice, ...]], ranges: int = 0
    ) -> None:
        """Call `read` with the bytes of an entry. It returns a notice for each thing that is wrong with its files.

        `ranges` is the number of ranges that the entry surely has. Raises what `read` raises, but no StoreError and no
        ArchiveError: these become warnings.
        """
        renew = partial(self._renewed, found.key, deadline)
        with self._connection.open(found.url, renew, deadline, ranges) as stream:
            try:
                with self.noting(found.key):
                    self.note(found.key, read(stream))
            finally:
                with self._lock:
                    self.bytes += stream.received

    @contextmanager
    def noting(self, key: str) -> Iterator[None]:
        """Turn a StoreError or ArchiveError of the block, which is about this entry, into a warning."""
        try:
            yield
        except ArchiveError as error:
            self.note(key, [notice("store-damaged", "entry", key=key, problem=str(error))])
        except StoreError as error:
            self.warnings.append(error.notice)
            if error.slug in ("store-slow", "store-no-room"):
                self.gave_up = error.slug
            else:
                self.damaged.add(key)

    def note(self, key: str, problems: Sequence[Notice]) -> None:
        """Keep what is wrong with an entry."""
        if problems:
            self.damaged.add(key)
            self.warnings.extend(problems)

    def _renewed(self, key: str, deadline: Deadline) -> str:
        found = self._connection.service.look_up([key], deadline)
        if found is None or found.key != key:
            raise StoreError("store-damaged", "gone", key=key)
        return found.url
