"""HTTP settings of the environment, as Go reads them: HTTP proxies, logins, trusted certificates.

The rules are those of golang.org/x/net/http/httpproxy and of cmd/go for netrc. Python's own rules differ. They send
loopback through proxies, and match `example.com` in NO_PROXY with `notexample.com` too.
"""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from go_prefetch.web.addresses import Address, address_of, is_loopback
from go_prefetch.web.certificate_places import Certificates

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class HttpSettings:
    """HTTP settings of the environment. The proxies may contain passwords."""

    http_proxy: str = field(default="", repr=False)
    https_proxy: str = field(default="", repr=False)
    no_proxy: str = ""
    netrc: Path | None = None
    goauth: str = field(default="", repr=False)  # as it is set; empty means netrc
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # for the commands of GOAUTH
    certificates: Certificates = field(default_factory=Certificates)
    named_hosts: frozenset[str] = frozenset()  # of the user: they may redirect from the internet to private networks
    local_names: tuple[str, ...] = ()  # endings of https hosts that may have a private address
    login_of: tuple[str, str] = field(default=("", ""), repr=False)  # the URL of a server, and a login for it alone

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], platform: str = sys.platform) -> HttpSettings:
        """Return the settings of this environment."""
        # A CGI program's HTTP_PROXY is a header `Proxy` of its client.
        http_proxy = "" if environ.get("REQUEST_METHOD") else environ.get("HTTP_PROXY", "")
        return cls(
            http_proxy=http_proxy or environ.get("http_proxy", ""),
            https_proxy=environ.get("HTTPS_PROXY", "") or environ.get("https_proxy", ""),
            no_proxy=environ.get("NO_PROXY", "") or environ.get("no_proxy", ""),
            netrc=_netrc_path(environ, platform) if _has_netrc(environ.get("GOAUTH", "")) else None,
            goauth=environ.get("GOAUTH", ""),
            environ=environ,
            certificates=Certificates.from_environ(environ),
        )

    @classmethod
    def of_forge(cls, environ: Mapping[str, str]) -> HttpSettings:
        """Return the settings for the API of GitHub or GitLab. A GitLab runner names the authority of its server."""
        found = cls.from_environ(environ)
        own = Path(environ.get("CI_SERVER_TLS_CA_FILE", ""))
        return replace(found, certificates=found.certificates.and_named(own)) if own.is_file() else found

    def proxy_for(self, url: str) -> str:
        """Return the HTTP proxy for `url`, or an empty string for none."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        proxy = self.https_proxy if parts.scheme == "https" else self.http_proxy
        if not proxy or not host or self._goes_direct(host, parts.port or _PORTS.get(parts.scheme, 0)):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"

    def _goes_direct(self, host: str, port: int) -> bool:
        if is_loopback(host):
            return True
        address = address_of(host)
        entries = [entry.strip().lower() for entry in self.no_proxy.split(",")]
        return any(entry and _covers(entry, host, port, address) for entry in entries)

    def authorization_for(self, url: str) -> str:
        """Return the header for the login in `url`, for that of its server, or for that of netrc for its host.

        As in Go, netrc needs https.

        Go looks there for the host with the port, if the URL has one, and curl for the host alone. Both are supported.
        """
        parts = urlsplit(url)
        if "@" in parts.netloc:
            return authorization_in(url)
        server, authorization = self.login_of
        if authorization and _origin(server) == _origin(url):
            return authorization
        found = self._logins.get(parts.netloc) or self._logins.get(parts.hostname or "")
        return basic(*found) if found and parts.scheme == "https" else ""

    def with_goauth(self, goauth: str) -> HttpSettings:
        """Return these settings with the GOAUTH of `go env`, which has the file of `go env -w` too."""
        if not goauth or self.goauth:
            return self
        return replace(self, goauth=goauth, netrc=self.netrc if _has_netrc(goauth) else None)

    def for_server(self, url: str, login: str) -> HttpSettings:
        """Return the settings for one server that the user has named.

        A login is `user:password` or a bearer token, and stands in place of those of GOAUTH and netrc.
        """
        user, colon, password = login.partition(":")
        authorization = basic(user, password) if colon else f"Bearer {login}"
        named = replace(self, named_hosts=frozenset({urlsplit(url).hostname or ""}))
        return replace(named, goauth="off", login_of=(url, authorization)) if login else named

    @property
    def netrc_logins(self) -> dict[str, str]:
        """Return the Authorization header of each host in the user's netrc."""
        return {host: basic(*login) for host, login in self._logins.items()}

    @property
    def logins(self) -> Collection[tuple[str, str]]:
        """Return every user and password in the user's netrc."""
        return self._logins.values()

    @cached_property
    def _logins(self) -> dict[str, tuple[str, str]]:
        try:
            return logins(self.netrc.read_text(encoding="utf-8", errors="replace")) if self.netrc else {}
        except OSError:
            return {}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def authorization_in(url: str) -> str:
    """Return the header for the user and password in a URL, or an empty string if it has none."""
    parts = urlsplit(url)
    return basic(unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else ""


def basic(user: str, password: str) -> str:
    """Return the header in UTF-8, as Go writes it. requests uses Latin-1, which cannot express some characters."""
    return f"Basic {b64encode(f'{user}:{password}'.encode(errors='surrogateescape')).decode()}"


def _has_netrc(goauth: str) -> bool:
    """Return whether GOAUTH has netrc, which is its default. `off` means no login at all."""
    return "netrc" in map(str.strip, (goauth or "netrc").split(";"))


def _netrc_path(environ: Mapping[str, str], platform: str) -> Path | None:
    if environ.get("NETRC"):
        return Path(environ["NETRC"])
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME")
    return Path(home, "_netrc" if platform == "win32" else ".netrc") if home else None


def logins(text: str) -> dict[str, tuple[str, str]]:
    """Return user and password by host. The first entry of a host counts, and `default` does not."""
    found: dict[str, tuple[str, str]] = {}
    entry: dict[str, str] = {}
    in_macro = False
    for line in text.split("\n"):
        fields = line.split()
        if in_macro:
            in_macro = bool(line.strip("\r"))
            continue
        for name, value in zip(fields[::2], fields[1::2], strict=False):
            entry = {} if name == "machine" else entry
            entry[name] = value
            in_macro = in_macro or name == "macdef"
            if entry.get("machine") and entry.get("login") and entry.get("password"):
                found.setdefault(entry["machine"], (entry["login"], entry["password"]))
                entry = {}
        if len(fields) % 2 and fields[-1] == "default":
            break
    return found


def _covers(entry: str, host: str, port: int, address: Address | None) -> bool:
    """Return whether an entry of NO_PROXY covers a host: `*`, a network, an address, a domain; port optional."""
    if entry == "*":
        return True
    with contextlib.suppress(ValueError):
        network = ipaddress.ip_network(entry, strict=False)
        return address is not None and address in network
    name, separator, digits = entry.rpartition(":")
    if separator and digits.isdecimal() and (name.startswith("[") or ":" not in name):
        if digits.lstrip("0") != str(port):
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*") if entry.startswith("*.") else entry.strip("[]")
    if address is not None:
        return address_of(entry) == address
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith(f".{entry}")
