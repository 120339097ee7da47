"""Download one file. A large one comes in parts, and a download that breaks off is resumed, if the server supports it.

RFC 9110, 13.1.5 and 14: `Range` with `If-Range`, so that a file that has changed since then starts again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Cause, Deadline
from go_prefetch.web.answer import Answer, read_short, up_to
from go_prefetch.web.client import HttpClient
from go_prefetch.web.in_flight import Received, Wire
from go_prefetch.web.later_parts import CAN_WRITE_ANYWHERE, LEAST_BYTES, LaterParts
from go_prefetch.web.pacing import refusal_of

_WORDS_SECONDS = 2.0  # that a server's explanation of a failure may be silent
_MOST_WORDS = 300  # characters that are shown of a server's explanation
# A server that breaks off after fewer bytes than this, so many times, is not asked for the rest any more.
_LITTLE = 1 << 20  # bytes
_MOST_TIMES_LITTLE = 100
_MOST_IN_PARTS = 6  # later parts of all files at once


@dataclass
class _Half:
    """What has arrived so far. `validator` is empty if the server cannot resume."""

    out: BinaryIO
    most: int
    total: int = 0
    resumed_at: int = 0
    whole: int | None = None
    validator: str = ""
    has_login: bool = False
    times_little: int = 0
    is_joined: bool = False  # whether parts of several answers are in it
    takes_parts: bool = False  # whether the server says that it does
    interruptions: list[AttemptError] = field(default_factory=list)

    def is_worth_resuming(self, error: AttemptError) -> bool:
        """Return whether to request the rest: any progress counts."""
        progress = self.total - self.resumed_at
        self.times_little += progress < _LITTLE
        enough = progress > 0 and self.times_little <= _MOST_TIMES_LITTLE
        return bool(error.transient and self.validator and enough)

    def take(self, answer: Answer, later_parts: Callable[[_Half], LaterParts | None]) -> None:
        """Read the body of a 200 or a 206. Raises AttemptError.

        `later_parts` is called with the beginning of a file, and may request the rest of it in parts.
        """
        self.has_login = answer.has_login
        later = None
        if answer.status == 206:
            self._check_range(answer)
            self.is_joined = True
        else:
            self._begin(answer)
            later = later_parts(self)
        try:
            self._read(answer, later)
        finally:
            if later:
                later.stop()
                self.is_joined = self.is_joined or later.have_written
        if self.whole is not None and self.total != self.whole:
            raise AttemptError(f"closed after {self.total} of {self.whole} bytes")

    def _read(self, answer: Answer, later: LaterParts | None) -> None:
        for piece in up_to(self.most - self.total, answer.pieces):
            self.total += len(piece)
            self.out.write(piece)
            if later and later.follow_at(self.total):
                self.total = later.joined(self.total)
                self.out.seek(self.total)
                self.is_joined = True
                return

    def _begin(self, answer: Answer) -> None:
        self.out.seek(0)
        self.out.truncate()
        self.total = self.resumed_at = 0
        self.is_joined = False
        headers = answer.headers
        as_it_is = headers.get("Content-Encoding", "identity").lower() == "identity"
        length = headers.get("Content-Length", "")
        self.whole = int(length) if as_it_is and re.fullmatch("[0-9]{1,15}", length) else None
        etag = headers.get("ETag", "")
        validator = etag if etag.startswith('"') else headers.get("Last-Modified", "")
        takes_ranges = "none" not in headers.get("Accept-Ranges", "").lower()
        self.validator = validator if takes_ranges and self.whole else ""
        self.takes_parts = bool(self.validator) and "bytes" in headers.get("Accept-Ranges", "").lower()

    def _check_range(self, answer: Answer) -> None:
        expected = f"bytes {self.total}-{(self.whole or 0) - 1}/{self.whole}"
        if not self.total or answer.headers.get("Content-Range", "").strip() != expected:
            self.validator = ""
            raise AttemptError("another part of the file than was asked for")


class Transfer:
    """Downloads files with one client."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._in_parts = threading.BoundedSemaphore(_MOST_IN_PARTS)

    def get(self, url: str, out: BinaryIO, max_bytes: int, deadline: Deadline, wire: Wire) -> Received:
        """Write the body of `url` to `out`, an empty file.

        Raises AttemptError for all errors of the network, OSError for those of the file system.
        """
        half: _Half | None = None

        def later_parts(begun: _Half) -> LaterParts | None:
            size = begun.whole or 0
            if not (wire.may_resume and CAN_WRITE_ANYWHERE and begun.takes_parts and LEAST_BYTES <= size <= max_bytes):
                return None
            request = partial(self._part, url, deadline)
            return LaterParts(request, begun.validator, size, begun.out, wire)

        while True:
            try:
                with self._client.request("GET", url, deadline, headers=_rest_of(half), wire=wire) as answer:
                    if not (answer.status == 200 or (answer.status == 206 and half)):
                        wire.stall = min(wire.stall, _WORDS_SECONDS)
                        raise error_of(answer)
                    half = half or _Half(out, max_bytes)
                    half.take(answer, later_parts)
                return Received(half.total, half.has_login, tuple(half.interruptions), half.is_joined)
            except AttemptError as error:
                ends = wire.is_cut or deadline.passed() or not wire.may_resume
                if not half or ends or not half.is_worth_resuming(error):
                    raise
                half.interruptions.append(error)
                half.resumed_at = half.total

    @contextmanager
    def _part(self, url: str, deadline: Deadline, headers: Mapping[str, str], wire: Wire) -> Iterator[Answer]:
        """Request a part, in a thread of its own. Raises AttemptError, also if other files come in parts."""
        if not self._in_parts.acquire(blocking=False):
            raise AttemptError("others first")
        try:
            with self._client.request("GET", url, deadline, headers=headers, wire=wire) as answer:
                yield answer
            self._client.close()
        finally:
            self._in_parts.release()


def _rest_of(half: _Half | None) -> dict[str, str]:
    return {"Range": f"bytes={half.total}-", "If-Range": half.validator} if half and half.validator else {}


def error_of(answer: Answer) -> AttemptError:
    """Return the error that an answer without the file means, with the server's explanation."""
    words, not_found = _words_of(answer), answer.status in (404, 410)
    read_short(answer)
    limit = refusal_of(answer.status, answer.headers)
    # proxy.golang.org says so of a module that it has not fetched in time from its origin.
    is_late = not_found and "fetch timed out" in words
    return AttemptError(
        f"{answer.status} {answer.reason}".strip() + (f": {words}" if words else ""),
        not_found=not_found,
        transient=answer.status in TRANSIENT_STATUSES or is_late,
        retry_after=limit.retry_after if limit else None,
        kind="limited" if limit else "error",
        status=answer.status,
        cause=Cause.SLOW_ORIGIN if is_late else Cause.LIMIT if limit else Cause.OTHER,
    )


def _words_of(answer: Answer) -> str:
    """Return the beginning of a server's explanation on one line, if it is text. Go shows it too."""
    if not answer.headers.get("Content-Type", "").lower().startswith(("text/plain", "application/json")):
        return ""
    words = b""
    with suppress(AttemptError):  # the status is enough
        for piece in answer.pieces:
            words += piece[: 4 * _MOST_WORDS]
            if len(words) >= 4 * _MOST_WORDS:
                break
    text = " ".join(words.decode(errors="replace").split())
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}..."
