"""What the environment says of HTTP, as Go reads it: proxies to go through, logins, certificates to trust.

Rules of golang.org/x/net/http/httpproxy and of cmd/go's reading of netrc. Python's own differ: they send loopback
through proxies, and take `example.com` in NO_PROXY for `notexample.com` too.
"""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class HttpSettings:
    """What the environment says of HTTP. Proxies may hold passwords."""

    http_proxy: str = field(default="", repr=False)
    https_proxy: str = field(default="", repr=False)
    no_proxy: str = ""
    netrc: Path | None = None
    bundles: tuple[Path, ...] = ()  # files or folders of certificates to trust besides the system's

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], platform: str = sys.platform) -> HttpSettings:
        """The settings of this environment."""
        bundles = [environ[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if environ.get(name)]
        # A CGI program's HTTP_PROXY is what its client sent as a header `Proxy`.
        http_proxy = "" if environ.get("REQUEST_METHOD") else environ.get("HTTP_PROXY", "")
        return cls(
            http_proxy=http_proxy or environ.get("http_proxy", ""),
            https_proxy=environ.get("HTTPS_PROXY", "") or environ.get("https_proxy", ""),
            no_proxy=environ.get("NO_PROXY", "") or environ.get("no_proxy", ""),
            netrc=_netrc_path(environ, platform),
            bundles=tuple(Path(bundle) for bundle in dict.fromkeys(bundles)),
        )

    def proxy_for(self, url: str) -> str:
        """The HTTP proxy to reach `url` through; empty for none."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        proxy = self.https_proxy if parts.scheme == "https" else self.http_proxy
        if not proxy or not host or self._goes_direct(host, parts.port or _PORTS.get(parts.scheme, 0)):
            return ""
        return proxy if "://" in proxy else f"http://{proxy}"

    def _goes_direct(self, host: str, port: int) -> bool:
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return True
        entries = [entry.strip().lower() for entry in self.no_proxy.split(",")]
        return any(entry and _covers(entry, host, port, address) for entry in entries)

    def login_for(self, url: str) -> tuple[str, str] | None:
        """User and password that netrc has for the host of `url`; as for Go, only over https."""
        parts = urlsplit(url)
        return self._logins.get(parts.hostname or "") if parts.scheme == "https" else None

    @cached_property
    def _logins(self) -> dict[str, tuple[str, str]]:
        try:
            return logins(self.netrc.read_text(encoding="utf-8", errors="replace")) if self.netrc else {}
        except OSError:
            return {}


def _netrc_path(environ: Mapping[str, str], platform: str) -> Path | None:
    if environ.get("NETRC"):
        return Path(environ["NETRC"])
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME")
    return Path(home, "_netrc" if platform == "win32" else ".netrc") if home else None


def logins(text: str) -> dict[str, tuple[str, str]]:
    """User and password by host; the first entry of a host counts, and `default` does not."""
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


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _covers(entry: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    """Whether one entry of NO_PROXY covers a host: `*`, a network, an address, a domain; with or without a port."""
    if entry == "*":
        return True
    with contextlib.suppress(ValueError):
        network = ipaddress.ip_network(entry, strict=False)
        return address is not None and address in network
    name, separator, digits = entry.rpartition(":")
    if separator and digits.isdigit() and (name.startswith("[") or ":" not in name):
        if int(digits) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*") if entry.startswith("*.") else entry.strip("[]")
    if address is not None:
        return _address(entry) == address
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith(f".{entry}")
