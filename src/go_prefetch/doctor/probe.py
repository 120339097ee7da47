"""One measured request: the duration of its phases, and its result."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.doctor.measurement import Sample
from go_prefetch.web.answer import Answer, whole_size
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts, Wire

_LONGEST = 120  # characters of a failure


@dataclass(frozen=True)
class BodyLimit:
    """How much of a body is read: to keep it, or only to measure its rate."""

    most_bytes: int
    most_seconds: float
    keep: bool = True
    only_first_byte: bool = False  # request one byte; the headers then have the size of the file


@dataclass(frozen=True)
class Reply:
    """The result of one request. `body` is its beginning, up to the limit."""

    sample: Sample
    status: int = 0
    body: bytes = b""
    size: int = 0  # of the whole file, from the headers; 0: unknown
    later_bytes: int = 0  # of the body, after its first piece
    later_seconds: float = 0.0

    @property
    def not_found(self) -> bool:
        """Return whether the server says that there is no such file."""
        return self.status in (404, 410)


class Probe:
    """Sends requests as a run does: the same limits, redirects, logins, certificates and HTTP proxies."""

    def __init__(self, web: HttpSettings, timeouts: Timeouts) -> None:
        self._web = web
        self._timeouts = timeouts
        self._kept = HttpClient(timeouts, web=web)

    def way(self, url: str) -> str:
        """Return the kind, host and port of the HTTP or SOCKS proxy for `url`; nothing for none."""
        scheme, _, rest = self._web.proxy_for(url).rpartition("://")
        kind = "SOCKS" if scheme.startswith("socks") else "HTTP"
        return f"the {kind} proxy {rest.rpartition('@')[2]}" if rest else ""

    def sample(self, url: str, limit: BodyLimit, deadline: Deadline) -> Reply:
        """Request `url` over a new connection, with a new lookup of its name."""
        try:
            with closing(HttpClient(self._timeouts, web=self._web)) as client:
                return _ask(client, url, limit, deadline)
        except AttemptError as error:  # a client without certificates
            return Reply(Sample(failure=one_line(error.words), lost=True))

    def get(self, url: str, limit: BodyLimit, deadline: Deadline) -> Reply:
        """Request `url` over a connection of this thread that is kept, as a run does."""
        return _ask(self._kept, url, limit, deadline)


def _ask(client: HttpClient, url: str, limit: BodyLimit, deadline: Deadline) -> Reply:
    """Request `url`. The sample has the error, if there was one."""
    wire, body = Wire(), _Body(limit)
    status = size = 0
    failure, lost = "", False
    headers = {"Range": "bytes=0-0"} if limit.only_first_byte else {}
    try:
        with client.request("GET", url, deadline, headers=headers, wire=wire) as answer:
            status, size = answer.status, whole_size(answer) or 0
            if status in (200, 206):
                body.read(answer, deadline)
            elif status not in (404, 410):
                failure = one_line(f"{status} {answer.reason}".strip())
    except AttemptError as error:
        failure, lost = one_line(error.words), error.kind != "refused"
    timing = wire.timing()
    phases = (timing.dns, timing.connect, timing.tls, timing.first_byte)
    sample = Sample(*phases, seconds=timing.total, failure=failure, lost=lost)
    return Reply(sample, status, b"".join(body.kept), size, body.later_bytes, body.later_seconds)


class _Body:
    """The received part of a body."""

    def __init__(self, limit: BodyLimit) -> None:
        self.kept: list[bytes] = []
        self.later_bytes = 0
        self.later_seconds = 0.0
        self._limit = limit

    def read(self, answer: Answer, deadline: Deadline) -> None:
        """Read up to the limit. Raises AttemptError for a body that ends too early."""
        try:
            self._read(answer, deadline.earlier_of(self._limit.most_seconds))
        except AttemptError as error:
            # A transfer that is only measured needs no end.
            if self._limit.keep or error.kind != "silent" or not self.later_bytes:
                raise

    def _read(self, answer: Answer, ends: Deadline) -> None:
        left = self._limit.most_bytes
        first_at: float | None = None
        for piece in answer.pieces:
            if first_at is None:
                first_at = time.monotonic()
            else:
                self.later_bytes += len(piece)
                self.later_seconds = time.monotonic() - first_at
            if self._limit.keep:
                self.kept.append(piece[:left])
            left -= len(piece)
            if left <= 0:
                return
            if ends.passed():
                words = f"stalled: no end of the body within {self._limit.most_seconds:.3g}s"
                raise AttemptError(words, kind="silent")


def one_line(text: str) -> str:
    """Return untrusted text on one line: printable, of limited length, and not a command of a CI system."""
    line = " ".join(text.split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in line[: 4 * _LONGEST])
    shown = printable.replace("##[", "# #[").replace("::", ": :")
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
