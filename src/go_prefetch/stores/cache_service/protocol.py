"""What the two protocols have in common, as the store sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice


class NotAllowed(Exception):  # noqa: N818 - no error: the service may say no
    """The service said no, and nothing is wrong with it: why, as a notice."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice)
        self.notice = notice


@dataclass(frozen=True)
class Found:
    """An entry: its whole key, and a signed URL for its bytes that is good for some minutes."""

    key: str
    url: str = field(repr=False)


class Upload(Protocol):
    """An entry that has a key and no bytes yet. Nobody sees it before it is finished."""

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """Send block `number`, which begins at byte `offset`. Safe to call from many threads, in any order."""

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """Make an entry of `size` bytes out of the blocks."""


class CacheService(Protocol):
    """One protocol of a cache service.

    Every method raises Declined, StoreError (`store-unreachable`, `store-refused`).
    """

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """The newest entry whose key begins with the first prefix, or with the second, …, in the best scope."""

    def reserve(self, key: str, deadline: Deadline) -> Upload:
        """Take the key for an upload."""
