"""The server: routes of both protocols and of the blobs, and the delivery of answers, whole or spoilt."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.cache_service import faults
from tests.fakes.cache_service.blobs import Answer, Blobs, xml
from tests.fakes.cache_service.entries import Entries, Refused, Token
from tests.fakes.cache_service.faults import Faults
from tests.fakes.loopback import LoopbackServer

_TWIRP = "/twirp/github.actions.results.api.v1.CacheService/"
_SECRET = "0123456789abcdef0123456789abcdef"  # the path of v1 that is its credential
_SPOILT: dict[int | str | None, Answer] = {
    faults.MALFORMED: Answer(200, b'{"ok":tr'),
    faults.HTML: Answer(200, b"<!DOCTYPE html><h1>Please sign in</h1>", {"Content-Type": "text/html"}),
    faults.EXPIRED: xml(403, "AuthenticationFailed"),
}
_ROUTES = {
    "GetCacheEntryDownloadURL": "lookup",
    "CreateCacheEntry": "create",
    "FinalizeCacheEntryUpload": "finalize",
}


@dataclass(frozen=True)
class Request:
    """One call as it was met: its route, status or fault, the range that was asked for."""

    route: str
    status_or_fault: int | str
    range: str = ""
    authorization: str = ""


@dataclass(frozen=True)
class Call:
    """A request as it came, and what is to befall it."""

    route: str
    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    fault: int | str | None


class CacheService:
    """The service; it answers inside its `with` block.

    `tokens` are the jobs' tokens it knows. As act's: `act_like` (keys in lower case, a key can be taken again, any
    token). `has_ranges` is whether blobs can be read in parts.
    """

    def __init__(self, *tokens: Token, act_like: bool = False, has_ranges: bool = True) -> None:
        self.tokens = {token.text: token for token in tokens or (Token(),)}
        self.act_like = act_like
        self.now = time.time
        self.entries = Entries(lambda: self.now())  # noqa: PLW0108 - tests set another clock
        self._blobs = Blobs(self.entries, has_ranges=has_ranges)
        self.faults = Faults()
        self.stopped = threading.Event()
        self._lock = threading.RLock()
        self._requests: list[Request] = []
        self._server: LoopbackServer[CacheService] | None = None

    def __enter__(self) -> CacheService:
        self._server = LoopbackServer(self, _Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()

    @property
    def url(self) -> str:
        """Its address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def v2(self, token: str = "job-token", *, run: str = "100", attempt: str = "1") -> dict[str, str]:
        """The variables that a job's step sees on GitHub."""
        return {
            "ACTIONS_CACHE_SERVICE_V2": "True",
            "ACTIONS_RESULTS_URL": f"{self.url}/",
            "ACTIONS_RUNTIME_TOKEN": token,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": run,
            "GITHUB_RUN_ATTEMPT": attempt,
        }

    def v1(self, token: str = "job-token", *, run: str = "100", attempt: str = "1") -> dict[str, str]:
        """The variables that a job's step sees on a server of GitHub Enterprise, under act, or on Forgejo."""
        return {
            "ACTIONS_CACHE_URL": f"{self.url}/{_SECRET}/",
            "ACTIONS_RUNTIME_TOKEN": token,
            "GITHUB_SERVER_URL": "https://ghes.example.com",
            "GITHUB_RUN_ID": run,
            "GITHUB_RUN_ATTEMPT": attempt,
        }

    @property
    def requests(self) -> list[Request]:
        """The calls so far."""
        with self._lock:
            return list(self._requests)

    @property
    def routes(self) -> list[str]:
        """Their routes."""
        return [request.route for request in self.requests]

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._requests.clear()

    @property
    def keys(self) -> list[str]:
        """Of all entries, the oldest first."""
        return [entry.key for entry in self.entries]  # type: ignore[attr-defined]

    def archive(self, key: str) -> bytes:
        """The bytes of an entry."""
        (entry,) = [entry for entry in self.entries if entry.key == key]  # type: ignore[attr-defined]
        return bytes(entry.data)

    def put(self, token: Token, key: str, version: str, data: bytes) -> None:
        """Make an entry, as somebody else would have."""
        with self._lock:
            entry = self.entries.reserve(token, key, version, twice=True)
            entry.data = data
            self.entries.finish(entry, len(data))

    def receive(self, method: str, target: str, headers: Any, body: bytes) -> tuple[Answer, int | str | None]:
        """Decide on a call and put it on record."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        with self._lock:
            route = _route(method, parts.path, query)
            fault = self.faults.next(route)
            answer = self._answer(Call(route, method, parts.path, query, headers, body, fault))
            wanted = headers["x-ms-range"] or headers["Range"] or ""
            self._requests.append(Request(route, fault or answer.status, wanted, headers["Authorization"] or ""))
        return answer, fault

    def _answer(self, call: Call) -> Answer:
        if call.fault in _SPOILT:
            return _SPOILT[call.fault]
        if isinstance(call.fault, int):
            wait = {"Retry-After": "30"} if call.fault == 429 else {}
            return Answer(call.fault, b'{"code":"injected","msg":"injected"}', wait)
        try:
            if call.path.startswith("/blob/"):
                return self._blobs.answer(call.route, call.path, call.query, call.headers, call.body, call.fault)
            token = self._token(call.headers)
            if call.path.startswith(_TWIRP):
                return self._twirp(call.path.removeprefix(_TWIRP), token, call.body)
            if call.path.startswith(f"/{_SECRET}/_apis/artifactcache/"):
                return self._rest(call, call.path.rpartition("/_apis/artifactcache/")[2], token)
            raise Refused(404, "bad_route", f"no handler for path {call.path}")
        except Refused as refused:
            said = json.dumps({"code": refused.code, "msg": refused.words, "message": refused.words}).encode()
            wait = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
            return Answer(refused.status, said, {"Content-Type": "application/json", **wait})

    def _token(self, headers: Any) -> Token:
        if self.act_like:
            return next(iter(self.tokens.values()))
        token = self.tokens.get((headers["Authorization"] or "").removeprefix("Bearer "))
        if token is None:
            raise Refused(401, "unauthenticated", "bad credentials")
        return token

    def _twirp(self, method: str, token: Token, body: bytes) -> Answer:
        if method not in _ROUTES:
            raise Refused(404, "bad_route", f"no handler for method {method}")
        said = {_snake(name): value for name, value in json.loads(body).items()}
        key, version = self.entries.check(said.get("key"), said.get("version"))
        if method == "GetCacheEntryDownloadURL":
            if not token.reads:
                raise Refused(403, "permission_denied", "cache read denied: token has no readable scopes")
            found = self.entries.find(token, [key, *said.get("restore_keys", [])], version)
            if found is None:
                return _json({"ok": False})
            return _json(
                {"ok": True, "signed_download_url": self._blobs.signed(self.url, found, "r"), "matched_key": found.key}
            )
        if method == "CreateCacheEntry":
            if not token.writes:
                return _json({"ok": False, "message": "cache write denied: token has no writable scopes"})
            entry = self.entries.reserve(token, key, version)
            return _json({"ok": True, "signed_upload_url": self._blobs.signed(self.url, entry, "cw"), "message": ""})
        done = self.entries.finish(self.entries.pending(token, key, version), int(said.get("size_bytes", 0)))
        return _json({"ok": True, "entry_id": str(done.number), "message": ""})

    def _rest(self, call: Call, path: str, token: Token) -> Answer:
        method, query, headers, body = call.method, call.query, call.headers, call.body
        if (method, path) == ("GET", "cache"):
            if not token.reads:
                raise Refused(403, "permission_denied", "cache read denied: token has no readable scopes")
            found = self.entries.find(token, self._as_kept(query["keys"]).split(","), query["version"])
            if found is None:
                return Answer(204)
            location = self._blobs.signed(self.url, found, "r")
            return _json({"result": "hit", "archiveLocation": location, "cacheKey": found.key, "scope": found.scope})
        said = json.loads(body) if headers["Content-Type"].startswith("application/json") else {}
        if (method, path) == ("POST", "caches"):
            if not token.writes:
                raise Refused(403, "permission_denied", "cache write denied: token has no writable scopes")
            key = self._as_kept(said["key"])
            entry = self.entries.reserve(token, key, said["version"], twice=self.act_like)
            entry.data = b""
            return _json({"cacheId": entry.number})
        kept = self.entries.get(int(path.removeprefix("caches/")))
        if kept is None or kept.data is None:
            raise Refused(404, "not_found", "no such reservation")
        if method == "PATCH":
            match = re.fullmatch(r"bytes (\d+)-(\d+)/\*", headers["Content-Range"])
            if match is None or int(match[2]) - int(match[1]) + 1 != len(body):
                raise Refused(400, "invalid_argument", "bad Content-Range")
            first = int(match[1])
            data = kept.data.ljust(first, b"\0")
            kept.data = data[:first] + body + data[first + len(body) :]
            return Answer(200)
        self.entries.finish(kept, said["size"])
        return Answer(200)

    def _as_kept(self, key: str) -> str:
        return key.lower() if self.act_like else key


def _route(method: str, path: str, query: dict[str, str]) -> str:
    if path.startswith(_TWIRP):
        return _ROUTES.get(path.removeprefix(_TWIRP), "unknown")
    if path.startswith("/blob/"):
        if method in ("GET", "HEAD"):
            return "blob.get"
        return {"block": "blob.block", "blocklist": "blob.list"}.get(query.get("comp", ""), "blob.put")
    tail = path.rpartition("/_apis/artifactcache/")[2]
    named = {("GET", "cache"): "lookup", ("POST", "caches"): "create"}
    return named.get((method, tail), {"PATCH": "chunk", "POST": "finalize"}.get(method, "unknown"))


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def _json(values: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(values).encode(), {"Content-Type": "application/json"})


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer[CacheService]

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Answer one call."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        answer, fault = self.server.owner.receive(self.command, self.path, self.headers, body)
        last, self.close_connection = self.close_connection, True
        half = answer.body[: len(answer.body) // 2]
        if fault == faults.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault == faults.SILENCE:
            self.server.owner.stopped.wait()
        elif fault == faults.STUCK:
            self.wfile.write(answer.head() + half)
            self.server.owner.stopped.wait()
        elif fault == faults.TRUNCATED:
            self.wfile.write(answer.head() + half)
        else:
            self.wfile.write(answer.head() + (b"" if self.command == "HEAD" else answer.body))
            self.close_connection = last

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 - the names http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server uses
        """Say nothing: the service keeps its own record."""
