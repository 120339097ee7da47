"""Connections through a SOCKS5 proxy, as Go makes them: RFC 1928, and RFC 1929 for a user and password.

`socks5` and `socks5h` mean the same, as in net/http: the proxy looks up names.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.addresses import address_of

SCHEMES = ("socks5", "socks5h")

_PORT = 1080
_VERSION, _LOGIN_VERSION = 5, 1
_NO_LOGIN, _PASSWORD = 0, 2
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_LONGEST = 255  # bytes of a name, a user or a password

# RFC 1928, 6: why there is no connection, and whether the next attempt may get one.
_REFUSALS = {
    1: ("general failure", True),
    2: ("not allowed by its rules", False),
    3: ("network unreachable", True),
    4: ("host unreachable", True),
    5: ("connection refused", True),
    6: ("TTL expired", True),
    7: ("command not supported", False),
    8: ("address type not supported", False),
}


@dataclass(frozen=True)
class SocksProxy:
    """A SOCKS5 proxy, perhaps with a login."""

    host: str
    port: int
    user: bytes = field(default=b"", repr=False)
    password: bytes = field(default=b"", repr=False)
    has_login: bool = False

    @classmethod
    def of_url(cls, url: str) -> SocksProxy:
        """Return the proxy that a URL names."""
        parts = urlsplit(url)
        user, password = (unquote(text or "").encode() for text in (parts.username, parts.password))
        return cls(parts.hostname or "", parts.port or _PORT, user, password, parts.username is not None)

    def open(self, connection: socket.socket, host: str, port: int, left: Callable[[], float]) -> None:
        """Ask for a connection to a server. `left` returns the seconds that remain for it.

        Raises AttemptError for a refusal, OSError for an error of the network or if no time is left.
        """

        def ask(message: bytes, count: int) -> bytes:
            connection.settimeout(left())
            connection.sendall(message)
            return receive(count)

        def receive(count: int) -> bytes:
            answer = b""
            while len(answer) < count:
                connection.settimeout(left())
                piece = connection.recv(count - len(answer))
                if not piece:
                    raise ConnectionError("closed by the SOCKS proxy")
                answer += piece
            return answer

        methods = bytes([_NO_LOGIN, _PASSWORD] if self.has_login else [_NO_LOGIN])
        version, method = ask(bytes([_VERSION, len(methods)]) + methods, 2)
        if version != _VERSION:
            raise _refusal("it does not speak SOCKS5")
        if method not in methods:
            raise _refusal("it wants another login")
        if method == _PASSWORD:
            login = bytes([_LOGIN_VERSION]) + _counted(self.user) + _counted(self.password)
            if ask(login, 2)[1]:
                raise _refusal("it rejected the login")
        kind = ask(bytes([_VERSION, _CONNECT, 0]) + _address(host) + struct.pack(">H", port), 4)
        if kind[1]:
            words, transient = _REFUSALS.get(kind[1], (f"status {kind[1]}", True))
            raise _refusal(words, transient=transient)
        lengths = {_IPV4: 4, _IPV6: 16}
        receive((receive(1)[0] if kind[3] == _NAME else lengths.get(kind[3], 0)) + 2)


def _address(host: str) -> bytes:
    address = address_of(host)
    if address is None:
        return bytes([_NAME]) + _counted(host.encode())
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def _counted(text: bytes) -> bytes:
    if len(text) > _LONGEST:
        raise _refusal(f"it takes {_LONGEST} bytes of a name, user or password at most")
    return bytes([len(text)]) + text


def _refusal(words: str, *, transient: bool = False) -> AttemptError:
    return AttemptError(
        f"SOCKS proxy: {words}", transient=transient, kind="error" if transient else "refused", at_http_proxy=True
    )
