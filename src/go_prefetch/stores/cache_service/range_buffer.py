"""The received and the next ranges of a blob, between the threads that download it and the one that reads it.

Ranges are returned in order, and only some of them are ahead of the reader. A blob that comes in one stream is returned
as it arrives.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from dataclasses import dataclass

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.protocol import FIRST_ANSWER

# The first ranges are small, because the first files are unpacked while others arrive.
_SMALL = 16  # ranges
_SMALL_BYTES = 1 << 20  # of each of these
_BYTES = 4 << 20  # of all others
AHEAD = 24  # ranges, or pieces of a stream, that are held or in progress at most: 96 MiB
_RACE_AFTER = (1.0, 3.0)  # seconds, and times the median of the others; seconds for the first range
_TICK = 0.25  # seconds between checks of the time
_PACE_OVER = 5.0  # seconds over which the rate is measured


class GoneError(Exception):
    """The blob is no longer, or never was, what the first answer announced; `status` says how."""

    def __init__(self, status: int = 412) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Announced:
    """The headers of an answer: bytes of this range and of the whole blob, and its ETag."""

    bytes: int
    total: int
    etag: str


def first_byte(number: int) -> int:
    """Return the position of a range."""
    return min(number, _SMALL) * _SMALL_BYTES + max(0, number - _SMALL) * _BYTES


class _Pace:
    """Decides whether everything will arrive in time, from the bytes since the last check."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._since, self._received = time.monotonic(), 0

    def check(self, received: int, total: int | None) -> None:
        """Raise StoreError (`store-slow`) if no time is left, or the rate is too low for the rest."""
        if self._deadline.passed():
            raise StoreError("store-slow", "no-time-to-read")
        now = time.monotonic()
        if not received and total is None and now - self._since > FIRST_ANSWER:
            raise StoreError("store-unreachable", "reading", words=f"no answer within {FIRST_ANSWER:g}s")
        if now - self._since < _PACE_OVER or total is None:
            return
        pace = (received - self._received) / (now - self._since)
        if total - received > pace * self._deadline.left():
            raise StoreError("store-slow", "pace", megabytes_per_second=pace / 1e6)
        self._since, self._received = now, received


class Arrivals:
    """Safe to use from many threads."""

    def __init__(self, deadline: Deadline, at_first: int = 1) -> None:
        """Want `at_first` ranges before the size of the blob is known."""
        self._at_first = max(1, at_first)
        self.received = 0  # bytes, including those that are not read yet
        self.etag = ""
        self._deadline = deadline
        self._pace = _Pace(deadline)
        self._change = threading.Condition()
        self._total: int | None = None
        self._failed = 0  # requests in a row, of all ranges together
        self._parts: dict[int, bytes | bytearray] = {}
        self._began: dict[int, float] = {}
        self._took: list[float] = []
        self._raced: set[int] = set()
        self._to_race: list[int] = []
        self._next = 0  # the first range that is not begun
        self._head = 0  # the range that is read next
        self._stream: deque[bytes] = deque()  # of a blob that comes whole
        self._streams = self._stream_ended = False
        self._failure: StoreError | None = None
        self._closed = False

    def awaited(self) -> bytes | bytearray:
        """Return the next range, or piece of the stream; no bytes at the end. Raises StoreError."""
        with self._change:
            while True:
                piece = self._next_of_stream() if self._streams else self._next_range()
                if piece is not None:
                    self._change.notify_all()
                    return piece
                if self._closed:
                    return b""
                self._pace.check(self.received, self._total)
                if self._failure:
                    raise self._failure
                self._race_the_head()
                self._change.wait(_TICK)

    def _next_range(self) -> bytes | bytearray | None:
        if self._head not in self._parts:
            return b"" if self._is_past_end(self._head) else None
        self._head += 1
        return self._parts.pop(self._head - 1)

    def _next_of_stream(self) -> bytes | None:
        if self._stream:
            return self._stream.popleft()
        return b"" if self._stream_ended else None

    def _race_the_head(self) -> None:
        """Request the range that blocks the reader a second time, if the others were much faster."""
        begun = self._began.get(self._head)
        if begun is None or self._head in self._raced or (self._head and not self._took):
            return
        least, times = _RACE_AFTER
        typical = statistics.median(self._took) if self._took else 1.0
        if time.monotonic() - begun > max(least, times * typical):
            self._raced.add(self._head)
            self._to_race.append(self._head)
            self._change.notify_all()

    def wanted(self) -> int | None:
        """Return the number of a range to download, once there is one; None once nothing is left to do.

        Few ranges are requested at first: their answers tell the size, and whether the server knows ranges.
        """
        with self._change:
            while not self._is_settled(self._head):
                if self._to_race:
                    return self._to_race.pop()
                most = self._at_first if self._total is None else self._head + AHEAD
                if self._next < most and not self._is_past_end(self._next):
                    self._began[self._next] = time.monotonic()
                    self._next += 1
                    return self._next - 1
                self._change.wait()
            return None

    def is_done(self, number: int) -> bool:
        """Return whether this range is no longer needed."""
        with self._change:
            return self._is_settled(number) or number < self._head or number in self._parts

    def _is_settled(self, number: int) -> bool:
        return self._closed or self._streams or self._failure is not None or self._is_past_end(number)

    def _is_past_end(self, number: int) -> bool:
        return self._total is not None and first_byte(number) >= self._total

    def turns_out_past_end(self, number: int) -> bool:
        """Wait for the size of the blob, and return whether this range is past its end, or no longer needed."""
        with self._change:
            self._change.wait_for(lambda: self._total is not None or self._is_settled(number))
            return self._is_settled(number)

    def agree(self, coming: Announced) -> None:
        """Compare the size of the blob with that of the first answer. If it differs, the blob was replaced."""
        with self._change:
            if self._total is None:
                self._total, self.etag = coming.total, coming.etag
                self._change.notify_all()
            elif (coming.total, coming.etag) != (self._total, self.etag):
                raise GoneError

    def count_failure(self, times: int = 1) -> int:
        """Count a failed request, and return how many failed since the last complete range."""
        with self._change:
            self._failed += times
            return self._failed

    def count(self, size: int) -> None:
        """Note that this many bytes of an incomplete range have arrived."""
        with self._change:
            self.received += size

    def put(self, number: int, part: bytes | bytearray) -> None:
        """Store a complete range."""
        with self._change:
            self._failed = 0
            if number >= self._head:
                self._parts.setdefault(number, part)
                self._took.append(time.monotonic() - self._began[number])
            self._change.notify_all()

    def begin_stream(self, total: int | None) -> bool:
        """Begin a stream of the whole blob, and want no more ranges. Return False if some were read already."""
        with self._change:
            if self._head or self._streams:
                return False
            self._streams, self._total = True, total
            self._change.notify_all()
            return True

    def add_to_stream(self, piece: bytes) -> bool:
        """Add the next bytes of the stream, as soon as there is room. Return False if they are no longer needed."""
        with self._change:
            self._change.wait_for(lambda: self._closed or len(self._stream) < AHEAD)
            self._stream.append(piece)
            self.received += len(piece)
            self._change.notify_all()
            return not self._closed

    def end_stream(self) -> None:
        """End the stream."""
        with self._change:
            self._stream_ended = True
            self._change.notify_all()

    def pause(self, seconds: float) -> bool:
        """Wait, and return whether the blob is still being read. Closing ends the wait."""
        with self._change:
            return not self._change.wait_for(lambda: self._closed, seconds)

    def fail(self, error: StoreError) -> None:
        """Fail the reader with this error."""
        with self._change:
            self._failure = self._failure or error
            self._change.notify_all()

    def close(self) -> None:
        """Close: nothing is read any more."""
        with self._change:
            self._closed = True
            self._change.notify_all()
