"""A relay in front of a real HTTP server, which spoils what passes or answers in the server's place."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.fakes.answers import Answer, AnsweringHandler, AnsweringService, Delivery
from tests.support.fakes.loopback import LoopbackServer
from tests.support.fakes.rules import Rule

# What concerns one connection, and not the next.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True)
class Fault:
    """What becomes of a request.

    With `status` the relay answers, and the server is not asked. Otherwise the server's answer is delivered as
    `delivery` says, and damaged if the fault `corrupts`.
    """

    name: str
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    corrupts: bool = False


def _s3_error(status: int, code: str, **headers: str) -> Fault:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>No.</Message></Error>'
    return Fault(code, status, body.encode(), {"Content-Type": "application/xml", **headers})


SLOW_DOWN = _s3_error(503, "SlowDown")
SERVER_ERROR = _s3_error(500, "InternalError")
DENIED = _s3_error(403, "AccessDenied")
UNAUTHORIZED = _s3_error(401, "Unauthorized")
EXPIRED = _s3_error(400, "ExpiredToken")
SKEWED = _s3_error(403, "RequestTimeTooSkewed")
FULL = _s3_error(507, "InsufficientStorage")
LOST = Fault("lost write", 200, headers={"ETag": '"0"'})  # the server never hears of it
CORRUPT = Fault("corrupt", corrupts=True)
RESET = Fault("reset", delivery=Delivery.RESET)
TRUNCATED = Fault("truncated", delivery=Delivery.TRUNCATED)
STUCK = Fault("stuck", delivery=Delivery.STUCK)
DRIP = Fault("drip", delivery=Delivery.DRIP)


@dataclass(frozen=True)
class Request:
    """A request as it arrived, without its query; `fault` is what it was met with."""

    method: str
    path: str
    fault: str = ""


class FaultyRelay(AnsweringService):
    """Relays to `port` inside its `with` block. Requests keep their Host header, so signatures stay right."""

    drip_bytes = 1

    def __init__(self, port: int, **slow: Any) -> None:
        super().__init__(**slow)
        self.behind = port
        self._lock = threading.Lock()
        self._rules: list[Rule[Fault]] = []
        self._requests: list[Request] = []

    def serve(self) -> LoopbackServer[FaultyRelay]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in order of arrival (a copy)."""
        with self._lock:
            return list(self._requests)

    def fault(
        self,
        pattern: str,
        fault: Fault,
        times: int | None = None,
        picks: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """Fail requests of which method and path match the pattern, such as `GET */@v/*.zip`.

        Of several rules the first with times left applies. With `picks` only those fail that it picks by their number
        among the rule's, which begins with 1.
        """
        with self._lock:
            self._rules.append(Rule(pattern, fault, times, picks))

    def forgive(self) -> None:
        """Fail no request from now on."""
        with self._lock:
            self._rules.clear()

    def receive(self, method: str, path: str) -> Fault | None:
        """Decide on a request and put it on record."""
        with self._lock:
            fault = next((rule.fault for rule in self._rules if rule.befalls(f"{method} {path}")), None)
            self._requests.append(Request(method, path, fault.name if fault else ""))
        return fault

    def ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Return the server's answer; 502 if there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=30)
        with contextlib.closing(connection):
            try:
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                return Answer(502)
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if method == "HEAD" and (length := answer.getheader("Content-Length")):
            content = bytes(int(length))
        return Answer(answer.status, content, kept)


class _Handler(AnsweringHandler, BaseHTTPRequestHandler):
    server: LoopbackServer[FaultyRelay]

    def do_GET(self) -> None:
        """Answer one request of any method."""
        relay = self.server.owner
        body = self.read_body(int(self.headers["Content-Length"] or 0))
        fault = relay.receive(self.command, unquote(urlsplit(self.path).path))
        if fault and fault.status:
            answer = Answer(fault.status, fault.body, fault.headers)
        else:
            answer = relay.ask(self.command, self.path, body, dict(self.headers.items()))
        if fault and fault.corrupts:
            answer = Answer(answer.status, _corrupted(answer.body), answer.headers)
        self.deliver(answer, fault.delivery if fault else Delivery.WHOLE)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_MKCOL = do_GET  # noqa: N815 - the names http.server uses


def _corrupted(content: bytes | memoryview) -> bytes:
    """Return the content with one byte in its middle changed."""
    damaged = bytearray(content)
    if damaged:
        damaged[len(damaged) // 2] ^= 0xFF
    return bytes(damaged)
