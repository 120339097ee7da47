"""Sockets with a limit on everything: name lookup, connection, handshake, each answer as a whole."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any, TypeVar

from go_prefetch.base.background import run_in_background

_Value = TypeVar("_Value")


class BoundedStream(io.RawIOBase):
    """The receiving half of a socket: nothing for `stall` seconds, or no end by `until`, is a TimeoutError."""

    def __init__(self, sock: socket.socket, stall: float, until: float) -> None:
        self._sock = sock
        self._stall = stall
        self._until = until
        self.first_byte_at: float | None = None  # on the monotonic clock

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As RawIOBase. Raises OSError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._stall, left))
        count = self._sock.recv_into(buffer)
        if self.first_byte_at is None and count:
            self.first_byte_at = time.monotonic()
        return count

    def extend(self, seconds: float) -> None:
        """Give what is still to come so many seconds from now."""
        self._until = time.monotonic() + seconds

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        del mode
        return io.BufferedReader(self)


def look_up(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    """The addresses of a host, as getaddrinfo has them. Raises OSError; TimeoutError where nobody answers in time."""
    return within(seconds, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def connect(addresses: list[tuple[Any, ...]], seconds: float) -> socket.socket:
    """A connection to the first address that takes one. Raises OSError: the last one's."""
    until = time.monotonic() + seconds
    trouble: OSError = OSError("no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        share = max(0.05, (until - time.monotonic()) / (len(addresses) - number))
        try:
            return _connected(socket.socket(family, kind, protocol), address, share)
        except OSError as error:
            trouble = error
    raise trouble


def _connected(sock: socket.socket, address: Any, seconds: float) -> socket.socket:
    try:
        sock.settimeout(seconds)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def shake_hands(sock: socket.socket, context: ssl.SSLContext, host: str, seconds: float) -> ssl.SSLSocket:
    """TLS over a connection, which is closed where that fails. Raises OSError (ssl.SSLError among them)."""
    sock.settimeout(max(0.05, seconds))
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def within(seconds: float, work: Callable[[], _Value]) -> _Value:
    """What `work` returns or raises; TimeoutError if it has not after so many seconds (it goes on, unheeded)."""
    future = run_in_background(work)
    if not wait([future], max(0.01, seconds)).done:
        raise TimeoutError
    return future.result()
