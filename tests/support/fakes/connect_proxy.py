"""An HTTP proxy on a loopback port that opens tunnels: CONNECT, with a login if wanted, as companies have them."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Mapping
from socketserver import StreamRequestHandler

from tests.support.fakes.loopback import LoopbackServer, LoopbackService


class ConnectProxy(LoopbackService):
    """Serves inside its `with` block. `hosts` are the names it knows, each with a loopback port behind it.

    `login` is `user:password`; `refusal` is the status line of its answer to everyone.
    """

    def __init__(self, hosts: Mapping[str, int], *, login: str = "", refusal: str = "") -> None:
        super().__init__()
        self.hosts = hosts
        self.login = login
        self.refusal = refusal
        self.asked: list[str] = []  # what CONNECT named, in order

    def serve(self) -> LoopbackServer[ConnectProxy]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    def answer_to(self, target: str, authorization: str) -> str:
        """The status line for a CONNECT."""
        self.asked.append(target)
        if self.login and authorization != f"Basic {base64.b64encode(self.login.encode()).decode()}":
            return "407 Proxy Authentication Required"
        return self.refusal or ("200 OK" if target.partition(":")[0] in self.hosts else "502 Bad Gateway")


class _Handler(StreamRequestHandler):
    server: LoopbackServer[ConnectProxy]

    def handle(self) -> None:
        proxy = self.server.owner
        with contextlib.suppress(OSError):
            _, target, _ = self.rfile.readline().decode().split()
            headers = dict(line.decode().strip().split(": ", 1) for line in iter(self.rfile.readline, b"\r\n"))
            status = proxy.answer_to(target, headers.get("Proxy-Authorization", ""))
            login = 'Proxy-Authenticate: Basic realm="out"\r\n' if status.startswith("407") else ""
            self.wfile.write(f"HTTP/1.1 {status}\r\n{login}\r\n".encode())
            if status.startswith("200"):
                with socket.create_connection(("127.0.0.1", proxy.hosts[target.partition(":")[0]])) as behind:
                    self._join(behind)

    def _join(self, behind: socket.socket) -> None:
        back = threading.Thread(target=_pass_on, args=(behind, self.connection))
        back.start()
        _pass_on(self.connection, behind)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one of the two ends; then the other gets its end too."""
    with contextlib.suppress(OSError):
        while some := source.recv(1 << 16):
            target.sendall(some)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
