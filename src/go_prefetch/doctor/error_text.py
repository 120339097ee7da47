"""What went wrong on a connection, in words for one line: nothing foreign gets through whole."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from typing import Any

_LONGEST = 120
_NOT_IN_TIME = {"answer": "no answer", "body": "stalled: no end of the body", "TCP": "no connection"}


def plain(text: str) -> str:
    """Foreign text on one line: printable, of bounded length, and no command of any CI system."""
    line = " ".join(text.split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in line[: 4 * _LONGEST])
    shown = printable.replace("##[", "# #[").replace("::", ": :")
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def of_error(error: BaseException, phase: str, limit: float) -> str:
    """Why a phase failed; `limit` is the seconds it had."""
    if isinstance(error, TimeoutError):
        return f"{_NOT_IN_TIME.get(phase, f'{phase}: no answer')} within {limit:.3g}s"
    return next((tell(error) for kind, tell in _OF_KIND if isinstance(error, kind)), plain(repr(error)))


def _system(error: Any) -> str:
    return plain(error.strerror or str(error) or type(error).__name__)


# The more exact kinds first.
_OF_KIND: tuple[tuple[type[BaseException], Callable[[Any], str]], ...] = (
    (ssl.SSLCertVerificationError, lambda error: f"TLS: {plain(error.verify_message or 'certificate not trusted')}"),
    (ssl.SSLError, lambda error: f"TLS: {plain(error.reason or str(error)).lower().replace('_', ' ')}"),
    (socket.gaierror, lambda error: f"DNS: {_system(error)}"),
    (http.client.RemoteDisconnected, lambda _: "connection closed without an answer"),
    (http.client.IncompleteRead, lambda _: "connection closed before the end of the body"),
    (http.client.HTTPException, lambda error: f"what it answered is not HTTP ({type(error).__name__})"),
    (OSError, lambda error: _system(error).lower()),
)
