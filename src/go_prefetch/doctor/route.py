"""How a URL is reached: which host, by which HTTP proxy, with which login.

Logins from a URL or from netrc travel over https, or to loopback, only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urlsplit

from go_prefetch.web.addresses import is_loopback
from go_prefetch.web.http_settings import HttpSettings, authorization_in

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

    def with_login_of(self, first: Route) -> Route:
        """This, reached by redirects from `first`: its login is for that very server, and no other is for this one."""
        is_same = (self.scheme, self.host, self.port) == (first.scheme, first.host, first.port)
        return replace(self, authorization=first.authorization if is_same else "")


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
    if "@" in parts.netloc and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Unreachable("refusing to pass credentials to an insecure URL")
    return web.authorization_for(url)


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
    return Relay(parts.hostname, port or 80, authorization_in(text))
