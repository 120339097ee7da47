"""A blob as a stream: downloaded by ranges, many at once, returned in order, in bounded memory.

One range is requested first, unless the URL is signed for a storage that is known to have ranges. More are requested
once the server has shown that it knows ranges. A server that does not know them sends one stream. A failed range is
retried, with a new URL if the old one has expired. The failures of one blob are counted together, until a range
arrives. A range that blocks the reader and is slower than the others is requested a second time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Backoff, Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.protocol import NotAllowed, without_queries
from go_prefetch.stores.cache_service.range_buffer import Announced, Arrivals, GoneError, first_byte
from go_prefetch.web.answer import Answer, up_to

if TYPE_CHECKING:
    from go_prefetch.web.client import HttpClient

_AT_ONCE = 20
_TIMES_MORE = 6  # failures in a row of a blob, for each attempt at one file; an unlucky row, where two in three fail
_LONGEST_WAIT = 0.5  # seconds between them; the reader waits
_NUMBER = "([0-9]{1,15})"
_CONTENT_RANGE = re.compile(f"bytes {_NUMBER}-{_NUMBER}/{_NUMBER}")  # RFC 9110, 14.4
# Parameters of signed URLs: Azure (a service SAS for a blob), S3 and GCS. Each of these storages knows ranges.
_SIGNED = ({"sig", "sr"}, {"X-Amz-Signature"}, {"X-Goog-Signature"})
_PAST_END = 416
_GONE = (404, 412, _PAST_END)  # it is gone, was replaced, or is shorter than before


class Blob:
    """The source: a signed URL, and a way to get a new one. `renewed` raises StoreError, and NotAllowed."""

    def __init__(self, url: str, renewed: Callable[[], str]) -> None:
        self.url = url
        self._renewed = renewed
        self._lock = threading.Lock()

    def renew(self, refused: str) -> bool:
        """Get a new URL in place of this one, once for all threads whose request was refused with it.

        Return whether this thread got it.
        """
        with self._lock:
            is_first = self.url == refused
            if is_first:
                self.url = self._renewed()
            return is_first


class RangeReader:
    """`read` it like a file. A context manager: at its end, no more requests are made.

    Raises StoreError: `store-unreachable`, `store-slow` (the deadline has passed, or the rate is too low),
    `store-damaged` (the blob is gone, or its parts do not belong together).
    """

    def __init__(self, client: HttpClient, blob: Blob, backoff: Backoff, deadline: Deadline, at_first: int = 1) -> None:
        """Read `blob`, which is expected to have `at_first` ranges. These need not wait for the first answer."""
        self._client = client
        self._blob = blob
        self._backoff = backoff
        self._deadline = deadline
        self._arrivals = Arrivals(deadline, min(at_first, _AT_ONCE) if _has_ranges(blob.url) else 1)
        self._rest = memoryview(b"")

    def __enter__(self) -> RangeReader:
        for _ in range(_AT_ONCE):
            threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._arrivals.close()

    @property
    def received(self) -> int:
        """Return the bytes so far, including those that are not read yet."""
        return self._arrivals.received

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, in order; none at the end."""
        if not self._rest:
            self._rest = memoryview(self._arrivals.awaited())
        some, self._rest = self._rest[:size], self._rest[size:]
        return bytes(some)

    def _work(self) -> None:
        """Run one of the threads: take a range and download it, until there is none."""
        while (number := self._arrivals.wanted()) is not None:
            try:
                self._bring(number)
            except StoreError as error:
                self._arrivals.fail(error)
            except GoneError as gone:
                self._arrivals.fail(StoreError("store-damaged", "exchanged", status=gone.status))
            except NotAllowed as no:  # a new URL
                self._arrivals.fail(StoreError("store-unreachable", "no-new-url", cause=no.notice))
            except Exception as error:  # noqa: BLE001 - the reader must not wait without end
                self._arrivals.fail(StoreError("store-unreachable", "reading", words=str(error)))

    def _bring(self, number: int) -> None:
        """Download one range, until too many requests for this blob have failed in a row."""
        failed, most = 0, self._backoff.attempts * _TIMES_MORE
        while failed < most:
            url = self._blob.url
            try:
                if not self._attempt(number, url):
                    return
                words = "status 403"
                failed = self._arrivals.count_failure(_TIMES_MORE if self._blob.renew(url) else 0)
            except AttemptError as error:
                words = without_queries(str(error))
                failed = self._arrivals.count_failure() if error.transient else most
                wait = min(_LONGEST_WAIT, self._backoff.wait(failed))
                if failed < most and not self._arrivals.pause(wait):
                    return
            if self._arrivals.is_done(number) or self._deadline.passed():
                return
        raise StoreError("store-unreachable", "reading", words=words)

    def _attempt(self, number: int, url: str) -> bool:
        """Download it. Return True if the URL is not accepted, or no longer."""
        headers = _headers_for(number, self._arrivals.etag)
        with self._client.request("GET", url, self._deadline, headers=headers) as answer:
            if answer.status == 403:
                return True
            if answer.status == _PAST_END and self._arrivals.turns_out_past_end(number):
                return False
            if answer.status != 200:
                self._take_part(number, answer)
            elif number == 0:
                self._take_whole(answer)
            elif not self._arrivals.is_done(number):
                raise AttemptError("all of it where a part was asked for")
        return False

    def _take_part(self, number: int, answer: Answer) -> None:
        """Read one range. Raises AttemptError, GoneError, StoreError."""
        coming = _announced(number, answer)
        self._arrivals.agree(coming)
        part, size = bytearray(coming.bytes), 0
        for piece in up_to(coming.bytes, answer.pieces):
            if self._arrivals.is_done(number):
                return
            part[size : size + len(piece)] = piece
            size += len(piece)
            self._arrivals.count(len(piece))
        if size != coming.bytes:
            raise AttemptError(f"{size} of {coming.bytes} bytes")
        self._arrivals.put(number, part)

    def _take_whole(self, answer: Answer) -> None:
        """Read one stream. A failed stream is not repeated, because it would start from the beginning."""
        if not self._arrivals.begin_stream(_length_of(answer)):
            return
        try:
            for piece in answer.pieces:
                if not self._arrivals.add_to_stream(piece):
                    return
        except AttemptError as error:
            raise StoreError("store-unreachable", "reading", words=without_queries(str(error))) from None
        self._arrivals.end_stream()


def _has_ranges(url: str) -> bool:
    """Return whether the URL is signed for a storage that is known to have ranges."""
    try:
        names = {name for name, _ in parse_qsl(urlsplit(url).query)}
    except ValueError:  # no URL, as the request will tell
        return False
    return any(names >= signed for signed in _SIGNED)


def _headers_for(number: int, etag: str) -> dict[str, str]:
    """Return the headers for a range, of this same blob if its ETag is known."""
    wanted = f"bytes={first_byte(number)}-{first_byte(number + 1) - 1}"
    return {"Range": wanted, **({"If-Match": etag} if etag else {})}


def _announced(number: int, answer: Answer) -> Announced:
    """Parse an answer's headers. Raises AttemptError for a temporary failure, GoneError, and StoreError for others."""
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


def _length_of(answer: Answer) -> int | None:
    """Return the bytes that an answer announces."""
    match = re.fullmatch(_NUMBER, answer.headers.get("Content-Length", ""))
    return int(match[1]) if match else None
