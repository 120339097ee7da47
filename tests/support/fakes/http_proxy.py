"""An HTTP proxy on a loopback port, as companies have them: tunnels (CONNECT) and plain http, perhaps with a login."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Mapping
from http.client import parse_headers
from socketserver import StreamRequestHandler
from urllib.parse import urlsplit

from tests.support.fakes.loopback import LoopbackServer, LoopbackService


class HttpProxy(LoopbackService):
    """Serves inside its `with` block. `hosts` are the names it knows, each with a loopback port behind it.

    `login` is `user:password`; `refusal` is the status line of its answer to everyone.
    """

    def __init__(self, hosts: Mapping[str, int], *, login: str = "", refusal: str = "") -> None:
        super().__init__()
        self.hosts = hosts
        self.login = login
        self.refusal = refusal
        self.asked: list[str] = []  # host and port of each connection, in order

    def serve(self) -> LoopbackServer[HttpProxy]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    def answer_to(self, target: str, authorization: str) -> str:
        """The status line for a connection there."""
        self.asked.append(target)
        if self.login and authorization != f"Basic {base64.b64encode(self.login.encode()).decode()}":
            return "407 Proxy Authentication Required"
        return self.refusal or ("200 OK" if target.partition(":")[0] in self.hosts else "502 Bad Gateway")


class _Handler(StreamRequestHandler):
    server: LoopbackServer[HttpProxy]

    def handle(self) -> None:
        proxy = self.server.owner
        with contextlib.suppress(OSError):
            method, target, _ = self.rfile.readline().decode().split()
            headers = parse_headers(self.rfile)
            url = urlsplit(target if method != "CONNECT" else f"//{target}")
            status = proxy.answer_to(url.netloc, headers["Proxy-Authorization"] or "")
            if not status.startswith("200"):
                login = 'Proxy-Authenticate: Basic realm="out"\r\n' if status.startswith("407") else ""
                self.wfile.write(f"HTTP/1.1 {status}\r\n{login}\r\n".encode())
                return
            with socket.create_connection(("127.0.0.1", proxy.hosts[str(url.hostname)])) as behind:
                if method == "CONNECT":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    del headers["Proxy-Authorization"]
                    behind.sendall(f"{method} {url.path} HTTP/1.1\r\n{headers}".encode())
                join(self.connection, behind)


def join(client: socket.socket, server: socket.socket) -> None:
    """Pass on what each of them sends, until both have ended."""
    back = threading.Thread(target=_pass_on, args=(server, client))
    back.start()
    _pass_on(client, server)
    back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one of the two ends; then the other gets its end too."""
    with contextlib.suppress(OSError):
        while some := source.recv(1 << 16):
            target.sendall(some)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
