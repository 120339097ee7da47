"""The ranges that a blob is read in: where each begins, and what an answer to one says. RFC 9110, 14.4.

The first ones are small: an answer takes a fifth of a second to begin, whatever is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError
from go_prefetch.errors import StoreError

if TYPE_CHECKING:
    from go_prefetch.web.answer import Answer

EAGER = 16  # ranges that can be asked for before anybody knows how many bytes there are
_EAGER_BYTES = 1 << 20  # of each of these
_BYTES = 4 << 20  # of all others
_NUMBER = "([0-9]{1,15})"
_CONTENT_RANGE = re.compile(f"bytes {_NUMBER}-{_NUMBER}/{_NUMBER}")
_GONE = (404, 412, 416)  # it is gone, was exchanged, is shorter than it was


class GoneError(Exception):
    """The blob is not, or no longer, what the first answer promised; `status` says how."""

    def __init__(self, status: int = 412) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Announced:
    """What the headers of an answer say: bytes of this range and of the whole blob, and its ETag."""

    bytes: int
    total: int
    etag: str


def first_byte(number: int) -> int:
    """Where a range begins."""
    return min(number, EAGER) * _EAGER_BYTES + max(0, number - EAGER) * _BYTES


def headers_for(number: int, etag: str) -> dict[str, str]:
    """What asks for a range, of this very blob if its ETag is known."""
    wanted = f"bytes={first_byte(number)}-{first_byte(number + 1) - 1}"
    return {"Range": wanted, **({"If-Match": etag} if etag else {})}


def announced(number: int, answer: Answer) -> Announced:
    """What an answer brings. Raises AttemptError for a slip, GoneError, and StoreError where asking again is vain."""
    if answer.status in _GONE:
        raise GoneError(answer.status)
    if answer.status != 206 and answer.status not in TRANSIENT_STATUSES:
        raise StoreError("store-refused", call="read", status=answer.status)
    if answer.status != 206:
        raise AttemptError(f"status {answer.status}")
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    first = first_byte(number)
    if match is None or int(match[1]) != first:
        raise AttemptError("an answer for another range")
    total, last = int(match[3]), int(match[2])
    if last < first or last != min(first_byte(number + 1), total) - 1:
        raise AttemptError("an answer for another range")
    return Announced(last - first + 1, total, answer.headers.get("ETag", ""))


def length_of(answer: Answer) -> int | None:
    """How many bytes an answer says that it brings."""
    match = re.fullmatch(_NUMBER, answer.headers.get("Content-Length", ""))
    return int(match[1]) if match else None
