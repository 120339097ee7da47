"""A module proxy that is a reference to measure against: exact latency, exact rate, loss in a fixed pattern."""

from __future__ import annotations

import base64
import contextlib
import enum
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.fakes.modules import FakeModule, layout

_PIECE = 4 << 10


class Loss(enum.Enum):
    """How a connection is lost."""

    RESET = "reset once the request is there"
    SILENCE = "never answered"
    CUT = "closed in the midst of the body"


class PacedProxy(LoopbackService):
    """Serves inside its `with` block. `latency` is seconds before an answer, `rate` bytes per second of its body.

    Of the connections, counted from 1, those that `is_lost` picks are lost as `loss` says. Times are kept against the
    moment the request came, so that they do not add up.
    """

    def __init__(
        self,
        modules: Iterable[FakeModule],
        *,
        latency: float = 0.0,
        rate: float = 0.0,
        is_lost: Callable[[int], bool] = lambda _: False,
        loss: Loss = Loss.RESET,
        tls: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(tls)
        self.files = layout(modules)
        self.latency = latency
        self.rate = rate
        self.is_lost = is_lost
        self.loss = loss
        self.paths: list[str] = []
        self.authorizations: set[str | None] = set()
        self.expected = _basic(*credentials) if credentials else None
        self._lock = threading.Lock()
        self._connections = 0

    def serve(self) -> LoopbackServer[PacedProxy]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    def loses_next(self) -> bool:
        """Whether the connection that has just come is one to be lost."""
        with self._lock:
            self._connections += 1
            return self.is_lost(self._connections)


class _Handler(Quiet, BaseHTTPRequestHandler):
    """One connection, one answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer[PacedProxy]

    def setup(self) -> None:
        self.lost = self.server.owner.loses_next()
        super().setup()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """Answer, or lose the connection."""
        came = time.monotonic()
        proxy = self.server.owner
        path = unquote(self.path).lstrip("/")
        proxy.paths.append(path)
        proxy.authorizations.add(self.headers["Authorization"])
        self.close_connection = True
        if self.lost and proxy.loss is Loss.SILENCE:
            proxy.stopped.wait(60)
            return
        if self.lost and proxy.loss is Loss.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        _wait_until(came + proxy.latency)
        if proxy.expected not in (None, self.headers["Authorization"]):
            self.say(401)
        elif path in proxy.files:
            self._answer(proxy.files[path])
        else:
            self.say(404)

    def _answer(self, content: bytes) -> None:
        one = re.fullmatch("bytes=0-0", self.headers["Range"] or "")
        body = content[:1] if one else content
        self.send_response(206 if one else 200)
        self.send_header("Content-Length", str(len(body)))
        if one:
            self.send_header("Content-Range", f"bytes 0-0/{len(content)}")
        self.end_headers()
        self._send(body[: len(body) // 2] if self.lost else body)

    def _send(self, body: bytes) -> None:
        began = time.monotonic()
        rate = self.server.owner.rate
        for at in range(0, len(body), _PIECE):
            if rate:
                _wait_until(began + at / rate)
            self.wfile.write(body[at : at + _PIECE])


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _wait_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0:
        time.sleep(left)
