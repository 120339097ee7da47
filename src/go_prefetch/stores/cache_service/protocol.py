"""The common part of the two protocols of a cache service: its port for the store, and how calls are made.

A call is one request and its whole answer. It is retried after a temporary failure of the network or the server.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Backoff, Deadline, Retries
from go_prefetch.base.untrusted_json import parse_object
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.web.pacing import refusal_of

if TYPE_CHECKING:
    from go_prefetch.web.client import HttpClient

_MOST_BYTES = 1 << 20  # of an answer
FIRST_ANSWER = 10.0  # seconds without any answer after which a server counts as dead
_TRY_FOR = 5.0  # seconds without an answer after which no other attempt begins
_FRESH = 30.0  # seconds for which an answer proves that a server is alive
_LARGE = 64 << 10  # bytes of a body that take their time


class NotAllowed(Exception):  # noqa: N818 - no error: the service may say no
    """The service refuses, and nothing is wrong with it: the reason, as a notice."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice)
        self.notice = notice


@dataclass(frozen=True)
class Found:
    """An entry: its whole key, and a signed URL for its bytes that is valid for some minutes."""

    key: str
    url: str = field(repr=False)


class Upload(Protocol):
    """An entry that has a key and no bytes yet. It is not visible before it is finished."""

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """Send block `number`, which begins at byte `offset`. Safe to call from many threads, in any order."""

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """Turn the blocks into an entry of `size` bytes."""

    def put_whole(self, content: bytes, deadline: Deadline) -> None:
        """Send all bytes of a small entry, and turn them into it."""

    def abandon(self) -> None:
        """Leave nothing of the entry behind, as far as the service allows. Blocks that are put later are refused."""


class CacheService(Protocol):
    """One protocol of a cache service.

    Every method raises NotAllowed, StoreError (`store-unreachable`, `store-refused`).
    """

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """Return the newest entry whose key begins with the first prefix, or with the second, …, in the best scope."""

    def reserve(self, key: str, deadline: Deadline) -> Upload:
        """Reserve the key for an upload."""


@dataclass(frozen=True)
class Call:
    """A request. `what` is its display name. URLs are signed and never shown."""

    what: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Reply:
    """A whole answer. Header names may have any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """Makes calls over one client. `tell` is called with the first failed attempt.

    A server that does not answer is not asked again and again: it costs one attempt, or several short ones.
    """

    def __init__(self, client: HttpClient, backoff: Backoff, tell: Callable[[Notice], None] = lambda _: None) -> None:
        self._client = client
        self._backoff = backoff
        self._tell = tell
        self._has_told = False
        self._answered = -math.inf  # when the server did, last

    def call(self, call: Call, deadline: Deadline, understood: Callable[[Reply], bool] | None = None) -> Reply:
        """Return the first answer that is not a temporary failure.

        Temporary failures are statuses that may not come again, and answers that are not `understood`. Raises
        StoreError once the attempts or the time are used up, and NotAllowed for 401 and for a limit of the service that
        lasts longer than the client waits.
        """
        retries, started = Retries(self._backoff, deadline.wait), time.monotonic()
        while True:
            try:
                reply = self._once(call, deadline)
                if reply.status not in TRANSIENT_STATUSES and (understood is None or understood(reply)):
                    return reply
                raise AttemptError(f"status {reply.status}" + ("" if reply.status >= 300 else ", not understood"))
            except AttemptError as error:
                if error.kind == "limited":
                    raise NotAllowed(notice("store-not-allowed", "rate-limit")) from None
                words = without_queries(str(error))
                self._note_failure(call.what, words)
                quiet = time.monotonic() - max(started, self._answered)
                is_dead = quiet > (FIRST_ANSWER if len(call.body) > _LARGE else _TRY_FOR)
                if is_dead or not (error.transient and retries.again()):
                    raise StoreError("store-unreachable", "call", call=call.what, words=words) from None

    def _note_failure(self, what: str, words: str) -> None:
        if not self._has_told:
            self._has_told = True
            self._tell(notice("store-unreachable", "attempt", call=what, words=words))

    def _once(self, call: Call, deadline: Deadline) -> Reply:
        if deadline.passed():
            raise AttemptError("no time left", transient=False)
        is_alive = time.monotonic() - self._answered < _FRESH or len(call.body) > _LARGE
        limit = deadline if is_alive else deadline.earlier_of(FIRST_ANSWER)
        with self._client.request(call.method, call.url, limit, headers=call.headers, body=call.body) as answer:
            self._answered = time.monotonic()
            body = answer.read(_MOST_BYTES)
        if answer.status == 401:
            raise NotAllowed(notice("store-not-allowed", "token"))
        if refusal_of(answer.status, answer.headers):
            raise NotAllowed(notice("store-not-allowed", "rate-limit"))
        return Reply(answer.status, answer.headers, body)


def json_object(reply: Reply) -> dict[str, Any] | None:
    """Return the JSON object of a reply, or None if there is none."""
    return parse_object(reply.body, _MOST_BYTES)


def is_object_or_error(reply: Reply) -> bool:
    """Return whether the service itself can have sent it, and not something in between, with status 200."""
    return reply.status >= 300 or not reply.body or json_object(reply) is not None


def refused(what: str, reply: Reply) -> StoreError:
    """Return the error for an answer that no client expects."""
    return StoreError("store-refused", call=what, status=reply.status)


def without_queries(text: str) -> str:
    """Return `text` without what follows a `?` in a URL, because signatures are there."""
    return re.sub(r"\?\S*", "", text)
