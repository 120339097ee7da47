"""A Go module proxy on a loopback port that can be told to fail in every way a real one does."""

from __future__ import annotations

import base64
import contextlib
import enum
import random
import re
import socket
import struct
import threading
import zlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.fakes.modules import FakeModule, damaged, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONTENT_TYPES = {"info": "application/json", "mod": "text/plain; charset=UTF-8", "zip": "application/zip"}
HTML_PAGE = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>\n"


class Fault(enum.Enum):
    """A way to fail. A number is the status answered; the others are told by name."""

    NOT_FOUND = 404
    GONE = 410
    FORBIDDEN = 403
    TOO_MANY = 429
    SERVER_ERROR = 500
    BAD_GATEWAY = 502
    UNAVAILABLE = 503
    RESET = "a TCP reset in place of a reply"
    CLOSED_EARLY = "the connection closed in place of a reply"
    HALF_BODY = "half of the body that Content-Length promises, then the connection closed"
    HALF_BODY_WITHOUT_LENGTH = "half of the body, then the connection closed, its length never said"
    HALF_BODY_IN_CHUNKS = "half of the body as one chunk of more, then the connection closed"
    WRONG_BYTES = "a well-formed file with other content"
    HTML = "a web page with status 200"
    STALL_BEFORE_HEADERS = "no reply, the connection kept open"
    STALL_IN_BODY = "half of the body, the connection kept open"
    SLOW_DRIP = "the body byte by byte, `ModuleProxy.drip` seconds apart"
    REDIRECT_LOOP = "a redirect to the same address"


QUICK_FAULTS = (
    Fault.TOO_MANY,
    Fault.SERVER_ERROR,
    Fault.BAD_GATEWAY,
    Fault.RESET,
    Fault.CLOSED_EARLY,
    Fault.HALF_BODY,
)


@dataclass(frozen=True)
class Request:
    """A request as it arrived (`path` without leading slash and with `!` for upper case) and what it was met with."""

    path: str
    status_or_fault: int | Fault
    range: str | None
    authorization: str | None


@dataclass
class _Rule:
    """Which paths fail, how, and how many times more (None: for ever)."""

    pattern: str
    fault: Fault
    remaining: int | None


@dataclass
class _Chance:
    """Faults that befall any request, by lot."""

    share: float
    lot: random.Random
    faults: Sequence[Fault]


@dataclass(frozen=True)
class _Answer:
    """A whole HTTP answer, before a fault spoils its delivery."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def head(self, **framing: str) -> bytes:
        """The status line and the headers; `framing` are headers in the place of Content-Length."""
        how = framing or {"Content-Length": str(len(self.body))}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in (self.headers | how).items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", *lines, "", ""]).encode()


class ModuleProxy(LoopbackService):
    """The proxy; serves inside its `with` block, and from then on its address refuses connections."""

    def __init__(
        self,
        modules: Iterable[FakeModule] = (),
        *,
        latency: float = 0.0,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.files: dict[str, bytes] = layout(modules)
        self.latency = latency
        self.credentials = credentials
        self.retry_after: int | str = 0
        self.drip = 0.2
        self.has_etags = False  # and with them answers to If-Range
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._rules: list[_Rule] = []
        self._chance: _Chance | None = None

    def serve(self) -> LoopbackServer[ModuleProxy]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    def url_with(self, user: str, password: str) -> str:
        """The address with a user name and password in it."""
        return f"http://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in order of arrival (a copy)."""
        with self._lock:
            return list(self._requests)

    def paths(self) -> list[str]:
        """The paths requested so far, in order of arrival."""
        return [request.path for request in self.requests]

    def clear(self) -> None:
        """Forget the requests so far; faults stay."""
        with self._lock:
            self._requests.clear()

    def fault(self, pattern: str, fault: Fault, times: int | None = None) -> None:
        """Fail requests whose path matches the pattern; of several rules the first with times left applies."""
        with self._lock:
            self._rules.append(_Rule(pattern, fault, times))

    def random_faults(self, share: float, seed: int, faults: Sequence[Fault] = QUICK_FAULTS) -> None:
        """Fail this share of the requests that no rule of `fault` applies to, drawn afresh for each."""
        with self._lock:
            self._chance = _Chance(share, random.Random(seed), faults)

    def receive(self, path: str, wanted_range: str | None, authorization: str | None) -> tuple[_Answer, Fault | None]:
        """Decide on a request and put it on record."""
        with self._lock:
            if not self._authorized(authorization):
                fault, answer = None, _Answer(401, b"unauthorized\n", {"WWW-Authenticate": 'Basic realm="modules"'})
            else:
                fault = self._next_fault(path)
                answer = self._answer(path, wanted_range, fault)
            self._requests.append(Request(path, fault or answer.status, wanted_range, authorization))
        return answer, fault

    def _authorized(self, authorization: str | None) -> bool:
        if self.credentials is None:
            return True
        expected = base64.b64encode(":".join(self.credentials).encode()).decode()
        return authorization == f"Basic {expected}"

    def _next_fault(self, path: str) -> Fault | None:
        for rule in self._rules:
            if rule.remaining != 0 and fnmatchcase(path, rule.pattern):
                rule.remaining = None if rule.remaining is None else rule.remaining - 1
                return rule.fault
        if self._chance and self._chance.lot.random() < self._chance.share:
            return self._chance.lot.choice(self._chance.faults)
        return None

    def _answer(self, path: str, wanted_range: str | None, fault: Fault | None) -> _Answer:
        if fault and isinstance(fault.value, int):
            headers = {"Retry-After": str(self.retry_after)} if fault in (Fault.TOO_MANY, Fault.UNAVAILABLE) else {}
            return _Answer(fault.value, f"{fault.name}\n".encode(), headers)
        if fault is Fault.HTML:
            return _Answer(200, HTML_PAGE, {"Content-Type": "text/html; charset=utf-8"})
        if fault is Fault.REDIRECT_LOOP:
            return _Answer(302, b"", {"Location": "/" + quote(path, safe="/@")})
        content = self.files.get(path)
        if content is None:
            return _Answer(404, f"not found: {path}\n".encode(), {"Content-Type": "text/plain; charset=UTF-8"})
        if fault is Fault.WRONG_BYTES:
            content = damaged(path, content)
        kind = CONTENT_TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        headers = {"Content-Type": kind}
        if self.has_etags:
            headers["ETag"] = _etag(content)
        return _part(content, wanted_range, headers)


def _etag(content: bytes) -> str:
    return f'"{zlib.crc32(content):x}"'


def _part(content: bytes, wanted_range: str | None, headers: dict[str, str]) -> _Answer:
    """The content from `bytes=N-` on, or the whole of it for any other or no range."""
    match = re.fullmatch(r"bytes=(\d+)-", wanted_range or "")
    if not match:
        return _Answer(200, content, headers)
    start, size = int(match[1]), len(content)
    if start >= size:
        return _Answer(416, b"", {"Content-Range": f"bytes */{size}"})
    return _Answer(206, content[start:], headers | {"Content-Range": f"bytes {start}-{size - 1}/{size}"})


class _Handler(Quiet, BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer[ModuleProxy]

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Answer one request."""
        proxy = self.server.owner
        path = unquote(urlsplit(self.path).path).lstrip("/")
        is_current = self.headers["If-Range"] in (None, _etag(proxy.files.get(path, b"")))
        wanted_range = self.headers["Range"] if is_current else None
        answer, fault = proxy.receive(path, wanted_range, self.headers["Authorization"])
        if proxy.stopped.wait(proxy.latency):
            self.close_connection = True
        else:
            self._deliver(answer, fault)

    def _deliver(self, answer: _Answer, fault: Fault | None) -> None:
        """Send the answer as far as the fault lets it through; whatever is cut short ends the connection."""
        half = answer.body[: len(answer.body) // 2]
        last, self.close_connection = self.close_connection, True
        if fault is Fault.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault is Fault.STALL_BEFORE_HEADERS:
            self.server.owner.stopped.wait()
        elif fault is Fault.STALL_IN_BODY:
            self.wfile.write(answer.head() + half)
            self.server.owner.stopped.wait()
        elif fault is Fault.HALF_BODY:
            self.wfile.write(answer.head() + half)
        elif fault is Fault.HALF_BODY_WITHOUT_LENGTH:
            self.wfile.write(answer.head(Connection="close") + half)
        elif fault is Fault.HALF_BODY_IN_CHUNKS:
            self.wfile.write(answer.head(Transfer_Encoding="chunked") + b"%x\r\n%b\r\n" % (len(half), half))
        elif fault is Fault.SLOW_DRIP:
            self._drip(answer)
        elif fault is not Fault.CLOSED_EARLY:
            self.wfile.write(answer.head() + answer.body)
            self.close_connection = last

    def _drip(self, answer: _Answer) -> None:
        self.wfile.write(answer.head())
        for byte in answer.body:
            if self.server.owner.stopped.wait(self.server.owner.drip):
                return
            self.wfile.write(bytes([byte]))
