"""One connection: requests read, whole or in chunks; answers delivered, whole or spoilt."""

from __future__ import annotations

import contextlib
import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.support.fakes.cache_service import faults
from tests.support.fakes.cache_service.answers import Answer
from tests.support.fakes.loopback import LoopbackServer, Quiet

if TYPE_CHECKING:
    from tests.support.fakes.cache_service.server import CacheService

_DRIP_BYTES = 1024


class Handler(Quiet, BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer[CacheService]

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Answer one call."""
        body = self._body()
        if body is None:
            self.close_connection = True  # the client went away in the middle of it
            return
        answer, fault = self.server.owner.receive(self.command, self.path, self.headers, body)
        if self.command == "HEAD":
            self.wfile.write(answer.head())
        else:
            self._deliver(answer, fault)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names http.server looks for

    def _body(self) -> bytes | None:
        """The request's body; None if it did not come whole. The official client sends chunks of v1 without length."""
        if (self.headers["Transfer-Encoding"] or "").lower() != "chunked":
            size = int(self.headers["Content-Length"] or 0)
            body = self.rfile.read(size)
            return body if len(body) == size else None
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"-1", 16):
            part = self.rfile.read(size) if size > 0 else b""
            if len(part) != size:
                return None
            parts.append(part)
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _deliver(self, answer: Answer, fault: int | str | None) -> None:
        """Send the answer as far as the fault lets it through; whatever is cut short ends the connection."""
        last, self.close_connection = self.close_connection, True
        half = answer.body[: len(answer.body) // 2]
        service = self.server.owner
        if fault == faults.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault == faults.SILENCE:
            service.stopped.wait(service.patience)
        elif fault in (faults.STUCK, faults.TRUNCATED):
            self.wfile.write(answer.head())
            self.wfile.write(half)
            if fault == faults.STUCK:
                service.stopped.wait(service.patience)
        elif fault == faults.DRIP:
            self._drip(answer)
        else:
            self.wfile.write(answer.head())
            self.wfile.write(answer.body)
            self.close_connection = last

    def _drip(self, answer: Answer) -> None:
        self.wfile.write(answer.head())
        for first in range(0, len(answer.body), _DRIP_BYTES):
            if self.server.owner.stopped.wait(self.server.owner.drip):
                return
            self.wfile.write(answer.body[first : first + _DRIP_BYTES])
