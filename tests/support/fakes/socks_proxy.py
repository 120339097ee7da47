"""A SOCKS5 proxy on a loopback port (RFC 1928 and 1929), perhaps with a login or a refusal."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Mapping
from socketserver import StreamRequestHandler

from tests.support.fakes.http_proxy import join
from tests.support.fakes.loopback import LoopbackServer, LoopbackService


class SocksProxy(LoopbackService):
    """Serves inside its `with` block. `hosts` are the names it knows, each with a loopback port behind it.

    `login` is `user:password`; `refusal` is the status of its answer to every request for a connection.
    """

    def __init__(self, hosts: Mapping[str, int], *, login: str = "", refusal: int = 0) -> None:
        super().__init__()
        self.hosts = hosts
        self.login = login
        self.refusal = refusal
        self.asked: list[str] = []  # host and port of each request, in order

    @property
    def scheme(self) -> str:
        """See LoopbackService."""
        return "socks5"

    def serve(self) -> LoopbackServer[SocksProxy]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)


class _Handler(StreamRequestHandler):
    server: LoopbackServer[SocksProxy]

    def handle(self) -> None:
        proxy = self.server.owner
        with contextlib.suppress(OSError, struct.error, IndexError):
            _, count = self.rfile.read(2)
            wanted = 2 if proxy.login else 0
            if wanted not in self.rfile.read(count):
                self.wfile.write(b"\x05\xff")
                return
            self.wfile.write(bytes([5, wanted]))
            if proxy.login and not self._is_right(proxy.login):
                return
            host, port = self._target()
            proxy.asked.append(f"{host}:{port}")
            status = proxy.refusal or (0 if host in proxy.hosts else 4)
            self.wfile.write(bytes([5, status, 0, 3, 4]) + b"here" + b"\x00\x00")  # a name, to be read in full
            if not status:
                with socket.create_connection(("127.0.0.1", proxy.hosts[host])) as behind:
                    join(self.connection, behind)

    def _is_right(self, login: str) -> bool:
        self.rfile.read(1)
        user, password = self._counted(), self._counted()
        is_right = f"{user}:{password}" == login
        self.wfile.write(bytes([1, 0 if is_right else 1]))
        return is_right

    def _target(self) -> tuple[str, int]:
        kind = self.rfile.read(4)[3]
        host = self._counted() if kind == 3 else str(ipaddress.ip_address(self.rfile.read(4 if kind == 1 else 16)))
        (port,) = struct.unpack(">H", self.rfile.read(2))
        return host, port

    def _counted(self) -> str:
        return self.rfile.read(self.rfile.read(1)[0]).decode()
