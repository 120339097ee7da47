"""The server: which part of the service a call is for, what is on record, what a test can set and see."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fakes.answers import Answer, AnsweringService, Delivery
from tests.support.fakes.cache_service import faults, rest, twirp
from tests.support.fakes.cache_service.answers import Call, Refused, in_xml, injected, refusal
from tests.support.fakes.cache_service.blobs import Blobs
from tests.support.fakes.cache_service.entries import Entries, Token
from tests.support.fakes.cache_service.faults import Faults
from tests.support.fakes.cache_service.handler import Handler
from tests.support.fakes.loopback import LoopbackServer

_RPCS = ("lookup", "create", "finalize")
_SPOILT: dict[int | str | None, Answer] = {
    faults.MALFORMED: Answer(200, b'{"ok":tr'),
    faults.HTML: Answer(200, b"<!DOCTYPE html><h1>Please sign in</h1>", {"Content-Type": "text/html"}),
    faults.EXPIRED: in_xml(403, "AuthenticationFailed"),
}


@dataclass(frozen=True)
class Request:
    """One call as it was met: its route, status or fault, the range that was asked for, bytes of both bodies."""

    route: str
    status_or_fault: int | str
    range: str = ""
    authorization: str = ""
    method: str = ""
    path: str = ""  # without its query
    received: int = 0
    sent: int = 0  # as meant; less has come where a fault has cut it


class CacheService(AnsweringService):
    """The service; it answers inside its `with` block.

    `tokens` are the jobs' tokens it knows. As act's: `act_like` (keys in lower case, a key can be taken again, any
    token). `has_ranges` is whether blobs can be read in parts. URLs to read are good for `download_seconds` of `now`,
    a clock (Unix time) that a test can exchange. The bytes of entries lie in files of `folder`, if there is one.
    `has_limits` is whether too many calls a minute are refused. `slow` is as for AnsweringService.
    """

    def __init__(
        self,
        *tokens: Token,
        act_like: bool = False,
        has_ranges: bool = True,
        has_limits: bool = True,
        download_seconds: float = 600,
        folder: Path | None = None,
        **slow: Any,
    ) -> None:
        super().__init__(**slow)
        self.tokens = {token.text: token for token in tokens or (Token(),)}
        self.act_like = act_like
        self.now = time.time
        self.patience = 20.0
        self.faults = Faults()
        self.inject = self.faults.add
        self.entries = Entries(lambda: self.now(), has_limits=has_limits, folder=folder)  # noqa: PLW0108 - tests set it
        self.blobs = Blobs(self.entries, has_ranges=has_ranges, download_seconds=download_seconds)
        self._twirp = twirp.TwirpCalls(self.entries, self.blobs)
        self._rest = rest.RestCalls(self.entries, self.blobs, act_like=act_like)
        self._lock = threading.RLock()
        self._requests: list[Request] = []
        self._under_way = 0
        self.most_at_once = 0

    def serve(self) -> LoopbackServer[CacheService]:
        """See LoopbackService."""
        return LoopbackServer(self, Handler)

    def environ(self, protocol: str = "v2", token: str = "job-token", **run: str) -> dict[str, str]:
        """The variables of a job's step, for `v2` or `v1`."""
        return {"v2": self.v2, "v1": self.v1}[protocol](token, **run)

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
            "ACTIONS_CACHE_URL": f"{self.url}/{rest.SECRET}/",
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

    @property
    def rpc_count(self) -> int:
        """How many of them were for the service itself, and count against its limits; the others were for blobs."""
        return sum(route in _RPCS for route in self.routes)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._requests.clear()
            self.most_at_once = self._under_way

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """Count a request from its arrival to its answer's end."""
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    @property
    def keys(self) -> list[str]:
        """Of all entries, the oldest first."""
        return [entry.key for entry in self.entries]

    def archive(self, key: str) -> bytes:
        """The bytes of an entry."""
        (entry,) = [entry for entry in self.entries if entry.key == key]
        return bytes(entry.data or b"")

    def put(self, token: Token, key: str, version: str, data: bytes) -> None:
        """Add an entry of another job."""
        with self._lock:
            self.entries.plant(token, key, version, data)

    def receive(self, method: str, target: str, headers: Any, body: bytes) -> tuple[Answer, Delivery]:
        """Decide on a call and put it on record."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        origin = f"{self.scheme}://{headers['Host']}"
        call = Call(_route(method, parts.path, query), method, parts.path, query, headers, body, origin)
        with self._lock:
            call.fault = self.faults.next(call)
            answer = self._answer(call)
            met, bearer = call.fault or answer.status, headers["Authorization"] or ""
            sizes = len(body), len(answer.body)
            self._requests.append(Request(call.route, met, call.range, bearer, method, call.path, *sizes))
        is_spoilt = call.fault in {how.value for how in Delivery}
        return answer, Delivery(call.fault) if is_spoilt else Delivery.WHOLE

    def _answer(self, call: Call) -> Answer:
        if call.fault in _SPOILT:
            return _SPOILT[call.fault]
        if isinstance(call.fault, int):
            return injected(call.fault, call.route, call.path, self.faults.retry_after)
        if call.path.startswith("/blob/"):
            return self.blobs.answer(call)
        try:
            if call.path.startswith(rest.PREFIX):
                return self._rest.answer(call, self._token(call.headers))
            if call.path.startswith(twirp.PREFIX):
                return self._twirp.answer(call, self._token(call.headers))
            raise Refused(404, "bad_route", f"no handler for path {call.path}")
        except Refused as refused:
            return refusal(refused, protocol="v1" if call.path.startswith(rest.PREFIX) else "v2")

    def _token(self, headers: Any) -> Token:
        if self.act_like:
            return next(iter(self.tokens.values()))
        kind, _, text = (headers["Authorization"] or "").partition(" ")
        if kind != "Bearer" or text not in self.tokens:
            raise Refused(401, "unauthenticated", "bad credentials")
        return self.tokens[text]


def _route(method: str, path: str, query: dict[str, str]) -> str:
    if path.startswith("/blob/"):
        kinds = {"GET": "blob.get", "HEAD": "blob.head"}
        written = {"block": "blob.block", "blocklist": "blob.list"}.get(query.get("comp", ""), "blob.put")
        return kinds.get(method, written if method == "PUT" else "unknown")
    if path.startswith(twirp.PREFIX):
        return twirp.ROUTES.get(path.removeprefix(twirp.PREFIX), "unknown")
    if not path.startswith(rest.PREFIX):
        return "unknown"
    named = rest.ROUTES.get((method, path.removeprefix(rest.PREFIX)))
    return named or {"PATCH": "chunk", "POST": "finalize"}.get(method, "unknown")
