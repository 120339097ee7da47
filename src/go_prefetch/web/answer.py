"""A server's answer: its body up to a limit, decoded if the server encodes it without a request to do so."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from go_prefetch.base.retry import AttemptError, Cause

_CHUNK = 1 << 16
_SHORT = 16 << 10
_SIZE = re.compile("[0-9]{1,15}")
# The most bytes of a body beyond its content: a header or empty blocks without end have no content.
_MOST_OVERHEAD = 1 << 20


@dataclass(frozen=True)
class Answer:
    """A server's answer. `pieces` is the decoded body as it arrives; it raises AttemptError."""

    status: int
    reason: str
    headers: Mapping[str, str]  # names in any case
    pieces: Iterator[bytes]
    has_login: bool = False  # whether the request had a user and password of the URL or netrc

    def read(self, most: int) -> bytes:
        """Return the whole body. Raises AttemptError, also if it is larger than `most` bytes."""
        return b"".join(up_to(most, self.pieces))


def whole_size(answer: Answer) -> int | None:
    """Return the bytes of the whole file from the headers of a 200 or a 206; None if they do not say."""
    name = "Content-Range" if answer.status == 206 else "Content-Length"
    text = answer.headers.get(name, "").rpartition("/")[2].strip()
    return int(text) if _SIZE.fullmatch(text) else None


def read_short(answer: Answer, *, is_head: bool = False) -> None:
    """Read a body that is short or must be empty, so that the connection serves the next request."""
    size = 0 if is_head or answer.status in (204, 304) else None if answer.status == 206 else whole_size(answer)
    if size is not None and size <= _SHORT:
        with suppress(AttemptError):
            answer.read(_SHORT)


def up_to(most: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a body. Raises AttemptError before the piece that exceeds `most` bytes."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise AttemptError(f"more than {most} bytes", transient=False, cause=Cause.TOO_LARGE)
        yield piece


def decode(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the decoded body in small pieces. Raises AttemptError.

    Some servers and middleboxes encode a body although the request does not allow it.
    """
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        yield from pieces
        return
    if coding not in ("gzip", "x-gzip"):
        raise AttemptError(f"an answer in {coding[:40]!r}, an encoding that was not asked for", transient=False)
    try:
        yield from _inflate(pieces)
    except zlib.error as error:
        raise AttemptError(f"not the gzip it says it is: {error}") from None


def _inflate(pieces: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    overhead = 0
    for piece in pieces:
        overhead += len(piece)
        waiting = piece
        while waiting:
            if inflater.eof:  # zlib would keep everything that follows
                raise AttemptError("not the gzip it says it is: more follows its end")
            some = inflater.decompress(waiting, _CHUNK)
            waiting = inflater.unconsumed_tail or inflater.unused_data
            overhead -= len(some)
            yield some
        if overhead > _MOST_OVERHEAD:
            raise AttemptError("a gzip that brings less than it takes", transient=False)
    if not inflater.eof:
        raise AttemptError("a gzip answer without its end")
