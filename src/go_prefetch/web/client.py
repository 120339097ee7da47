"""HTTP with a limit on everything that could take without end."""

from __future__ import annotations

import http.client
import io
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from go_prefetch import __version__
from go_prefetch.base.redaction import HIDDEN
from go_prefetch.base.retry import CRAWL_BYTES_PER_SECOND, AttemptError, Deadline
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.web.addresses import Reach, is_public
from go_prefetch.web.answer import Answer, decode
from go_prefetch.web.certificates import trust
from go_prefetch.web.dns import Resolver
from go_prefetch.web.error_mapping import from_requests, words_of
from go_prefetch.web.goauth import GoAuth
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts, Wire
from go_prefetch.web.pacing import TOO_MANY, Paces, Refusal, refusal_of
from go_prefetch.web.session import Session, refuse_clear_text, refuse_malformed
from go_prefetch.web.transport import CURRENT, LimitedAdapter

# What a request may send: bytes, or all of an open file.
Content = bytes | BinaryIO

_CHUNK = 1 << 16
_MAX_REDIRECTS = 10  # as in net/http
_LONGEST_REASON = 200
_LONG_TOKEN = 4  # characters; a shorter one would hide parts of ordinary words
_LENGTH = re.compile("[0-9]{1,15}")


class HttpClient:
    """Keep-alive connections with limits. Safe to use from many threads: each has its own connections.

    Certificates are checked against those that `web` names and those of requests. With
    `caller_authenticates` every request has the headers of its caller. Otherwise it has the login of the URL, or of the
    user's netrc for the host. If a public server, `trusted_origin`, names the URLs, only URLs that a redirect from
    there could lead to are requested. Redirects are answers like any other unless the client `follows` them.

    A server that refuses requests because of a limit gets fewer, and a refused request is sent again.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        web: HttpSettings,
        caller_authenticates: bool = False,
        trusted_origin: str = "",
        follows: bool = True,
        resolver: Resolver | None = None,
        trace: Trace = UNTRACED,
    ) -> None:
        self._paces = Paces()
        self._timeouts = timeouts
        self._web = web
        self._caller_authenticates = caller_authenticates
        self._trusted_origin = trusted_origin
        self._follows = follows
        self._resolver = resolver or Resolver()
        self._goauth = GoAuth(web)
        self._trace = trace
        self._thread = threading.local()
        try:
            self._tls = trust(web.certificates)
        except OSError as error:
            named = ", ".join(map(str, web.certificates.named))
            raise AttemptError(f"certificates of {named} cannot be read: {error}", transient=False) from None

    def close(self) -> None:
        """Close the connections of this thread."""
        self._session().close()

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        headers: Mapping[str, str] | None = None,
        body: Content = b"",
        wire: Wire | None = None,
    ) -> Iterator[Answer]:
        """Send a request, and yield the answer as soon as its headers are there, whatever the status.

        All of an open file is its body, which is read while it is sent. It is read again if it must be sent again.

        `wire` lets another thread watch or cancel the request. Raises AttemptError for all errors of the network.
        """
        if deadline.is_cancelled:
            raise AttemptError("interrupted", transient=False)
        refuse_malformed(url)
        wire = wire or Wire()
        token = CURRENT.set(wire)
        with self._span(method, url, wire) as seen:
            try:
                with self._send_in_turn(method, url, headers, body, deadline) as response:
                    wire.note_answer()
                    self._resolver.answered(wire.peer)
                    seen["status"] = response.status_code
                    pieces = self._pieces(response, deadline, wire)
                    yield Answer(
                        response.status_code, self._reason_of(response), response.headers,
                        decode(pieces, response.headers.get("Content-Encoding", "")),
                        has_login=bool(wire.login),
                    )  # fmt: skip
            except AttemptError as error:
                seen["error"] = "overtaken" if wire.is_cut else str(error)
                if wire.peer and wire.first_byte is None and error.kind != "refused":
                    self._resolver.failed(wire.peer)
                raise
            finally:
                wire.detach()
                CURRENT.reset(token)

    @contextmanager
    def _span(self, method: str, url: str, wire: Wire) -> Iterator[dict[str, Any]]:
        """Open a span of the trace with the phases of the wire. No query, user or password is recorded."""
        if not self._trace.is_on:
            yield {}
            return
        parts = urlsplit(url)
        name = f"{method} {unquote(parts.path).strip('/')}"
        with self._trace.span(name, "request", host=parts.netloc.rpartition("@")[2]) as details:
            try:
                yield details
            finally:
                if wire.first_byte is not None:
                    answered = wire.started + wire.first_byte
                    self._trace.add("until the first byte", "phase", wire.started, answered, {})
                    self._trace.add("body", "phase", answered, time.monotonic(), {})
                for phase in wire.phases:
                    self._trace.add(phase.name, "phase", phase.began, phase.ended, {})

    def _check_origin(self, url: str, seconds: float) -> None:
        """Check a URL that the server named as if a redirect led to it. Raises AttemptError."""
        refuse_malformed(self._trusted_origin)
        leader = urlsplit(self._trusted_origin)
        if not self._trusted_origin or urlsplit(url)[:2] == leader[:2]:
            return
        if not self._session().proxies_for(self._trusted_origin):
            try:
                found = self._resolver.addresses(leader.hostname or "", leader.port or 443, seconds)
            except OSError as error:
                raise AttemptError(words_of(error)) from None
            peer = CURRENT.get().peer = str(found[0][4][0])
            if not is_public(peer):  # inside a network, a server may name any other server
                return
        self._session().refuse(self._trusted_origin, url)

    def _send_in_turn(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: Content, deadline: Deadline
    ) -> requests.Response:
        """Send a request at the server's pace, and again if it refuses because of a limit and that is worth waiting."""
        if self._timeouts.limit is None:
            return self._send_with_login(method, url, headers, body, deadline)
        pace, wire = self._paces.of(url), CURRENT.get()
        patience = Deadline.after(min(self._timeouts.limit, wire.patience, deadline.left()))
        while True:
            started = pace.enter(lambda seconds: wire.wait_for_turn(seconds, deadline), patience.left())
            try:
                response = self._send_with_login(method, url, headers, body, deadline)
            except AttemptError as error:
                if error.status == TOO_MANY:  # of an HTTP proxy on the way
                    wire.refusals += 1
                    pace.refused(started, Refusal())
                raise
            refusal = refusal_of(response.status_code, response.headers)
            if refusal is None:
                pace.accepted(started)
                return response
            wire.refusals += 1
            pace.refused(started, refusal)
            if pace.away() > patience.left():
                return response
            response.close()

    def _send_with_login(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: Content, deadline: Deadline
    ) -> requests.Response:
        """Send a request, and again with new headers if GOAUTH has any after a 4xx answer."""
        wire = CURRENT.get()
        connect, wire.stall = self._timeouts.within(deadline)
        wire.allow(connect + wire.stall)
        wire.reach = Reach.ANYWHERE
        self._check_origin(url, connect)
        wire.peer = ""
        body = _Body(content, deadline)
        wire.login = self._login_for(url)
        response = self._send(method, url, headers, body, connect)
        is_refused = 400 <= response.status_code < 500 and not self._caller_authenticates
        if is_refused and self._goauth.renew(url, wire.login, response, deadline.left()):
            response.close()
            wire.login = self._login_for(url)
            response = self._send(method, url, headers, body, connect)
            self._goauth.judge(url, response.status_code)
        return response

    def _login_for(self, url: str) -> Mapping[str, str]:
        """Return the headers with a login: of the URL, of GOAUTH's commands, of the user or of netrc.

        Raises AttemptError for one that would be sent in clear text.
        """
        if self._caller_authenticates:
            return {}
        by_command = self._goauth.headers_for(url)
        authorization = "" if by_command else self._web.authorization_for(url)
        if authorization:
            refuse_clear_text(url)
        return by_command or ({"Authorization": authorization} if authorization else {})

    def _reason_of(self, response: requests.Response) -> str:
        """Return the reason of a status, without a login that the server repeats in it."""
        reason = response.reason or ""
        for value in CURRENT.get().login.values():
            token = value.rpartition(" ")[2]
            reason = reason.replace(token, HIDDEN) if len(token) >= _LONG_TOKEN else reason
        refused = response.status_code in (401, 403)
        problem = f" (GOAUTH: {self._goauth.problem})" if refused and self._goauth.problem else ""
        return f"{reason[:_LONGEST_REASON]}{problem}"

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: _Body, connect: float
    ) -> requests.Response:
        """Send a request, and again if a kept connection turns out to be closed, as net/http does (RFC 9112, 9.3.1)."""
        wire = CURRENT.get()
        while True:
            try:
                return self._send_once(method, url, headers, body, connect)
            except AttemptError as error:
                if error.kind != "lost" or not wire.is_stale or method not in ("GET", "HEAD"):
                    raise

    def _send_once(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: _Body, connect: float
    ) -> requests.Response:
        wire, session = CURRENT.get(), self._session()
        try:
            return session.request(
                method, url, headers=headers, data=body.from_beginning(), stream=True, timeout=(connect, wire.stall),
                proxies=session.proxies_for(url),
                auth=_Login(wire.login),
                allow_redirects=method == "GET",
            )  # fmt: skip
        except requests.RequestException as error:
            raise from_requests(error, connect, wire.stall, connected=wire.is_connected) from None
        except (HTTPError, OSError) as error:  # requests does not wrap a few of these
            raise AttemptError(words_of(error)) from None
        except ValueError:  # an unexpected URL or header; the message may quote a signed URL
            raise AttemptError("what the server said makes no sense", transient=False) from None

    def _pieces(self, response: requests.Response, deadline: Deadline, wire: Wire) -> Iterator[bytes]:
        stall = wire.stall
        total = window_bytes = 0
        window = Deadline.after(stall)
        wire.allow(stall)
        while piece := _read_some(response, stall):
            total += len(piece)
            window_bytes += len(piece)
            wire.note_progress(len(piece))
            yield piece
            if deadline.is_over:
                raise AttemptError("no time left", transient=False)
            if window.passed():
                if window_bytes < CRAWL_BYTES_PER_SECOND * stall:
                    raise AttemptError(f"crawling: {window_bytes} bytes in {stall:g}s")
                window_bytes, window = 0, Deadline.after(stall)
            wire.allow(min(stall, max(0.05, deadline.left())))
        promised = response.headers.get("Content-Length", "")
        if _LENGTH.fullmatch(promised) and int(promised) != total and response.request.method != "HEAD":
            raise AttemptError(f"closed after {total} of {promised} bytes")

    def _session(self) -> Session:
        session: Session | None = getattr(self._thread, "session", None)
        if session is None:
            session = self._thread.session = Session(self._web, follows=self._follows)
            session.headers.update({"User-Agent": f"go-prefetch/{__version__}", "Accept-Encoding": "identity"})
            session.max_redirects = _MAX_REDIRECTS
            adapter = LimitedAdapter(self._tls, self._resolver, self._web.local_names)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
        return session


class _Body:
    """A body that is sent in small pieces. A socket's timeout limits each of them, and the deadline ends the rest."""

    def __init__(self, content: Content, deadline: Deadline) -> None:
        self._content = io.BytesIO(content) if isinstance(content, bytes) else content
        self._content.seek(0, os.SEEK_END)
        self._size = self._left = self._content.tell()
        self._deadline = deadline

    def from_beginning(self) -> _Body | None:
        """Return the body, to be sent from its beginning; None for one without bytes."""
        self._content.seek(0)
        self._left = self._size
        return self if self._size else None

    def __len__(self) -> int:
        """Return the bytes in all. requests takes them for the Content-Length."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces. requests takes only what has this method for a stream, and urllib3 reads that."""
        return iter(partial(self.read, _CHUNK), b"")

    def read(self, size: int = -1, /) -> bytes:
        """Read no more than was promised. Raises AttemptError if no time is left, or the file is shorter by now."""
        if self._deadline.is_over:
            raise AttemptError("no time left", transient=False)
        piece = self._content.read(self._left if size < 0 else min(size, self._left))
        if self._left and not piece:
            raise AttemptError("the file to send became shorter", transient=False)
        self._left -= len(piece)
        return piece


class _Login:
    """Adds these headers and no other. The logins of requests have another encoding than Go's."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def _read_some(response: requests.Response, stall: float) -> bytes:
    """Return what has arrived, without waiting for a whole chunk. A trickle must not hide behind a full buffer."""
    try:
        some: bytes = response.raw.read1(_CHUNK, decode_content=False)
    except ReadTimeoutError:
        raise AttemptError(f"stalled: nothing for {stall:g}s", kind="silent") from None
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise AttemptError(words_of(error)) from None
    return some
