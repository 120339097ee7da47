"""A blob as a stream: fetched by ranges, many at once, handed over in order, in bounded memory.

The first ranges are asked for before anybody knows how many bytes there are. A range that fails is asked again, with a
new URL where the old one has expired. A range that everybody waits for and that is slower than the others is asked a
second time, beside the first. A server that knows no ranges sends one stream.
"""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from go_prefetch.errors import StoreError
from go_prefetch.retry import AttemptError, Backoff, Deadline
from go_prefetch.stores.cache_service.exchange import without_queries
from go_prefetch.stores.cache_service.parts import (
    EAGER,
    HINT,
    Announced,
    GoneError,
    announced,
    first_byte,
    headers_for,
)

if TYPE_CHECKING:
    from go_prefetch.web.client import Answer, HttpClient

_AT_ONCE = 20
_AHEAD = 24  # ranges held or under way at most: 96 MiB
_RACE_AFTER = (1.0, 3.0)  # seconds, and times the median of the others
_PACE_OVER = 5.0  # seconds over which the pace is measured
_TICK = 0.25  # seconds between looks at the clock


@dataclass(frozen=True)
class Blob:
    """What is read: a signed URL, and how to have a new one. `renew` raises StoreError, and Declined."""

    url: str
    renew: Callable[[], str]


class RangeReader:
    """`read` it like a file. A context manager: on leaving, nothing more is asked.

    Raises StoreError: `store-unreachable`, `store-slow` (the deadline has passed, or the pace says that it will),
    `store-damaged` (the blob is gone, or its parts do not belong together).
    """

    def __init__(self, client: HttpClient, blob: Blob, backoff: Backoff, deadline: Deadline) -> None:
        self.received = 0  # bytes, those that nobody has read yet included
        self._client = client
        self._blob = blob
        self._backoff = backoff
        self._deadline = deadline
        self._change = threading.Condition()
        self._renewing = threading.Lock()
        self._url = blob.url
        self._total: int | None = None
        self._end: float = math.inf  # a byte that the server said is past the end
        self._etag = ""
        self._parts: dict[int, bytes] = {}
        self._began: dict[int, float] = {}
        self._took: list[float] = []
        self._raced: set[int] = set()
        self._to_race: list[int] = []
        self._next = 0  # the first range that nobody has begun
        self._head = 0  # the range that is read next
        self._stream: list[bytes] = []  # of a server that knows no ranges
        self._streams = self._stream_ended = False
        self._failure: StoreError | None = None
        self._closed = False
        self._rest = memoryview(b"")
        self._paced = (time.monotonic(), 0)  # since when the pace is measured, and `received` then

    def __enter__(self) -> RangeReader:
        for _ in range(_AT_ONCE):
            threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._closed = True
            self._change.notify_all()

    def read(self, size: int) -> bytes:
        """At most `size` bytes, in order; none at the end."""
        if not self._rest:
            self._rest = memoryview(self._awaited())
        some, self._rest = self._rest[:size], self._rest[size:]
        return bytes(some)

    def _awaited(self) -> bytes:
        """The next range, or piece of the stream."""
        with self._change:
            while True:
                if self._streams and self._stream:
                    self._change.notify_all()
                    return self._stream.pop(0)
                if self._head in self._parts:
                    part = self._parts.pop(self._head)
                    self._head += 1
                    self._change.notify_all()
                    return part
                if self._failure:
                    raise self._failure
                if self._stream_ended or self._is_past_end(self._head):
                    return b""
                self._look_at_the_clock()
                self._change.wait(_TICK)

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        if self._deadline.passed():
            raise StoreError("store-slow", "the cache service: no time left to read the entry", hint=HINT)
        self._check_pace(now)
        begun = self._began.get(self._head)
        if begun is not None and self._took and self._head not in self._raced:
            least, times = _RACE_AFTER
            if now - begun > max(least, times * statistics.median(self._took)):
                self._raced.add(self._head)
                self._to_race.append(self._head)
                self._change.notify_all()

    def _check_pace(self, now: float) -> None:
        """Give up where what came lately says that the rest will not come in time."""
        since, received = self._paced
        if now - since < _PACE_OVER or self._total is None:
            return
        pace = (self.received - received) / (now - since)
        if self._total - self.received > pace * self._deadline.left():
            words = f"the cache service sends {pace / 1e6:.2f} MB/s: too slow for its time"
            raise StoreError("store-slow", words, hint=HINT)
        self._paced = (now, self.received)

    def _work(self) -> None:
        """One of the threads: take a range, bring it, until there is none."""
        while (number := self._taken()) is not None:
            try:
                self._bring(number)
            except StoreError as error:
                self._fail(error)
            except GoneError as gone:
                words = f"the cache service: the entry {gone}"
                self._fail(StoreError("store-damaged", words, hint=HINT))
            except Exception as error:  # noqa: BLE001 - Declined and the like: whoever reads must not wait for ever
                self._fail(StoreError("store-unreachable", f"the cache service: {error}", hint=HINT))

    def _taken(self) -> int | None:
        """The number of a range to bring; None once there is nothing left to do."""
        with self._change:
            while not (self._closed or self._failure or self._streams or self._is_past_end(self._head)):
                if self._to_race:
                    return self._to_race.pop()
                most = EAGER if self._total is None else self._head + _AHEAD
                if self._next < most and not self._is_past_end(self._next):
                    number, self._next = self._next, self._next + 1
                    self._began[number] = time.monotonic()
                    return number
                self._change.wait()
            return None

    def _is_past_end(self, number: int) -> bool:
        return self._total is not None and first_byte(number) >= self._total

    def _bring(self, number: int) -> None:
        """Put one range into its place, with as many attempts as are allowed."""
        words = "no time left"
        for failed in range(1, self._backoff.attempts + 1):
            url = self._url
            try:
                renew = self._attempt(number, url)
            except AttemptError as error:
                renew, words = False, without_queries(str(error))
            else:
                if not renew:
                    return
                words = "status 403"
            if self._is_done(number) or self._deadline.passed():
                return
            if renew:
                self._renew(url)
            elif failed < self._backoff.attempts:
                with self._change:
                    self._change.wait_for(lambda: self._closed, self._backoff.wait(failed))
        if not self._is_done(number):
            raise StoreError("store-unreachable", f"the cache service: reading the entry: {words}", hint=HINT)

    def _attempt(self, number: int, url: str) -> bool:
        """Bring it; True where the URL is not accepted, or no longer."""
        with self._client.request("GET", url, self._deadline, headers=headers_for(number, self._etag)) as answer:
            if answer.status == 403:
                return True
            if answer.status == 200 and number == 0:
                self._take_stream(answer)
                return False
            if answer.status == 416 and number and self._may_end_before(number):
                return False
            coming = announced(number, answer)
            self._agree(coming)
            part = bytearray()
            for piece in answer.pieces:
                if self._is_done(number):
                    return False
                part += piece
                with self._change:
                    self.received += len(piece)
                if len(part) > coming.bytes:
                    raise AttemptError("more bytes than announced")
        if len(part) != coming.bytes:
            raise AttemptError(f"{len(part)} of {coming.bytes} bytes")
        with self._change:
            if number >= self._head:
                self._parts.setdefault(number, bytes(part))
                self._took.append(time.monotonic() - self._began[number])
            self._change.notify_all()
        return False

    def _may_end_before(self, number: int) -> bool:
        """Note that the server has nothing where this range begins, unless another answer says otherwise."""
        with self._change:
            if self._total is None:
                self._end = min(self._end, first_byte(number))
            return self._total is None or self._is_past_end(number)

    def _agree(self, coming: Announced) -> None:
        """The first answer says how many bytes the blob has; the others must say the same."""
        with self._change:
            if self._total is None and coming.total <= self._end:
                self._total, self._etag = coming.total, coming.etag
                self._change.notify_all()
            elif (coming.total, coming.etag) != (self._total, self._etag):
                raise GoneError("was exchanged")

    def _take_stream(self, answer: Answer) -> None:
        """One stream for the whole: what failed is not asked again, for it would have to begin anew."""
        length = answer.headers.get("Content-Length", "")
        with self._change:
            self._streams = True
            self._total = None
        try:
            for piece in answer.pieces:
                with self._change:
                    self._change.wait_for(lambda: self._closed or len(self._stream) < _AHEAD)
                    if self._closed:
                        return
                    self._stream.append(piece)
                    self.received += len(piece)
                    self._total = int(length) if length.isdigit() else None
                    self._change.notify_all()
        except AttemptError as error:
            words = f"the cache service: reading the entry: {without_queries(str(error))}"
            raise StoreError("store-unreachable", words, hint=HINT) from None
        with self._change:
            self._stream_ended = True
            self._change.notify_all()

    def _renew(self, expired: str) -> None:
        """Have a new URL, once for all threads that have met the same refusal."""
        with self._renewing:
            if self._url == expired and not self._closed:
                self._url = self._blob.renew()

    def _is_done(self, number: int) -> bool:
        with self._change:
            ended = self._closed or self._streams or self._failure is not None
            return ended or number < self._head or number in self._parts or self._is_past_end(number)

    def _fail(self, error: StoreError) -> None:
        with self._change:
            self._failure = self._failure or error
            self._change.notify_all()
