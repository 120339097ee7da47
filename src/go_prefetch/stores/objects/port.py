"""What a pool asks of a storage of objects, and how such a storage fails.

The name of an object is a path below the prefix of the pool, with `/` between its parts. Everything that a storage
answers is untrusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO, Protocol

from go_prefetch.base.retry import Deadline


class Trouble(Enum):
    """Why a storage did not do what it was asked."""

    MISSING = "missing"  # there is no such object; some storages say DENIED instead, if the caller may not list
    DENIED = "denied"  # 403
    LOGIN = "login"  # 401, or the login is wrong, has expired, or is of another time: no object is missing
    LIMITED = "limited"  # it takes no more requests for now (429, 503 SlowDown)
    UNREACHABLE = "unreachable"  # no answer, after the retries
    TOO_LARGE = "too-large"  # more bytes than the caller takes
    REFUSED = "refused"  # any other answer that is no success


class ObjectError(Exception):
    """A storage did not do what it was asked. `words` are its own, without secrets and signatures."""

    def __init__(self, trouble: Trouble, words: str = "") -> None:
        super().__init__(trouble, words)
        self.trouble = trouble
        self.words = words


@dataclass(frozen=True)
class ObjectInfo:
    """An object: its name, its size in bytes, and when it was written, in Unix seconds."""

    name: str
    bytes: int
    modified: float


class ObjectStorage(Protocol):
    """The objects below one prefix. Safe to use from many threads.

    Every method retries temporary failures itself, and raises ObjectError. None takes much longer than its deadline.
    """

    @property
    def name(self) -> str:
        """Return the display name: the URL of the pool without a login."""

    def get(self, name: str, out: BinaryIO, most: int, deadline: Deadline) -> int:
        """Write an object of at most `most` bytes to `out`, an empty file, and return its size. Raises OSError too."""

    def put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool = False) -> bool:
        """Write all of the open file `content` to an object. Return False if there is one already.

        With `replaces` an older object is replaced. Without it, a storage that cannot tell may replace it too.
        """

    def size(self, name: str, deadline: Deadline) -> int | None:
        """Return the size of an object in bytes; None if there is none."""

    def remove(self, name: str, deadline: Deadline) -> None:
        """Remove an object, if there is one."""

    def entries(self, prefix: str, deadline: Deadline) -> Iterator[ObjectInfo]:
        """Yield the objects below `prefix`, which is one or more whole parts of a name, without the last `/`.

        Raises ObjectError(REFUSED) where that is not possible.
        """
