"""One request and its whole answer, tried again where the network or the server slipped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Backoff, Deadline, Retries, parse_retry_after
from go_prefetch.base.untrusted_json import parse_object
from go_prefetch.errors import StoreError, notice
from go_prefetch.stores.cache_service.protocol import NotAllowed

if TYPE_CHECKING:
    from go_prefetch.web.client import HttpClient

_MOST_BYTES = 1 << 20
_TOO_MANY = 429


@dataclass(frozen=True)
class Call:
    """A request. `what` is what people call it; URLs are signed and never shown."""

    what: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Reply:
    """A whole answer. Names of headers in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """Makes calls over one client."""

    def __init__(self, client: HttpClient, backoff: Backoff) -> None:
        self._client = client
        self._backoff = backoff

    def call(self, call: Call, deadline: Deadline, understood: Callable[[Reply], bool] | None = None) -> Reply:
        """The first answer that is no slip of the network or the server.

        A slip is a status that may well not come again, and what is not `understood`. Raises StoreError once the
        attempts or the time are used up, Declined for 401 and 429: whoever has sent too many requests is not helped by
        more, and a job has better things to do than to wait.
        """
        retries = Retries(self._backoff, deadline.wait)
        while True:
            try:
                reply = self._once(call, deadline)
                if reply.status not in TRANSIENT_STATUSES and (understood is None or understood(reply)):
                    return reply
                words = f"status {reply.status}" + ("" if reply.status >= 300 else ", not understood")
                raise AttemptError(words, retry_after=parse_retry_after(reply.headers.get("Retry-After")))
            except AttemptError as error:
                if not (error.transient and retries.again(error.retry_after)):
                    words = without_queries(str(error))
                    raise StoreError("store-unreachable", "call", call=call.what, words=words) from None

    def _once(self, call: Call, deadline: Deadline) -> Reply:
        if deadline.passed():
            raise AttemptError("no time left", transient=False)
        with self._client.request(call.method, call.url, deadline, headers=call.headers, body=call.body) as answer:
            body = answer.read(_MOST_BYTES)
        if answer.status == 401:
            raise NotAllowed(notice("store-not-allowed", "token"))
        if answer.status == _TOO_MANY:
            raise NotAllowed(notice("store-not-allowed", "rate-limit"))
        return Reply(answer.status, answer.headers, body)


def json_object(reply: Reply) -> dict[str, Any] | None:
    """The JSON object that a reply is; None if it is none."""
    return parse_object(reply.body, _MOST_BYTES)


def is_object_or_error(reply: Reply) -> bool:
    """Whether it can be what the service itself says: not a page of something in between, with status 200."""
    return reply.status >= 300 or not reply.body or json_object(reply) is not None


def refused(what: str, reply: Reply) -> StoreError:
    """For an answer that no client should have to expect."""
    return StoreError("store-refused", call=what, status=reply.status)


def without_queries(text: str) -> str:
    """`text` without what follows a `?` in a URL: there the signatures are."""
    return re.sub(r"\?\S*", "", text)
