"""A plain HTTP server as a storage: GET, HEAD, PUT and DELETE below one URL.

Any static server, CDN or repository for files can be read. A server that speaks WebDAV gets a file under a temporary
name, and renames it. Others get it under its name, on the condition that there is none: some ignore that, but an object
is the same by its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TypeVar
from urllib.parse import quote, urlsplit

from go_prefetch.base.nofollow import random_digits
from go_prefetch.base.redaction import hide
from go_prefetch.base.retry import AttemptError, Backoff, Cause, Deadline, Retries
from go_prefetch.stores.objects.port import ObjectError, ObjectInfo, Trouble
from go_prefetch.stores.objects.webdav import WebDav
from go_prefetch.web.answer import read_short, whole_size
from go_prefetch.web.client import Content, HttpClient
from go_prefetch.web.in_flight import Wire
from go_prefetch.web.transfer import Transfer, error_of

_Result = TypeVar("_Result")

_TRY_FOR = 5.0  # seconds without an answer after which no other attempt begins
_LONGEST_WORDS = 300
_TROUBLES = {
    401: Trouble.LOGIN,
    403: Trouble.DENIED,
    404: Trouble.MISSING,
    410: Trouble.MISSING,
    503: Trouble.LIMITED,  # S3 says SlowDown so
}
_EXISTS = (409, 412)  # some servers say so of two requests at the same time, which have the same bytes
# Answers to HEAD of servers that know the object: signed URLs are for GET alone.
_NO_HEAD = (301, 302, 303, 307, 308, 405, 501)
# Answers to PUT of servers that want a folder to be there first. nginx says 500.
_NO_FOLDER = (404, 409, 500)
_IF_NEW = {"If-None-Match": "*"}
# Hosts that have another header for it.
_IF_NEW_AT = {"storage.googleapis.com": {"x-goog-if-generation-match": "0"}}


@dataclass(frozen=True)
class Reply:
    """An answer without its body. `error` is what it means as a failure; None for a success."""

    status: int
    headers: Mapping[str, str]
    error: AttemptError | None
    size: int | None = None

    def check(self) -> None:
        """Raise AttemptError for a failure."""
        if self.error:
            raise self.error


class HttpServer:
    """The objects below `url`, which has no login. `client` follows redirects, and has the login."""

    def __init__(self, url: str, client: HttpClient, backoff: Backoff) -> None:
        self.name = url.rstrip("/")
        self._client = client
        self._backoff = backoff
        self._transfer = Transfer(client)
        self._dav = WebDav(self._ask)
        self._if_new = _IF_NEW_AT.get(urlsplit(url).hostname or "", _IF_NEW)
        self._answered = 0.0  # when the server did, last

    def get(self, name: str, out: BinaryIO, most: int, deadline: Deadline) -> int:
        """See ObjectStorage. A download that breaks off is resumed, and a large one comes in parts."""
        url = self._url(name)
        return self._retried(lambda: self._transfer.get(url, out, most, deadline, Wire()).bytes, deadline)

    def put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool = False) -> bool:
        """See ObjectStorage."""
        return self._retried(partial(self._put, name, content, deadline, replaces=replaces), deadline)

    def size(self, name: str, deadline: Deadline) -> int | None:
        """See ObjectStorage."""
        try:
            return self._retried(partial(self._size, name, deadline), deadline)
        except ObjectError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise

    def remove(self, name: str, deadline: Deadline) -> None:
        """See ObjectStorage."""
        self._retried(partial(self._remove, name, deadline), deadline)

    def entries(self, prefix: str, deadline: Deadline) -> Iterator[ObjectInfo]:
        """Refuse: HTTP has no list of objects."""
        del prefix, deadline
        raise ObjectError(Trouble.REFUSED, "an HTTP server does not list its files")

    def _url(self, name: str) -> str:
        return f"{self.name}/{quote(name, safe='/@')}"

    def _put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool) -> bool:
        if self._dav.is_spoken(self.name + "/", deadline):
            temporary = self._url(f"{name}{random_digits()}.tmp")
            with self._dav.removing(temporary):
                self._send(temporary, content, deadline, {}).check()
                moved = self._dav.move(temporary, self._url(name), deadline, replaces=replaces)
            if moved is not None:
                return moved
        reply = self._send(self._url(name), content, deadline, {} if replaces else self._if_new)
        if reply.status in _EXISTS and not replaces:
            return False
        reply.check()
        return True

    def _send(self, url: str, content: BinaryIO, deadline: Deadline, headers: Mapping[str, str]) -> Reply:
        """Send an object, and again after its folder is made if the server may want that."""
        ask = partial(self._ask, "PUT", url, deadline, headers=headers, body=content)
        reply = ask()
        needs_folder = reply.status in _NO_FOLDER and (reply.status not in _EXISTS or not headers)
        if needs_folder and self._dav.make_folder(url.rpartition("/")[0], deadline):
            return ask()
        return reply

    def _size(self, name: str, deadline: Deadline) -> int:
        url = self._url(name)
        reply = self._ask("HEAD", url, deadline)
        if reply.status in _NO_HEAD or (reply.error is None and reply.size is None):
            reply = self._ask("GET", url, deadline, headers={"Range": "bytes=0-0"})
        reply.check()
        if reply.size is None:
            raise AttemptError("an answer without a length", transient=False, kind="refused")
        return reply.size

    def _remove(self, name: str, deadline: Deadline) -> None:
        reply = self._ask("DELETE", self._url(name), deadline)
        if _TROUBLES.get(reply.status) is not Trouble.MISSING:
            reply.check()

    def _ask(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        body: Content = b"",
    ) -> Reply:
        """Send one request. Raises AttemptError if there is no answer."""
        with self._client.request(method, url, deadline, headers=headers, body=body) as answer:
            self._answered = time.monotonic()
            if answer.status < 300:
                read_short(answer, is_head=method == "HEAD")
                return Reply(answer.status, answer.headers, None, whole_size(answer))
            return Reply(answer.status, answer.headers, error_of(answer))

    def _retried(self, call: Callable[[], _Result], deadline: Deadline) -> _Result:
        """Return the result of a call. Temporary failures are retried, unless the server answers nothing at all."""
        retries, started = Retries(self._backoff, deadline.wait), time.monotonic()
        while True:
            try:
                if deadline.passed():
                    raise AttemptError("no time left", transient=False)
                result = call()
            except AttemptError as error:
                if error.status:
                    self._answered = time.monotonic()
                is_silent = time.monotonic() - max(started, self._answered) > _TRY_FOR
                if error.kind == "limited" or is_silent or not (error.transient and retries.again()):
                    raise ObjectError(_trouble(error), hide(str(error)[:_LONGEST_WORDS], ())) from None
            else:
                self._answered = time.monotonic()
                return result


def _trouble(error: AttemptError) -> Trouble:
    if error.kind == "limited":
        return Trouble.LIMITED
    if error.cause is Cause.TOO_LARGE:
        return Trouble.TOO_LARGE
    if error.status and not error.at_http_proxy and (trouble := _TROUBLES.get(error.status)):
        return trouble
    is_final = not error.transient and (error.status is not None or error.kind == "refused")
    return Trouble.REFUSED if is_final else Trouble.UNREACHABLE
