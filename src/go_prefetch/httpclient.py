"""HTTP with a limit on everything that could take for ever."""

from __future__ import annotations

import http.client
import io
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.packages import urllib3  # type: ignore[attr-defined]  # the one requests itself uses

from go_prefetch import __version__
from go_prefetch.retry import TRANSIENT_STATUSES, AttemptError, Deadline, parse_retry_after

_CHUNK = 1 << 16
# A body that brings less than this for a whole stall timeout is as good as silent.
_CRAWL_BYTES_PER_SECOND = 1024
_MAX_REDIRECTS = 10  # as net/http
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Answer:
    """What a server answered. `pieces` is the body as it arrives; it raises AttemptError."""

    status: int
    reason: str
    headers: Mapping[str, str]  # names in any case
    pieces: Iterator[bytes]


class HttpClient:
    """Keep-alive connections with limits. Safe to use from many threads: each has connections of its own.

    `connect_timeout` and `stall_timeout` are seconds. Certificates are checked against the system's store
    (SSL_CERT_FILE included, as Go does) and the one that comes with requests. With `own_login` every request carries
    what its caller gives it; without, what the user's netrc has for the host.
    """

    def __init__(
        self, connect_timeout: float, stall_timeout: float, cancelled: Callable[[], bool], *, own_login: bool = False
    ) -> None:
        self._timeout = (connect_timeout, stall_timeout)
        self._cancelled = cancelled
        self._own_login = own_login
        self._of_thread = threading.local()
        self._tls = ssl.create_default_context()

    def get(self, url: str, destination: Path, max_bytes: int, deadline: Deadline) -> int:
        """Write the body of `url` to `destination` and return its length in bytes.

        Raises AttemptError for everything the network does, OSError for what the file system does.
        """
        _refuse_clear_text_password(url)
        with self.request("GET", url, deadline) as answer:
            _raise_for_status(answer)
            with destination.open("wb") as out:
                total = 0
                for piece in answer.pieces:
                    total += len(piece)
                    if total > max_bytes:
                        raise AttemptError(f"more than {max_bytes} bytes", transient=False)
                    out.write(piece)
                return total

    @contextmanager
    def request(
        self, method: str, url: str, deadline: Deadline, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Iterator[Answer]:
        """Send a request; whatever the status, the answer is yielded as soon as its headers are there.

        Raises AttemptError for everything the network does.
        """
        if self._cancelled():
            raise AttemptError("interrupted", transient=False)
        connect, stall = (max(0.05, min(limit, deadline.left())) for limit in self._timeout)
        try:
            response = self._session().request(
                method, url, headers=headers, data=_Body(body, deadline) if body else None, stream=True,
                timeout=(connect, stall), auth=_leave_headers if self._own_login else None,
                allow_redirects=method == "GET",
            )  # fmt: skip
        except requests.RequestException as error:
            raise _from_requests(error, connect, stall) from None
        except urllib3.exceptions.HTTPError as error:  # requests lets a few through
            raise AttemptError(_words(error)) from None
        with response:
            yield Answer(
                response.status_code, response.reason or "", response.headers, self._pieces(response, deadline)
            )

    def _pieces(self, response: requests.Response, deadline: Deadline) -> Iterator[bytes]:
        stall = self._timeout[1]
        total = window_bytes = 0
        window_ends = time.monotonic() + stall
        while piece := _read_some(response, stall):
            yield piece
            total += len(piece)
            window_bytes += len(piece)
            if self._cancelled() or deadline.passed():
                raise AttemptError("no time left", transient=False)
            if time.monotonic() >= window_ends:
                if window_bytes < _CRAWL_BYTES_PER_SECOND * stall:
                    raise AttemptError(f"crawling: {window_bytes} bytes in {stall:g}s")
                window_bytes, window_ends = 0, time.monotonic() + stall
        promised = response.headers.get("Content-Length", "")
        if promised.isdigit() and int(promised) != total:
            raise AttemptError(f"closed after {total} of {promised} bytes")

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = _Session()
            session.headers.update({"User-Agent": f"go-prefetch/{__version__}", "Accept-Encoding": "identity"})
            session.max_redirects = _MAX_REDIRECTS
            session.mount("https://", _SystemTrust(self._tls))
        return session


class _Body(io.BytesIO):
    """Sent in small pieces: a socket's timeout then limits each of them, and the deadline ends the rest."""

    def __init__(self, content: bytes, deadline: Deadline) -> None:
        super().__init__(content)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        """As BytesIO. Raises AttemptError where no time is left."""
        if self._deadline.passed():
            raise AttemptError("no time left", transient=False)
        return super().read(size)


def _leave_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """In the place of a login, so that requests does not look for one in the user's netrc."""
    return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target and urlsplit(resp.url).scheme == "https" and urlsplit(target).scheme == "http":
            raise AttemptError("redirected from https to http", transient=False)
        return target


class _SystemTrust(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)


def _refuse_clear_text_password(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and "@" in parts.netloc and parts.hostname not in _LOOPBACK:
        raise AttemptError("refusing to pass credentials to an insecure URL", transient=False)


def _raise_for_status(answer: Answer) -> None:
    status = answer.status
    if status == 200:
        return
    raise AttemptError(
        f"{status} {answer.reason}".strip(),
        not_found=status in (404, 410),
        transient=status in TRANSIENT_STATUSES,
        retry_after=parse_retry_after(answer.headers.get("Retry-After")),
    )


def _read_some(response: requests.Response, stall: float) -> bytes:
    """What has arrived, without waiting for a whole chunk: a drip must not hide behind a full buffer."""
    try:
        some: bytes = response.raw.read1(_CHUNK)
    except urllib3.exceptions.ReadTimeoutError:
        raise AttemptError(f"stalled: nothing for {stall:g}s") from None
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        raise AttemptError(_words(error)) from None
    return some


def _from_requests(error: requests.RequestException, connect: float, stall: float) -> AttemptError:
    if isinstance(error, requests.ConnectTimeout):
        return AttemptError(f"no connection within {connect:g}s")
    if isinstance(error, requests.Timeout):
        return AttemptError(f"no answer within {stall:g}s")
    if isinstance(error, requests.TooManyRedirects):
        return AttemptError(f"more than {_MAX_REDIRECTS} redirects", transient=False)
    if isinstance(error, requests.exceptions.SSLError):
        return AttemptError(f"TLS: {_words(error)}", transient="CERTIFICATE_VERIFY_FAILED" not in str(error))
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return AttemptError(_words(error))
    return AttemptError(f"{type(error).__name__}: {_words(error)}", transient=False)


def _words(error: BaseException) -> str:
    """The innermost reason of a wrapped error, on one line: the system's own word where there is one."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _words(reason)
    inner = error.__cause__ or error.__context__
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return " ".join(str(error).split()) or type(error).__name__
