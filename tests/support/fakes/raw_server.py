"""A server on a loopback port that says, byte for byte, what a test wants said; over TLS if it is given a context."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPMessage, parse_headers
from socketserver import StreamRequestHandler

from tests.support.fakes.loopback import LoopbackServer, LoopbackService


@dataclass(frozen=True)
class RawRequest:
    """A request as it arrived; `target` is what follows the method."""

    method: str
    target: str
    headers: HTTPMessage


class Line:
    """One connection, for the function that answers."""

    def __init__(self, handler: StreamRequestHandler, stopped: threading.Event) -> None:
        self._handler = handler
        self.stopped = stopped
        self.number = handler.client_address[1]  # the port at its other end: one number for each connection

    def say(self, text: bytes) -> None:
        """Send these bytes now."""
        self._handler.wfile.write(text)

    def drip(self, text: bytes, seconds: float) -> None:
        """Send them one by one, so many seconds apart, until the server is closed."""
        for byte in text:
            if self.stopped.wait(seconds):
                return
            self.say(bytes([byte]))

    def wait(self) -> None:
        """Say nothing until the server is closed."""
        self.stopped.wait()


Respond = Callable[[RawRequest, Line], None]


class RawServer(LoopbackService):
    """Serves inside its `with` block. One request a connection, unless `keeps_alive`."""

    def __init__(
        self,
        respond: Respond,
        *,
        tls: ssl.SSLContext | None = None,
        keeps_alive: bool = False,
        address: str = "127.0.0.1",
    ) -> None:
        super().__init__(tls)
        self.respond = respond
        self.address = address
        self.keeps_alive = keeps_alive
        self.requests: list[RawRequest] = []

    def serve(self) -> LoopbackServer[RawServer]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler, self.address)

    @property
    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [request.target for request in self.requests]


class _Handler(StreamRequestHandler):
    server: LoopbackServer[RawServer]

    def handle(self) -> None:
        owner = self.server.owner
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                method, target, _ = line.decode().split()
                request = RawRequest(method, target, parse_headers(self.rfile))
                owner.requests.append(request)
                owner.respond(request, Line(self, owner.stopped))
                if not owner.keeps_alive:
                    return


def answer(
    body: bytes, *, status: str = "200 OK", version: str = "1.1", length: int | None = None, **headers: str
) -> bytes:
    """A whole answer; `Content-Length` is that of the body unless given, and `_` in names of headers is `-`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    said = len(body) if length is None else length
    return "\r\n".join([f"HTTP/{version} {status}", f"Content-Length: {said}", *lines, "", ""]).encode() + body
