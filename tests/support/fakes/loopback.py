"""A server on a loopback port that can break off whatever it is doing."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, Generic, TypeVar

Owner = TypeVar("Owner", bound="LoopbackService")
Service = TypeVar("Service", bound="LoopbackService")


class LoopbackServer(ThreadingMixIn, TCPServer, Generic[Owner]):
    """A thread for each connection, and a way to break off all of them."""

    allow_reuse_address = True
    request_queue_size = 256
    _connections: set[socket.socket]

    def __init__(self, owner: Owner, handler: Callable[..., BaseRequestHandler], address: str = "127.0.0.1") -> None:
        self.owner = owner
        self._connections = set()
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
            self.owner.connections += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Speak TLS first where the owner has a context. A client that does not trust it gets no answer."""
        if self.owner.tls:
            try:
                request = self._secured(request, self.owner.tls)
                request.do_handshake()
            except OSError:
                self.shutdown_request(request)
                return
        super().process_request_thread(request, client_address)

    def _secured(self, request: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
        with self._lock:
            secured = tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            self._connections.discard(request)
            self._connections.add(secured)
        return secured

    def shutdown_request(self, request: Any) -> None:
        """Close without the usual farewell (FIN), which would forestall a reset."""
        with self._lock:
            self._connections.discard(request)
            self.close_request(request)

    def hang_up(self) -> None:
        """Wake every handler that waits for its client."""
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class LoopbackService:
    """Serves inside its `with` block, over TLS if it has a context. A subclass gives the server."""

    address = "127.0.0.1"

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.stopped = threading.Event()  # handlers that wait shall end
        self.port = 0
        self.connections = 0  # so far
        self._server: LoopbackServer[Any] | None = None

    def serve(self) -> LoopbackServer[Any]:
        """The server, not yet running."""
        raise NotImplementedError

    def start(self) -> None:
        """Serve until `close` is called."""
        self._server = self.serve()
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def __enter__(self: Service) -> Service:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Break off every connection, stalled ones too, and wait until all threads have ended."""
        self.stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._server = None

    @property
    def scheme(self) -> str:
        """What it speaks."""
        return "https" if self.tls else "http"

    @property
    def url(self) -> str:
        """Its address; known from the start of the `with` block on."""
        return f"{self.scheme}://{self.address}:{self.port}"


class Beside(LoopbackService):
    """A second server of one owner, on a host of another name: where an API sends for large things."""

    address = "localhost"

    def __init__(self, owner: Any, handler: Callable[..., BaseRequestHandler]) -> None:
        super().__init__()
        self._owner, self._handler = owner, handler

    def serve(self) -> LoopbackServer[Any]:
        """See LoopbackService."""
        return LoopbackServer(self._owner, self._handler, self.address)


class Quiet(BaseHTTPRequestHandler):
    """A handler of which the log says nothing; `say` is a whole answer."""

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Headers are given with underscores."""
        self.send_response(status)
        for name, value in {**headers, "Content_Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server uses
        """Say nothing."""


class KeepsAlive(Quiet):
    """Connections that are used again, each answer in one piece: else it waits 40 ms for its headers' receipt."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
