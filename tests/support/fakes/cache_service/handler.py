"""One connection: requests read, whole or in chunks."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.support.fakes.answers import AnsweringHandler
from tests.support.fakes.loopback import LoopbackServer

if TYPE_CHECKING:
    from tests.support.fakes.cache_service.server import CacheService


class Handler(AnsweringHandler, BaseHTTPRequestHandler):
    """One connection."""

    server: LoopbackServer[CacheService]

    def do_GET(self) -> None:
        """Answer one call."""
        with self.server.owner.under_way():
            body = self._body()
            if body is None:
                self.close_connection = True  # the client went away in the middle of it
                return
            self.deliver(*self.server.owner.receive(self.command, self.path, self.headers, body))

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names http.server looks for

    def _body(self) -> bytes | None:
        """The request's body; None if it did not come whole. The official client sends chunks of v1 without length."""
        if (self.headers["Transfer-Encoding"] or "").lower() != "chunked":
            size = int(self.headers["Content-Length"] or 0)
            body = self.read_body(size)
            return body if len(body) == size else None
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"-1", 16):
            part = self.read_body(size) if size > 0 else b""
            if len(part) != size:
                return None
            parts.append(part)
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)
