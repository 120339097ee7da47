"""Map an error of the HTTP library to its effect on the next attempt, with a short text for people."""

from __future__ import annotations

import errno
import re
import socket
import ssl

import requests
from urllib3.exceptions import IncompleteRead, ProtocolError

from go_prefetch.base.retry import TRANSIENT_STATUSES, AttemptError, Cause

# The answer of an HTTP proxy to CONNECT, as http.client reports it.
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")

# Python's text around a message of OpenSSL: `[SSL: CERTIFICATE_VERIFY_FAILED] `, ` (_ssl.c:1000)`.
_OF_OPENSSL = re.compile(r"^\[[A-Z0-9_: ]+\] | \(_ssl\.c:\d+\)$")

_NO_SUCH_HOST = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}
_NOT_CONNECTED = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT)

_LONGEST = 300  # a server may choose this text


def from_requests(error: requests.RequestException, connect: float, stall: float, *, connected: bool) -> AttemptError:
    """Return why there was no answer. `connect` and `stall` are limits in seconds; `connected` tells which applies."""
    words, cause = words_of(error), cause_of(error)
    lost = bool(error.args) and isinstance(error.args[0], ProtocolError)
    silence = AttemptError(f"no answer within {stall:.3g}s", kind="silent", cause=Cause.SILENT)
    handshake = AttemptError(f"connected, but no TLS handshake within {connect:.3g}s", cause=Cause.HANDSHAKE)
    no_connection = AttemptError(f"no connection within {connect:.3g}s", cause=Cause.NOT_CONNECTED)
    # Without the message of urllib3, which quotes the URL with its password in some versions.
    malformed = AttemptError("malformed URL, of the server or of the HTTP proxy", transient=False, kind="refused")
    circle = AttemptError("too many redirects", transient=False, kind="refused", cause=Cause.REDIRECTS)
    late = silence if connected else handshake if cause is Cause.HANDSHAKE else no_connection
    meanings = (
        (requests.Timeout, late),
        (requests.TooManyRedirects, circle),
        (requests.exceptions.ProxyError, _of_http_proxy(words)),
        (requests.exceptions.SSLError, _of_tls(words, cause)),
        (requests.ConnectionError, AttemptError(words, kind="lost" if lost else "error", cause=cause)),
        (requests.exceptions.ChunkedEncodingError, AttemptError(words)),
        (requests.exceptions.InvalidURL, malformed),
    )
    other = AttemptError(f"{type(error).__name__}: {words}", transient=False, kind="refused")  # an invalid URL
    return next((meaning for kind, meaning in meanings if isinstance(error, kind)), other)


def _of_tls(words: str, cause: Cause) -> AttemptError:
    return AttemptError(f"TLS: {words}", transient=cause is not Cause.CERTIFICATE, cause=cause)


def _of_http_proxy(words: str) -> AttemptError:
    """Map a refusal by an HTTP proxy. A rejected login is not retried, because that may lock the account."""
    refused = _REFUSED_TUNNEL.search(words)
    status = int(refused[1]) if refused else None
    return AttemptError(
        f"HTTP proxy: {words}",
        transient=status is None or status in TRANSIENT_STATUSES,
        kind="refused" if refused else "error",
        status=status,
        at_http_proxy=True,
    )


def _system_words(error: OSError, words: str) -> str:
    if isinstance(error, socket.gaierror):
        return f"DNS: {words}"
    return _OF_OPENSSL.sub("", words) if isinstance(error, ssl.SSLError) else words.lower()


def cause_of(error: BaseException) -> Cause:
    """Return the cause that the innermost error of the system stands for."""
    while True:
        inner = getattr(error, "reason", None) or (error.args[-1] if error.args else None)
        inner = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
        if inner is None or isinstance(error, (socket.gaierror, ssl.SSLCertVerificationError, TimeoutError)):
            break
        error = inner
    if isinstance(error, socket.gaierror):
        return Cause.NO_SUCH_HOST if error.errno in _NO_SUCH_HOST else Cause.NO_NAME_SERVER
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause.CERTIFICATE
    if "handshake" in str(error) and isinstance(error, TimeoutError):
        return Cause.HANDSHAKE
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":  # the answer is no TLS
        return Cause.HANDSHAKE
    return Cause.NOT_CONNECTED if getattr(error, "errno", None) in _NOT_CONNECTED else Cause.OTHER


def words_of(error: BaseException) -> str:
    """Return the innermost reason of a wrapped error on one line, in the system's own words if it has them."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    if isinstance(error, IncompleteRead) and isinstance(error.partial, int) and error.expected:
        return f"closed after {error.partial} of {error.partial + error.expected} bytes"
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return words_of(reason)
    for one in (error, error.__cause__ or error.__context__):
        if isinstance(one, OSError) and one.strerror:
            return _system_words(one, one.strerror)
    last = error.args[-1] if error.args else ""  # the errors of urllib3 begin with an object
    return " ".join(str(last if isinstance(last, str) else error).split())[:_LONGEST] or type(error).__name__
