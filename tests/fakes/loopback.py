"""A server on a loopback port that can break off whatever it is doing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, Generic, TypeVar

Owner = TypeVar("Owner")


class LoopbackServer(ThreadingMixIn, TCPServer, Generic[Owner]):
    """A thread for each connection, and a way to break off all of them."""

    allow_reuse_address = True
    request_queue_size = 256
    _connections: set[socket.socket]

    def __init__(self, owner: Owner, handler: Callable[..., BaseRequestHandler], address: str = "127.0.0.1") -> None:
        self.owner = owner
        self._connections = set()
        self._lock = threading.Lock()
        super().__init__((address, 0), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

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
