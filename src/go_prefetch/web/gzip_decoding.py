"""Bodies in an encoding that nobody asked for, as some servers and middleboxes send them all the same."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from go_prefetch.base.retry import AttemptError

_CHUNK = 1 << 16
# A body may take so many bytes more than it brings: a header without end, or empty blocks for ever, bring nothing.
_MOST_OVERHEAD = 1 << 20


def decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The body without its encoding, never much of it at once. Raises AttemptError."""
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        yield from pieces
        return
    if coding not in ("gzip", "x-gzip"):
        raise AttemptError(f"an answer in {coding[:40]!r}, an encoding that was not asked for", transient=False)
    try:
        yield from _inflated(pieces)
    except zlib.error as error:
        raise AttemptError(f"not the gzip it says it is: {error}") from None


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    overhead = 0
    for piece in pieces:
        overhead += len(piece)
        waiting = piece
        while waiting:
            if inflater.eof:  # zlib would keep all that follows
                raise AttemptError("not the gzip it says it is: more follows its end")
            some = inflater.decompress(waiting, _CHUNK)
            waiting = inflater.unconsumed_tail or inflater.unused_data
            overhead -= len(some)
            yield some
        if overhead > _MOST_OVERHEAD:
            raise AttemptError("a gzip that brings less than it takes", transient=False)
    if not inflater.eof:
        raise AttemptError("a gzip answer without its end")
