"""Retries, waits and deadlines, and how they end early."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Literal

# Statuses that may be different for the next request. 404 and 410 are answers, not failures.
TRANSIENT_STATUSES = frozenset({408, 421, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})

# A server has stalled if it sends less than this for as long as it may be silent.
CRAWL_BYTES_PER_SECOND = 1024

# A processor core can take about as many in; 16 downloads at once get as many at 25 ms, 64 at 100 ms.
_ANSWERS_PER_SECOND = 640


# What an attempt met: an error; silence; a connection lost in place of a reply; a complete answer that cannot be the
# file; a cancellation because another attempt was faster; a rule against the request, here or at an HTTP proxy; a limit
# of the server, which is not about this request.
Kind = Literal["error", "silent", "lost", "content", "overtaken", "refused", "limited"]


class Cause(Enum):
    """What went wrong with a request, as far as the advice to a user differs."""

    OTHER = "other"
    NO_NAME_SERVER = "no-name-server"  # no name server gave an answer
    NO_SUCH_HOST = "no-such-host"
    NOT_CONNECTED = "not-connected"
    HANDSHAKE = "handshake"  # connected, but TLS did not begin
    CERTIFICATE = "certificate"
    SILENT = "silent"
    CONTENT = "content"  # a complete answer that is not a module file
    TOO_LARGE = "too-large"  # more bytes than the caller takes
    REDIRECTS = "redirects"  # in a circle, or where none may lead
    CLEAR_TEXT = "clear-text"  # a password in a URL that is not encrypted
    SLOW_ORIGIN = "slow-origin"  # a proxy could not fetch the file from its origin in time
    LIMIT = "limit"  # of the server, for all requests


@dataclass(eq=False)  # not frozen: Python itself sets an exception's traceback
class AttemptError(Exception):
    """Why an attempt brought no file, and the effect on the next attempt.

    `retry_after` is the seconds until a server with a limit takes requests again, as far as that is known.
    """

    words: str
    not_found: bool = False
    transient: bool = True
    retry_after: float | None = None
    kind: Kind = "error"
    status: int | None = None  # of the answer that caused it
    at_http_proxy: bool = False  # whether an HTTP or SOCKS proxy on the way is the cause
    cause: Cause = Cause.OTHER

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Backoff:
    """Full-jitter exponential backoff: a random wait between zero and a limit that quadruples. Seconds.

    It is short at first, because most errors are brief, and long enough in the end for a server that restarts.
    """

    attempts: int = 4
    first: float = 0.2
    longest: float = 8.0
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)

    def wait(self, failed: int) -> float:
        """Return the seconds to wait after `failed` attempts."""
        return self.uniform(0.0, min(self.longest, self.first * 4.0 ** (failed - 1)))


class Retries:
    """The retries of one task: the number of failed attempts, and the wait before the next one.

    `wait` waits for a number of seconds. It returns False if no other attempt may follow.
    """

    def __init__(self, backoff: Backoff, wait: Callable[[float], bool]) -> None:
        self.failed = 0
        self._backoff = backoff
        self._wait = wait

    def again(self) -> bool:
        """Count a failed attempt. Wait, and return True if another one follows."""
        return self.at_once() and self._wait(self._backoff.wait(self.failed))

    def at_once(self) -> bool:
        """Count a failed attempt whose cause is gone. Return True if another one follows, without a wait."""
        self.failed += 1
        return self.failed < self._backoff.attempts


def parse_retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a `Retry-After` header (RFC 9110, 10.2.3), a number or a date; None without one."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few runs have a date to parse

    try:
        then = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=timezone.utc)
    return max(0.0, (then - (now or datetime.now(timezone.utc))).total_seconds())


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock after which no work begins. Any thread can cancel it earlier. Seconds.

    Cancelling ends requests and waits. It also cancels each deadline that `earlier_of` made of this one, and the one
    that this one was made of.
    """

    at: float = math.inf
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    def left(self) -> float:
        """Return the seconds left, at least zero."""
        return max(0.0, self.at - self.clock())

    def passed(self) -> bool:
        """Return whether no time is left."""
        return self.clock() >= self.at

    def earlier_of(self, seconds: float) -> Deadline:
        """Return this deadline, or the one `seconds` from now if that is earlier."""
        return replace(self, at=min(self.at, self.clock() + seconds))

    def cancel(self) -> None:
        """End the requests and waits of every thread."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Return whether any thread has cancelled."""
        return self._cancelled.is_set()

    @property
    def is_over(self) -> bool:
        """Return whether no time is left, or any thread has cancelled."""
        return self.is_cancelled or self.passed()

    def wait(self, seconds: float) -> bool:
        """Wait, and return whether there is time left. The deadline and a cancellation end the wait."""
        return not self._cancelled.wait(min(seconds, self.left())) and not self.passed()


@dataclass(frozen=True)
class Jobs:
    """How many downloads run at once: `least`, and up to `most` where a server takes long to answer."""

    least: int
    most: int

    @property
    def text(self) -> str:
        """Return the input that means this."""
        return str(self.least) if self.least == self.most else "auto"

    def for_latency(self, seconds: float) -> int:
        """Return the number for a server that takes so long: enough for 640 answers per second."""
        return max(self.least, min(self.most, math.ceil(seconds * _ANSWERS_PER_SECOND)))


@dataclass(frozen=True)
class Budget:
    """How long work may take, how often it is retried, and how much of it runs at once."""

    deadline: Deadline
    backoff: Backoff
    jobs: Jobs

    def retries(self) -> Retries:
        """Return the retries of one task."""
        return Retries(self.backoff, self.deadline.wait)
