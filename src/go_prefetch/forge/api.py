"""Requests to a forge's REST API: their limits, retries and rate limits, for GitHub and GitLab alike.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from go_prefetch.base import untrusted_json
from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Backoff, Deadline, Retries, parse_retry_after
from go_prefetch.errors import ApiError, InputError, Notice, RateLimitError, notice
from go_prefetch.forge.access import Access
from go_prefetch.web.answer import Answer
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from go_prefetch.web.pacing import Pace, Refusal, refusal_of

PER_PAGE = 100  # the most that both forges give
MOST_PAGES = 10_000
_LARGEST = 16 << 20  # bytes of one answer: a page of a hundred runs has some 2 MB
_MOVED = (301, 308)
_MOST_HOPS = 4
_UNASKED_WAIT = 30.0  # seconds: a longer rate limit is waited out with --wait only
_SECONDARY_WAIT = 60.0  # seconds: what GitHub advises where a limit does not say when it ends
_LONGEST_WAIT = 2 * 3600.0
_TOLD = 1.0  # seconds: a shorter wait is not worth a notice


@dataclass(frozen=True)
class Patience:
    """What to do about rate limits, and the clock to do it by (Unix time, seconds).

    `write_pause` is the least time between two requests that change something, as GitHub asks for.
    """

    wait: bool = False
    tell: Callable[[Notice], None] = field(default=lambda _: None)
    now: Callable[[], float] = time.time
    sleep: Callable[[float], object] = time.sleep
    write_pause: float = 1.0


@dataclass(frozen=True)
class Limits:
    """How long one answer may take, in seconds: its silences, and the whole of it with the redirects before."""

    timeouts: Timeouts = field(default=Timeouts(connect=10.0, stall=30.0))
    whole: float = 60.0


@dataclass(frozen=True)
class Reply:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    @cached_property
    def value(self) -> Any:
        """Its JSON; None if it has none."""
        return untrusted_json.parse(self.body, _LARGEST)


class RestApi:
    """The API that `access` names.

    Where `follows` is false, redirects are followed within the API only, if they say that something has moved. That
    is for GitHub, whose redirect to a log must not be followed with the token.
    """

    def __init__(
        self,
        access: Access,
        web: HttpSettings,
        patience: Patience,
        *,
        follows: bool = True,
        backoff: Backoff | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = access.host
        self._base = access.api_url.rstrip("/")
        self._login = {"Authorization": f"Bearer {access.token}"}
        self._limits = limits or Limits()
        self._client = forge_client(access, web, self._limits.timeouts, follows=follows)
        self.patience = patience
        self._pace = Pace(patience.now)
        self._backoff = backoff or Backoff(attempts=4)

    def send(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """Return the reply, whatever its status, to a request for a path and query of the API's host.

        Raises RateLimitError if a rate limit lasts longer than may be waited, and ApiError if no attempt brings a
        sensible answer.
        """
        path = target.partition("?")[0].removeprefix(urlsplit(self._base).path)
        retries = Retries(self._backoff, self._sleep)
        ends = self.patience.now() + (_LONGEST_WAIT if self.patience.wait else _UNASKED_WAIT)
        while True:
            try:
                started = self._pace.enter(self._wait_out, ends - self.patience.now())
                reply = self._once(method, target, headers)
                refusal = refusal_by(reply, self.patience.now())
                if refusal is None:
                    self._pace.accepted(started)
                    return _checked(reply, method)
                self._pace.refused(started, refusal)
            except AttemptError as error:
                if error.kind == "limited":
                    until = self.patience.now() + (error.retry_after or 0.0)
                    raise RateLimitError("api-rate-limit", api=self.name, clock=_shown(until), until=until) from None
                if not (error.transient and retries.again()):
                    raise ApiError("api-unreachable", api=self.name, path=path, words=error.words) from None

    def call(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        """Return the reply, whatever its status, to a request with the token. Raises as `send`."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self.send("GET", f"{urlsplit(self._base).path}{path}{query}", self._login)

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        """Return a good reply. Raises as `call` and `refusal`."""
        return self.checked(path, self.call(path, parameters))

    def pages(self, path: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Return the value of each page, until one says that it is the last."""
        for number in range(1, MOST_PAGES):
            reply = self.get(path, {**(parameters or {}), "per_page": PER_PAGE, "page": number})
            yield reply.value
            if not has_next(reply.headers):
                return

    @contextmanager
    def opened(self, path: str, deadline: Deadline) -> Iterator[Answer]:
        """Return an answer as it arrives, whatever its status, but for a short rate limit. Raises AttemptError."""
        while True:
            started = self._pace.enter(deadline.wait, _UNASKED_WAIT)
            with self._client.request("GET", f"{self._base}{path}", deadline, headers=self._login) as answer:
                refusal = refusal_of(answer.status, answer.headers)
                if refusal is None:
                    self._pace.accepted(started)
                    yield answer
                    return
            self._pace.refused(started, refusal)

    def checked(self, path: str, reply: Reply) -> Reply:
        """Return a good reply. Raises what `refusal` makes of the others."""
        if 200 <= reply.status < 300:
            return reply
        raise self.refusal(path, reply.status, untrusted_json.text(reply.value, "message"))

    def refusal(self, path: str, status: int, message: str) -> InputError | ApiError:
        """Return the error for a status that is no success."""
        words = " ".join(message.split())[:200]
        words = f" ({words})" if words else ""
        if status in (401, 403):
            return InputError("token-refused", api=self.name, path=path, status=status, words=words)
        if status == 404:
            return InputError("repository-not-found", api=self.name, path=path)
        return ApiError("api-refused", api=self.name, path=path, status=status, words=words)

    def _once(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """Return the reply to one request, or to the one that its redirects lead to. Raises AttemptError."""
        deadline = Deadline.after(self._limits.whole)
        url = urljoin(self._base, target)
        for _ in range(_MOST_HOPS):
            packed = {"Accept-Encoding": "gzip", **headers}
            with self._client.request(method, url, deadline, headers=packed) as answer:
                names = {name.lower(): value for name, value in answer.headers.items()}
                reply = Reply(answer.status, names, answer.read(_LARGEST).decode(errors="replace"))
            if reply.status not in _MOVED or "location" not in reply.headers:
                return reply
            url = _moved(url, reply.headers["location"])
        raise AttemptError("too many redirects", transient=False)

    def _sleep(self, seconds: float) -> bool:
        self.patience.sleep(seconds)
        return True

    def _wait_out(self, seconds: float) -> bool:
        if seconds >= _TOLD:
            until = self.patience.now() + seconds
            self.patience.tell(notice("api-rate-limit-wait", api=self.name, clock=_shown(until)))
        return self._sleep(seconds)


def forge_client(
    access: Access, web: HttpSettings, timeouts: Timeouts | None = None, *, follows: bool = True
) -> HttpClient:
    """Return a client for this API and what it names, without netrc: a log's URL is its own credential."""
    try:
        return HttpClient(
            timeouts or replace(Limits().timeouts, limit=_UNASKED_WAIT),
            web=web,
            caller_authenticates=True,
            trusted_origin=access.api_url,
            follows=follows,
        )
    except AttemptError as error:
        raise ApiError("api-unreachable", "certificates", words=error.words) from None


def _shown(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def refusal_by(reply: Reply, now: float) -> Refusal | None:
    """Return the refusal because of a rate limit that a reply is, as the forges tell it; None for another reply."""
    after = parse_retry_after(reply.headers.get("retry-after"))
    if reply.status not in (403, 429):
        return Refusal(after) if after is not None and reply.status in TRANSIENT_STATUSES else None
    if after is not None:
        return Refusal(after)
    left, reset = (
        reply.headers.get(f"x-{name}", "") or reply.headers.get(name, "")
        for name in ("ratelimit-remaining", "ratelimit-reset")
    )
    if left == "0" and reset.isascii() and reset.isdigit():
        return Refusal(max(0.0, float(reset[:12]) - now) + 1.0)  # their clock and ours are not the same
    if reply.status == 429 or "secondary rate limit" in reply.body[:2000].lower():
        return Refusal(_SECONDARY_WAIT)
    return None


def has_next(headers: Mapping[str, Any]) -> bool:
    """Return whether there is another page (RFC 8288, as both forges use it)."""
    return 'rel="next"' in headers.get("link", "")


def _moved(url: str, location: str) -> str:
    """Return where something has moved to. Raises AttemptError outside of the API's host, which has the token."""
    try:
        target = urljoin(url, location)
        inside = urlsplit(target)[:2] == urlsplit(url)[:2]
    except ValueError:
        raise AttemptError("redirected to a malformed URL", transient=False) from None
    if not inside:
        raise AttemptError("redirected to another host", transient=False)
    return target


def _checked(reply: Reply, method: str) -> Reply:
    """Return a reply that makes sense. Raises AttemptError for what a second attempt may not meet."""
    if reply.status in TRANSIENT_STATUSES or (reply.status == 202 and method == "GET"):
        raise AttemptError(f"{reply.status}")
    if reply.status < 300 and reply.body and reply.value is None:
        raise AttemptError("what came is no JSON")
    return reply
