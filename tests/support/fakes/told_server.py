"""Servers that speak no HTTP but what they are told to: hostile ones, and a relay as an HTTP proxy is."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from socketserver import BaseRequestHandler

from tests.support.fakes.loopback import LoopbackServer, LoopbackService


class ToldServer(LoopbackService):
    """Hands each connection, with the head of its request, to `speak`; serves inside its `with` block."""

    def __init__(self, speak: Callable[[socket.socket, bytes], object]) -> None:
        super().__init__()
        self.speak = speak
        self.heads: list[bytes] = []

    def serve(self) -> LoopbackServer[ToldServer]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)


class _Handler(BaseRequestHandler):
    server: LoopbackServer[ToldServer]

    def handle(self) -> None:
        """Read the head of a request and let the owner speak."""
        with contextlib.suppress(OSError):
            head = read_head(self.request)
            self.server.owner.heads.append(head)
            self.server.owner.speak(self.request, head)


def read_head(connection: socket.socket) -> bytes:
    """Everything up to the blank line."""
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
        head += piece
    return head


def relay(connection: socket.socket, head: bytes) -> None:
    """What an HTTP proxy does: CONNECT and absolute URLs, whatever the host's name, to that port of this machine."""
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    place = target if method == b"CONNECT" else target.split(b"/")[2]
    with socket.create_connection(("127.0.0.1", int(place.rpartition(b":")[2]))) as onward:
        if method == b"CONNECT":
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            onward.sendall(head.replace(b"http://" + place, b"", 1))
        back = threading.Thread(target=_pipe, args=(onward, connection))
        back.start()
        _pipe(connection, onward)
        back.join()


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
