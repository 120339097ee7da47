"""Calls of a forge's REST API: what is tried again, what a rate limit means, what else can come.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from go_prefetch.base import untrusted_json
from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Backoff, Retries, parse_retry_after
from go_prefetch.errors import ApiError, InputError, Notice, RateLimitError, notice
from go_prefetch.forge.transport import Reply, Transport

PER_PAGE = 100  # the most that both forges give
_MOST_PAGES = 10_000
_UNASKED_WAIT = 30.0  # seconds: so long a rate limit is waited out without being told to
_SECONDARY_WAIT = 60.0  # seconds: what GitHub advises where a limit does not say when it ends
_LONGEST_WAIT = 2 * 3600.0
_MOST_WAITS = 20


@dataclass(frozen=True)
class Answer:
    """An answer that makes sense: `value` is its JSON, None for 204 and 304."""

    status: int
    headers: Mapping[str, str]
    value: Any


@dataclass(frozen=True)
class Patience:
    """What to do about rate limits, and the clock to do it by (Unix time, seconds)."""

    wait: bool = False
    tell: Callable[[Notice], None] = field(default=lambda _: None)
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class RestApi:
    """The API called `name` (for messages) behind `transport`."""

    def __init__(self, name: str, transport: Transport, patience: Patience, backoff: Backoff | None = None) -> None:
        self.name = name
        self._transport = transport
        self._patience = patience
        self._backoff = backoff or Backoff(attempts=4)

    def call(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, etag: str = "", method: str = "GET"
    ) -> Answer:
        """The answer, whatever its status. With `etag` it is 304 where nothing has changed since.

        Raises RateLimitError where a limit would have to be waited for longer than was allowed, ApiError where no
        attempt was answered with sense.
        """
        headers = {"If-None-Match": etag} if etag else {}
        waits, retries = 0, Retries(self._backoff, self._sleep)
        while True:
            try:
                reply = self._transport.send(method, path, parameters or {}, headers)
                seconds = limited_seconds(reply, self._patience.now())
                if seconds is None:
                    return _understood(reply)
            except AttemptError as error:
                if not (error.transient and retries.again(error.retry_after)):
                    raise self._unreachable(path, error) from None
                continue
            waits += 1
            self._wait_out(seconds, waits)

    def get(self, path: str, parameters: Mapping[str, Any] | None = None, *, etag: str = "") -> Answer:
        """An answer of status 200 or 304. Raises as `call`, and InputError for what this token may not see."""
        return self.checked(path, self.call(path, parameters, etag=etag))

    def pages(self, path: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """The value of each page, until one says that it is the last."""
        for number in range(1, _MOST_PAGES):
            answer = self.get(path, {**(parameters or {}), "per_page": PER_PAGE, "page": number})
            yield answer.value
            if not has_next(answer):
                return

    def checked(self, path: str, answer: Answer) -> Answer:
        """This answer, if it is a good one. Raises InputError or ApiError."""
        if 200 <= answer.status < 300 or answer.status == 304:
            return answer
        if answer.status in (401, 403):
            raise InputError("token-refused", api=self.name, path=path, status=answer.status, words=_message(answer))
        if answer.status == 404:
            raise InputError("repository-not-found", api=self.name, path=path)
        raise ApiError("api-refused", api=self.name, path=path, status=answer.status, words=_message(answer))

    def _sleep(self, seconds: float) -> bool:
        self._patience.sleep(seconds)
        return True

    def _wait_out(self, seconds: float, waits: int) -> None:
        until = self._patience.now() + seconds
        clock = time.strftime("%H:%M:%S", time.localtime(until))
        if waits > _MOST_WAITS or seconds > (_LONGEST_WAIT if self._patience.wait else _UNASKED_WAIT):
            raise RateLimitError("api-rate-limit", api=self.name, clock=clock, until=until)
        self._patience.tell(notice("api-rate-limit-wait", api=self.name, clock=clock))
        self._patience.sleep(seconds)

    def _unreachable(self, path: str, error: AttemptError) -> ApiError:
        return ApiError("api-unreachable", api=self.name, path=path, words=error.words)


def limited_seconds(reply: Reply, now: float) -> float | None:
    """Seconds until a rate limit ends that this answer tells of; None if it tells of none."""
    if reply.status not in (403, 429):
        return None
    after = parse_retry_after(reply.headers.get("retry-after"))
    if after is not None:
        return after
    left = _header(reply, "ratelimit-remaining")
    reset = _header(reply, "ratelimit-reset")
    if left == "0" and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset[:12]) - now) + 1.0  # their clock and ours are not the same
    if reply.status == 429 or "secondary rate limit" in reply.body[:2000].lower():
        return _SECONDARY_WAIT
    return None


def has_next(answer: Answer) -> bool:
    """Whether there is another page (RFC 8288, as both forges use it)."""
    return 'rel="next"' in answer.headers.get("link", "")


def _header(reply: Reply, name: str) -> str:
    return reply.headers.get(f"x-{name}", "") or reply.headers.get(name, "")


def _understood(reply: Reply) -> Answer:
    if reply.status in TRANSIENT_STATUSES:
        raise AttemptError(f"{reply.status}", retry_after=parse_retry_after(reply.headers.get("retry-after")))
    if not reply.body or reply.status in (204, 302, 304):
        return Answer(reply.status, reply.headers, None)
    value = untrusted_json.parse(reply.body)
    if value is None and reply.status < 300:
        raise AttemptError("what came is no JSON")
    return Answer(reply.status, reply.headers, value)


def _message(answer: Answer) -> str:
    message = " ".join(untrusted_json.text(answer.value, "message").split())
    return f" ({message[:200]})" if message else ""
