"""Whole HTTP answers, and how they reach the client: slowly, in part, or not at all."""

from __future__ import annotations

import contextlib
import enum
import socket
import ssl
import struct
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.fakes.meter import Meter

_PIECE = 64 << 10  # bytes between two looks at the clock: 3 ms at 23 MB/s


class Delivery(enum.Enum):
    """How an answer reaches the client. All but WHOLE and DRIP end the connection."""

    WHOLE = "whole"
    RESET = "reset"  # a TCP reset in its place
    CLOSED = "closed"  # the end of the connection in its place
    SILENCE = "silence"  # nothing, the connection kept open
    TRUNCATED = "truncated"  # half of the body that Content-Length promises
    WITHOUT_LENGTH = "without length"  # half of the body, its length not given
    IN_CHUNKS = "in chunks"  # half of the body as one chunk of more
    STUCK = "stuck"  # half of the body, then silence
    DRIP = "drip"  # the body in small pieces, `AnsweringService.drip` seconds apart


@dataclass
class Answer:
    """An answer as it is meant."""

    status: int
    body: bytes | memoryview = b""
    headers: dict[str, str] = field(default_factory=dict)

    def head(self, **framing: str) -> bytes:
        """The status line and the headers; `framing` are headers in the place of Content-Length."""
        length = {} if self.status == 204 else {"Content-Length": str(len(self.body))}
        lines = [
            f"{name.replace('_', '-')}: {value}" for name, value in {**self.headers, **(framing or length)}.items()
        ]
        return "\r\n".join([f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", *lines, "", ""]).encode()


class AnsweringService(LoopbackService):
    """A service whose answers are slow, or spoilt.

    `latency` is seconds before each answer; `rate` and `link_rate` are bytes per second of one request and of all
    together (0: no limit).
    """

    drip_bytes = 1024

    def __init__(
        self,
        *,
        latency: float = 0.0,
        rate: float = 0.0,
        link_rate: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls)
        self.latency = latency
        self.rate = rate
        self.link = Meter(link_rate)
        self.drip = 0.05  # seconds between pieces
        self.patience: float | None = None  # seconds that a silent connection is held; None: until the service closes
        self.goes_on = False  # whether what it lacks comes then, in place of its end


class AnsweringHandler(Quiet, BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer[Any]  # of an AnsweringService

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def wait(self, seconds: float | None) -> bool:
        """Wait; return whether the service has closed meanwhile."""
        stopped: bool = self.server.owner.stopped.wait(seconds)
        return stopped

    def read_body(self, size: int) -> bytes:
        """Read at the service's rates; fewer bytes if the client leaves."""
        own, step = self._meter_and_step(size)
        parts: list[bytes] = []
        while size and (piece := self.rfile.read(min(step, size))):
            parts.append(piece)
            size -= len(piece)
            self._pass(len(piece), own)
        return b"".join(parts)

    def deliver(self, answer: Answer, how: Delivery) -> None:
        """Send the answer, after the service's latency, as far as it shall come."""
        service = self.server.owner
        last, self.close_connection = self.close_connection, True
        half = answer.body[: len(answer.body) // 2]
        if self.wait(service.latency):
            return
        if how is Delivery.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how is Delivery.SILENCE:
            self._fall_silent(answer.head(), answer.body)
        elif how is Delivery.WITHOUT_LENGTH:
            self._send(answer.head(Connection="close"), half)
        elif how is Delivery.IN_CHUNKS:
            self._send(answer.head(Transfer_Encoding="chunked"), b"%x\r\n%b\r\n" % (len(half), bytes(half)))
        elif how is Delivery.TRUNCATED:
            self._send(answer.head(), half)
        elif how is Delivery.STUCK:
            self._send(answer.head(), half)
            self._fall_silent(b"", answer.body[len(half) :])
        elif how is Delivery.DRIP:
            self._drip(answer)
        elif how is Delivery.WHOLE:
            self._send(answer.head(), answer.body)
            self.close_connection = last

    def _fall_silent(self, head: bytes, rest: bytes | memoryview) -> None:
        service = self.server.owner
        if not self.wait(service.patience) and service.goes_on:
            self._send(head, rest)

    def _send(self, head: bytes, body: bytes | memoryview) -> None:
        own, step = self._meter_and_step(len(body))
        self.wfile.write(head)
        for first in range(0, 0 if self.command == "HEAD" else len(body), step):
            piece = body[first : first + step]
            if self._pass(len(piece), own):
                return
            self.wfile.write(piece)

    def _drip(self, answer: Answer) -> None:
        service = self.server.owner
        self.wfile.write(answer.head())
        for first in range(0, len(answer.body), service.drip_bytes):
            if self.wait(service.drip):
                return
            self.wfile.write(answer.body[first : first + service.drip_bytes])

    def _meter_and_step(self, size: int) -> tuple[Meter, int]:
        """The meter of this request, and how many bytes pass between two looks at the clock: all if nothing is slow."""
        service = self.server.owner
        return Meter(service.rate), _PIECE if service.rate or service.link.rate else max(1, size)

    def _pass(self, count: int, own: Meter) -> bool:
        """Wait until so many bytes may be through; return whether the service has closed meanwhile."""
        seconds = max(own.admit(count), self.server.owner.link.admit(count))
        return seconds > 0 and self.wait(seconds)
