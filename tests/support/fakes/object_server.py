"""A server of files for a pool: GET, HEAD, PUT, DELETE, and WebDAV, with the habits of many real ones."""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.fakes.answers import Answer, AnsweringHandler, AnsweringService, Delivery
from tests.support.fakes.loopback import LoopbackServer


@dataclass(frozen=True)
class ObjectRequest:
    """A request as it arrived; `path` has no leading slash."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)  # names in lower case


class ObjectServer(AnsweringService):
    """Serves inside its `with` block. `objects` is what it has, by path."""

    def __init__(self, **slow: Any) -> None:
        super().__init__(**slow)
        self.objects: dict[str, bytes] = {}
        self.folders: set[str] | None = None  # those that are there; None: each is made when a file comes
        self.speaks_dav = False
        self.moves = True  # whether it does what `speaks_dav` says
        self.has_conditions = True  # whether it knows If-None-Match
        self.is_atomic = True  # whether a body that breaks off leaves no object
        self.missing = 404  # the status for what it lacks
        self.login = ""  # the value of Authorization that it wants
        self.redirects_to = ""  # where GET and HEAD are sent; the path is appended
        self.answers: Callable[[ObjectRequest], Answer | None] = lambda _: None  # in place of its own
        self.delivery: Callable[[ObjectRequest], Delivery] = lambda _: Delivery.WHOLE
        self.lock = threading.Lock()
        self.requests: list[ObjectRequest] = []

    def serve(self) -> LoopbackServer[ObjectServer]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    def asked(self, method: str) -> list[str]:
        """The paths of the requests with this method, in order."""
        return [request.path for request in self.requests if request.method == method]

    def receive(self, request: ObjectRequest, body: bytes) -> Answer:
        """Put a request on record, and answer it."""
        with self.lock:
            self.requests.append(request)
            if self.login and request.headers.get("authorization") != self.login:
                return Answer(401, b"login\n", {"WWW-Authenticate": "Basic"})
            return self.answers(request) or self._own(request, body)

    def _own(self, request: ObjectRequest, body: bytes) -> Answer:
        return getattr(self, f"_{request.method.lower()}")(request, body)  # type: ignore[no-any-return]

    def _get(self, request: ObjectRequest, body: bytes) -> Answer:
        del body
        if self.redirects_to:
            target = f"{self.redirects_to}/{request.path}?X-Amz-Signature=s3cr3t"
            return Answer(302, b"elsewhere\n", {"Location": target})
        content = self.objects.get(request.path)
        if content is None:
            return Answer(self.missing, b"<html>nothing</html>", {"Content-Type": "text/html"})
        headers = {"ETag": f'"{zlib.crc32(content):x}"', "Accept-Ranges": "bytes"}
        start, dash, end = request.headers.get("range", "").removeprefix("bytes=").partition("-")
        if not dash or request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
            return Answer(200, content, headers)
        last = min(int(end or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{last}/{len(content)}"
        return Answer(206, content[int(start) : last + 1], headers)

    _head = _get

    def _put(self, request: ObjectRequest, body: bytes) -> Answer:
        is_there = request.path in self.objects
        if is_there and self.has_conditions and request.headers.get("if-none-match") == "*":
            return Answer(412)
        if self.folders is not None and request.path.rpartition("/")[0] not in self.folders:
            return Answer(409 if self.speaks_dav else 500)
        self.objects[request.path] = body
        return Answer(204 if is_there else 201)

    def _delete(self, request: ObjectRequest, body: bytes) -> Answer:
        del body
        return Answer(404 if self.objects.pop(request.path, None) is None else 204)

    def _options(self, request: ObjectRequest, body: bytes) -> Answer:
        del request, body
        return Answer(200, b"", {"DAV": "1, 2"}) if self.speaks_dav else Answer(405)

    def _mkcol(self, request: ObjectRequest, body: bytes) -> Answer:
        del body
        folder = request.path.rstrip("/")
        if self.folders is None or folder in self.folders:
            return Answer(405)
        if folder.rpartition("/")[0] not in self.folders:
            return Answer(409)
        self.folders.add(folder)
        return Answer(201)

    def _move(self, request: ObjectRequest, body: bytes) -> Answer:
        del body
        target = unquote(urlsplit(request.headers["destination"]).path).lstrip("/")
        if not self.moves:
            return Answer(403)
        if target in self.objects and request.headers["overwrite"] == "F":
            return Answer(412)
        is_there = target in self.objects
        self.objects[target] = self.objects.pop(request.path)
        return Answer(204 if is_there else 201)


class _Handler(AnsweringHandler, BaseHTTPRequestHandler):
    """One connection."""

    server: LoopbackServer[ObjectServer]

    def _answer(self) -> None:
        owner = self.server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ObjectRequest(self.command, unquote(urlsplit(self.path).path).lstrip("/"), headers)
        length = int(headers.get("content-length", 0))
        body = self.read_body(length)
        if len(body) < length and owner.is_atomic:
            self.close_connection = True
            return
        self.deliver(owner.receive(request, body), owner.delivery(request))

    do_GET = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_MKCOL = do_MOVE = _answer  # noqa: N815


def basic(user: str, password: str) -> str:
    """The value of Authorization for a user."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
