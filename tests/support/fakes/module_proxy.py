"""A Go module proxy on a loopback port that can be told to fail in every way a real one does."""

from __future__ import annotations

import base64
import enum
import math
import re
import threading
import time
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from tests.support.fakes.answers import Answer, AnsweringHandler, AnsweringService, Delivery
from tests.support.fakes.loopback import LoopbackServer
from tests.support.fakes.lot import Lot
from tests.support.fakes.modules import FakeModule, damaged, layout
from tests.support.fakes.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CONTENT_TYPES = {"info": "application/json", "mod": "text/plain; charset=UTF-8", "zip": "application/zip"}
HTML_PAGE = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>\n"


class Fault(enum.Enum):
    """A way to fail: another status, an answer that does not come whole, or one of another content."""

    NOT_FOUND = 404
    GONE = 410
    FORBIDDEN = 403
    TOO_MANY = 429
    SERVER_ERROR = 500
    BAD_GATEWAY = 502
    UNAVAILABLE = 503
    RESET = Delivery.RESET
    CLOSED_EARLY = Delivery.CLOSED
    HALF_BODY = Delivery.TRUNCATED
    HALF_BODY_WITHOUT_LENGTH = Delivery.WITHOUT_LENGTH
    HALF_BODY_IN_CHUNKS = Delivery.IN_CHUNKS
    WRONG_BYTES = "a well-formed file with other content"
    HTML = "a web page with status 200"
    STALL_BEFORE_HEADERS = Delivery.SILENCE
    STALL_IN_BODY = Delivery.STUCK
    SLOW_DRIP = Delivery.DRIP
    REDIRECT_LOOP = "a redirect to the same address"

    @property
    def delivery(self) -> Delivery:
        """What becomes of the answer on its way."""
        return self.value if isinstance(self.value, Delivery) else Delivery.WHOLE


QUICK_FAULTS = (
    Fault.TOO_MANY,
    Fault.SERVER_ERROR,
    Fault.BAD_GATEWAY,
    Fault.RESET,
    Fault.CLOSED_EARLY,
    Fault.HALF_BODY,
)


@dataclass(frozen=True)
class Request:
    """A request as it arrived (`path` without leading slash and with `!` for upper case) and what it was met with."""

    path: str
    status_or_fault: int | Fault
    range: str | None
    authorization: str | None


@dataclass
class _Chance:
    """Faults that befall any request, by lot."""

    share: float
    lot: Lot
    faults: Sequence[Fault]


class RequestLimit:
    """A token bucket: so many requests per second, and as many at once. A refused request takes nothing from it.

    `retry_after` is whether a refusal says when the next request is taken, in whole seconds.
    """

    def __init__(self, rate: float, *, retry_after: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._retry_after = retry_after
        self._clock = clock
        self._tokens = rate
        self._filled = clock()

    def refusal(self) -> Answer | None:
        """Take a token, or return the refusal."""
        now = self._clock()
        self._tokens = min(self._rate, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        seconds = math.ceil((1 - self._tokens) / self._rate)
        return Answer(429, b"too many requests\n", {"Retry-After": str(seconds)} if self._retry_after else {})


class ModuleProxy(AnsweringService):
    """The proxy; serves inside its `with` block, and from then on its address refuses connections.

    `slow` is as for AnsweringService.
    """

    drip_bytes = 1

    def __init__(
        self,
        modules: Iterable[FakeModule] = (),
        *,
        credentials: tuple[str, str] | None = None,
        **slow: Any,
    ) -> None:
        super().__init__(**slow)
        self.files: dict[str, bytes] = layout(modules)
        self.credentials = credentials
        self.retry_after: int | str = 0
        self.limit: RequestLimit | None = None
        self.drip = 0.2
        self.has_etags = False  # and with them answers to If-Range
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._rules: list[Rule[Fault]] = []
        self._chance: _Chance | None = None

    def serve(self) -> LoopbackServer[ModuleProxy]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)

    def url_with(self, user: str, password: str) -> str:
        """The address with a user name and password in it."""
        return f"http://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in order of arrival (a copy)."""
        with self._lock:
            return list(self._requests)

    def paths(self) -> list[str]:
        """The paths requested so far, in order of arrival."""
        return [request.path for request in self.requests]

    def clear(self) -> None:
        """Forget the requests so far; faults stay."""
        with self._lock:
            self._requests.clear()

    def fault(
        self,
        pattern: str,
        fault: Fault,
        times: int | None = None,
        picks: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """Fail requests whose path matches the pattern; of several rules the first with times left applies.

        With `picks` only those that it picks by their number among the rule's, which begins with 1.
        """
        with self._lock:
            self._rules.append(Rule(pattern, fault, times, picks))

    def random_faults(self, share: float, seed: int, faults: Sequence[Fault] = QUICK_FAULTS) -> None:
        """Fail this share of the requests that no rule of `fault` applies to, by lot."""
        with self._lock:
            self._chance = _Chance(share, Lot(seed), faults)

    def receive(self, path: str, wanted_range: str | None, authorization: str | None) -> tuple[Answer, Fault | None]:
        """Decide on a request and put it on record."""
        with self._lock:
            if not self._authorized(authorization):
                fault, answer = None, Answer(401, b"unauthorized\n", {"WWW-Authenticate": 'Basic realm="modules"'})
            elif self.limit and (refusal := self.limit.refusal()):
                fault, answer = None, refusal
            else:
                fault = self._next_fault(path)
                answer = self._answer(path, wanted_range, fault)
            self._requests.append(Request(path, fault or answer.status, wanted_range, authorization))
        return answer, fault

    def _authorized(self, authorization: str | None) -> bool:
        if self.credentials is None:
            return True
        expected = base64.b64encode(":".join(self.credentials).encode()).decode()
        return authorization == f"Basic {expected}"

    def _next_fault(self, path: str) -> Fault | None:
        for rule in self._rules:
            if rule.befalls(path):
                return rule.fault
        if self._chance:
            drawn = self._chance.lot.draw(path)
            if drawn.random() < self._chance.share:
                return drawn.choice(self._chance.faults)
        return None

    def _answer(self, path: str, wanted_range: str | None, fault: Fault | None) -> Answer:
        if fault and isinstance(fault.value, int):
            headers = {"Retry-After": str(self.retry_after)} if fault in (Fault.TOO_MANY, Fault.UNAVAILABLE) else {}
            return Answer(fault.value, f"{fault.name}\n".encode(), headers)
        if fault is Fault.HTML:
            return Answer(200, HTML_PAGE, {"Content-Type": "text/html; charset=utf-8"})
        if fault is Fault.REDIRECT_LOOP:
            return Answer(302, b"", {"Location": "/" + quote(path, safe="/@")})
        content = self.files.get(path)
        if content is None:
            return Answer(404, f"not found: {path}\n".encode(), {"Content-Type": "text/plain; charset=UTF-8"})
        if fault is Fault.WRONG_BYTES:
            content = damaged(path, content)
        kind = CONTENT_TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        headers = {"Content-Type": kind}
        if self.has_etags:
            headers["ETag"] = _etag(content)
        return _part(content, wanted_range, headers)


def _etag(content: bytes) -> str:
    return f'"{zlib.crc32(content):x}"'


def _part(content: bytes, wanted_range: str | None, headers: dict[str, str]) -> Answer:
    """The content from `bytes=N-` on or of `bytes=N-M`, or the whole of it for any other or no range."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted_range or "")
    if not match:
        return Answer(200, content, headers)
    start, size = int(match[1]), len(content)
    last = min(int(match[2] or size), size - 1)
    if start > last:
        return Answer(416, b"", {"Content-Range": f"bytes */{size}"})
    return Answer(206, content[start : last + 1], headers | {"Content-Range": f"bytes {start}-{last}/{size}"})


class _Handler(AnsweringHandler, BaseHTTPRequestHandler):
    """One connection."""

    server: LoopbackServer[ModuleProxy]

    def do_GET(self) -> None:
        """Answer one request."""
        proxy = self.server.owner
        path = unquote(urlsplit(self.path).path).lstrip("/")
        is_current = self.headers["If-Range"] in (None, _etag(proxy.files.get(path, b"")))
        wanted_range = self.headers["Range"] if is_current else None
        answer, fault = proxy.receive(path, wanted_range, self.headers["Authorization"])
        self.deliver(answer, fault.delivery if fault else Delivery.WHOLE)
