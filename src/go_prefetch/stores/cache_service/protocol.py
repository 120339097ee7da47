"""What the two protocols of a cache service have in common: what the store sees of them, and how they make calls.

A call is one request and its whole answer, tried again where the network or the server slipped.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Backoff, Deadline, Retries, parse_retry_after
from go_prefetch.base.untrusted_json import parse_object
from go_prefetch.errors import Notice, StoreError, notice

if TYPE_CHECKING:
    from go_prefetch.web.client import HttpClient

_BLOCK = 8 << 20  # bytes of an upload that travel at once
_AT_ONCE = 6  # blocks
_MOST_BYTES = 1 << 20  # of an answer
_TOO_MANY = 429


class NotAllowed(Exception):  # noqa: N818 - no error: the service may say no
    """The service said no, and nothing is wrong with it: why, as a notice."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice)
        self.notice = notice


@dataclass(frozen=True)
class Found:
    """An entry: its whole key, and a signed URL for its bytes that is good for some minutes."""

    key: str
    url: str = field(repr=False)


class Upload(Protocol):
    """An entry that has a key and no bytes yet. Nobody sees it before it is finished."""

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """Send block `number`, which begins at byte `offset`. Safe to call from many threads, in any order."""

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """Make an entry of `size` bytes out of the blocks."""


class CacheService(Protocol):
    """One protocol of a cache service.

    Every method raises NotAllowed, StoreError (`store-unreachable`, `store-refused`).
    """

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """The newest entry whose key begins with the first prefix, or with the second, …, in the best scope."""

    def reserve(self, key: str, deadline: Deadline) -> Upload:
        """Take the key for an upload."""


def send(archive: BinaryIO, size: int, upload: Upload, deadline: Deadline) -> None:
    """Send `size` bytes of `archive`, from its beginning, in blocks of which each is tried again. Finish the upload.

    Raises StoreError and NotAllowed, the first of any block. Holds 48 MiB at most.
    """
    count = -(-size // _BLOCK)
    lock, failed, numbers = threading.Lock(), threading.Event(), iter(range(count))

    def put_some() -> None:
        while not failed.is_set():
            with lock:
                number = next(numbers, None)
                if number is None:
                    return
                archive.seek(number * _BLOCK)
                block = archive.read(_BLOCK)
            upload.put(number, number * _BLOCK, block, deadline)

    senders = [run_in_background(put_some) for _ in range(min(_AT_ONCE, count))]
    try:
        for sender in wait(senders, return_when=FIRST_EXCEPTION).done:
            sender.result()
    finally:
        failed.set()
    if deadline.passed():
        raise StoreError("store-slow", "upload")
    upload.finish(count, size, deadline)


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
        attempts or the time are used up, and NotAllowed for 401 and 429: after too many requests more of them do not
        help, and a job has better things to do than to wait.
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
