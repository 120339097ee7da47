"""How a URL is reached: which host, by which HTTP proxy, with which login.

Logins from a URL or from netrc travel over https, or to loopback, only.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from go_prefetch.web.settings import HttpSettings

_PORTS = {"http": 80, "https": 443}


class Unreachable(Exception):  # noqa: N818 - no error of ours: words about a source that cannot be asked
    """Why this URL is not asked at all."""


@dataclass(frozen=True)
class Relay:
    """An HTTP proxy on the way."""

    host: str
    port: int
    authorization: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Route:
    """Where to connect, and what to ask for there."""

    scheme: str
    host: str
    port: int
    target: str  # path and query
    relay: Relay | None
    authorization: str = field(repr=False)

    @property
    def authority(self) -> str:
        """Host and, where it is not the usual one, port, as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def find_route(web: HttpSettings, url: str) -> Route:
    """How `url` is reached. Raises Unreachable with the reason why it is not to be asked."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host:
        raise Unreachable(f"not an http or https URL: {parts.scheme}")
    return Route(
        scheme=parts.scheme,
        host=host,
        port=parts.port or _PORTS[parts.scheme],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        relay=_relay(web.proxy_for(url), parts.scheme),
        authorization=_login(web, url, parts),
    )


def _login(web: HttpSettings, url: str, parts: SplitResult) -> str:
    if "@" in parts.netloc:
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise Unreachable("refusing to pass credentials to an insecure URL")
        return _basic(unquote(parts.username or ""), unquote(parts.password or ""))
    found = web.login_for(url)
    return _basic(*found) if found else ""


def _relay(text: str, scheme: str) -> Relay | None:
    if not text:
        return None
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme != "http" or not parts.hostname or port == 0:
        raise Unreachable(f"{scheme.upper()}_PROXY is no http://HOST:PORT, which is all that doctor goes through")
    login = _basic(unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else ""
    return Relay(parts.hostname, port or 80, login)


def is_loopback(host: str) -> bool:
    """Whether this is the machine itself, by name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
