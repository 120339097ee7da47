"""The later parts of a large file, requested while its beginning arrives: one connection may be slower than the link.

All parts must be of one file: each request has `If-Range` (RFC 9110, 13.1.5). The first answer is left only once all
parts are arriving: a server may answer one request after the other. If one fails before that, the first answer brings
the rest. If one fails later, the caller requests the rest in one piece.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from go_prefetch.base.background import run_in_background
from go_prefetch.web.answer import Answer, up_to
from go_prefetch.web.in_flight import Wire

LEAST_BYTES = 16 << 20  # of a file; the parts of a smaller one would arrive hardly earlier
_PARTS = 4  # with the beginning
CAN_WRITE_ANYWHERE = hasattr(os, "pwrite")

# Headers and a wire to an open request for the file.
Request = Callable[[Mapping[str, str], Wire], AbstractContextManager[Answer]]


@dataclass
class _Part:
    start: int
    end: int
    wire: Wire = field(default_factory=Wire)
    is_arriving: bool = False
    came: Future[bool] = field(default_factory=Future)


class LaterParts:
    """Begins to request the later parts of a file of `whole` bytes. Call `stop` before `out` is used otherwise."""

    def __init__(self, request: Request, validator: str, whole: int, out: BinaryIO, wire: Wire) -> None:
        self.have_written = False  # whether bytes of a part are in the file
        self._request = request
        self._validator = validator
        self._whole = whole
        self._file = out.fileno()
        self._wire = wire
        bounds = [whole * number // _PARTS for number in range(1, _PARTS + 1)]
        self._parts = [_Part(start, end) for start, end in itertools.pairwise(bounds)]
        for part in self._parts:
            wire.lead(part.wire)
            try:
                part.came = run_in_background(partial(self._bring, part))
            except RuntimeError:  # no other thread may start
                part.came.set_result(False)

    def follow_at(self, total: int) -> bool:
        """Return whether the first `total` bytes reach the parts, and all of those have come or are arriving."""
        if any(part.came.done() and not part.came.result() for part in self._parts):
            self._cut()
            return False
        return total >= self._parts[0].start and all(part.is_arriving for part in self._parts)

    def joined(self, total: int) -> int:
        """Wait for the parts that follow `total` bytes without a gap. Return the bytes up to their end."""
        for part in self._parts:
            if total < part.start or not part.came.result():
                break
            total = max(total, part.end)
        return total

    def stop(self) -> None:
        """End all requests, and wait until nothing is written any more."""
        self._cut()
        for part in self._parts:
            part.came.result()

    def _cut(self) -> None:
        for part in self._parts:
            if not (part.came.done() or part.wire.is_cut):
                part.wire.cut()

    def _bring(self, part: _Part) -> bool:
        """Download one part to its place, and return whether all of it has come."""
        wanted = {"Range": f"bytes={part.start}-{part.end - 1}", "If-Range": self._validator}
        expected = f"bytes {part.start}-{part.end - 1}/{self._whole}"
        try:
            with self._request(wanted, part.wire.patient(0.0)) as answer:
                if answer.status != 206 or answer.headers.get("Content-Range", "").strip() != expected:
                    return False
                part.is_arriving = True
                return self._written(part, answer) == part.end
        except Exception:  # noqa: BLE001 - whatever it is, the caller requests the rest, and `stop` waits for all parts
            return False

    def _written(self, part: _Part, answer: Answer) -> int:
        at = part.start
        for piece in up_to(part.end - part.start, answer.pieces):
            rest = memoryview(piece)
            self.have_written = True
            while rest:
                count = os.pwrite(self._file, rest, at)
                at += count
                rest = rest[count:]
            self._wire.note_progress(len(piece))
        return at
