"""The grammar of GOPROXY: proxies, their separators, and the end of the list.

See https://go.dev/ref/mod#environment-variables and cmd/go's `proxyList`. After `,` the next proxy is used if a file is
missing (404, 410). After `|` it is used on any error. `direct` and `off` end the list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal
from urllib.parse import urlsplit

from go_prefetch.base.redaction import HIDDEN, NO_PASSWORDS, login_secrets
from go_prefetch.base.suggestions import most_similar
from go_prefetch.errors import InputError

Ending = Literal["", "direct", "off"]

# Proxies that serve any public module. Using the next one after an error reveals no private path that the first has not
# seen. The host, and its path.
WELL_KNOWN_PUBLIC = (
    ("proxy.golang.org", ""),
    ("goproxy.io", ""),
    ("goproxy.cn", ""),
    ("proxy.golang.com.cn", ""),
    ("goproxy.baidu.com", ""),
    ("mirrors.aliyun.com", "/goproxy"),
    ("mirrors.cloud.tencent.com", "/go"),
    ("mirrors.tencent.com", "/go"),
    ("repo.huaweicloud.com", "/repository/goproxy"),
    ("mirrors.huaweicloud.com", "/repository/goproxy"),
)

_LIKENESS = 0.87  # from 0 to 1: `proxy.goland.org` is meant to be `proxy.golang.org`, `goproxy.corp.example` is not

# Go adds a missing scheme, so it may be missing here too.
_SCHEME = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:/)?/*")
_FILE_URL = re.compile(r"\s*file:/(?://|[^/])")
_NO_PORT = re.compile(r"(?:\[[^\]]*\]|[^:/\[]*):(?![0-9]*(?:/|$))")


@dataclass(frozen=True)
class Proxy:
    """One proxy of the list. `on_any_error` says whether the next one is used on errors other than "not found"."""

    url: str = field(repr=False)  # may contain a password
    on_any_error: bool
    goes_on_in_go: bool = False  # whether a `|` follows it as written, which is how Go reads the list

    @property
    def shown(self) -> str:
        """Return the URL for a log, without its password."""
        return redact(self.url)

    @property
    def has_credentials(self) -> bool:
        """Return whether the URL has a user name or password."""
        return "@" in urlsplit(self.url).netloc

    @property
    def is_well_known_public(self) -> bool:
        """Return whether this is one of the public proxies of the table above."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        return parts.scheme == "https" and (parts.netloc, path) in WELL_KNOWN_PUBLIC


def is_well_known_host(host: str) -> bool:
    """Return whether this is the host of one of the public proxies of the table above."""
    return any(host == known for known, _ in WELL_KNOWN_PUBLIC)


def well_known_host_like(host: str) -> str:
    """Return the host of a public proxy that a mistyped `host` resembles; empty if there is none, or if it is one."""
    known = [] if is_well_known_host(host) else [known for known, _ in WELL_KNOWN_PUBLIC]
    return most_similar(host, known, _LIKENESS)


class Fallback(Enum):
    """After which proxies the next one is used, for an error other than not found."""

    AUTO = "auto"  # after all, if all of them are well-known public ones
    ANY = "any"
    GO = "go"  # after those with a `|`


@dataclass(frozen=True)
class ProxyList:
    """The proxies in order, and the end of the list."""

    proxies: tuple[Proxy, ...]
    ending: Ending

    @property
    def text(self) -> str:
        """Return the list in GOPROXY's grammar, for Go. It may contain a password."""
        return self._joined([proxy.url for proxy in self.proxies])

    @property
    def shown(self) -> str:
        """Return the list in GOPROXY's grammar, for a log."""
        return self._joined([proxy.shown for proxy in self.proxies])

    @property
    def named_hosts(self) -> frozenset[str]:
        """Return the hosts of the proxies that are not well-known public ones."""
        own = (urlsplit(proxy.url).hostname for proxy in self.proxies if not proxy.is_well_known_public)
        return frozenset(host for host in own if host)

    def _joined(self, urls: list[str]) -> str:
        text = "".join(
            url + ("|" if proxy.on_any_error else ",") for url, proxy in zip(urls, self.proxies, strict=True)
        )
        return text + self.ending if self.ending else text[:-1]

    def with_fallback(self, fallback: Fallback) -> ProxyList:
        """Return the list with the rule of `fallback` applied."""
        public = all(proxy.is_well_known_public for proxy in self.proxies)
        if fallback is Fallback.ANY or (fallback is Fallback.AUTO and public):
            return ProxyList(tuple(replace(proxy, on_any_error=True) for proxy in self.proxies), self.ending)
        return self


def parse_proxy_list(text: str) -> ProxyList:
    """Parse a GOPROXY value.

    Raises InputError `goproxy-invalid` if Go would refuse it: no entry at all, or an entry that is not a URL.
    """
    proxies: list[Proxy] = []
    for match in re.finditer(r"([^,|]*)([,|]|$)", text):
        entry = match[1].strip()
        if entry in ("direct", "off"):
            return ProxyList(tuple(proxies), "direct" if entry == "direct" else "off")
        if entry:
            piped = match[2] == "|"
            proxies.append(Proxy(_url(entry), on_any_error=piped, goes_on_in_go=piped))
    if not proxies:
        raise _invalid(text, "it has no entry")
    # Go checks toolchains with `file:///folder,` but not with `file:///folder`, so the separator must not get lost.
    is_checked = len(proxies) == 1 and proxies[0].url.startswith("file:") and bool(re.search("[,|]", text))
    return ProxyList(tuple(proxies), "off" if is_checked else "")


def _url(entry: str) -> str:
    if ":/" not in entry:
        if not re.search(r"[.:/]", entry) or entry.startswith("/"):
            raise _invalid(entry, "it is neither `direct` nor `off` and has no scheme")
        entry = "https://" + entry
    try:
        parts = urlsplit(entry)
        host = parts.hostname
        _ = parts.port
    except ValueError:  # its text may contain a part of a password
        raise _invalid(entry, "its host or port is malformed; is a character to be percent-encoded?") from None
    if parts.scheme not in ("http", "https", "file"):
        raise _invalid(entry, "only http, https and file URLs are proxies")
    if parts.scheme != "file" and not host:
        raise _invalid(entry, "it names no host")
    if parts.scheme == "file" and (parts.netloc or not re.match("/+[^/]", parts.path)):
        raise _invalid(entry, "a file URL is like `file:///srv/pool` or `file:///C:/pool`")
    if parts.query or parts.fragment:
        raise _invalid(entry, "it has a query or fragment, and paths are to be added at its end")
    if re.search(r"[\s;\\\x00-\x1f]", entry):
        raise _invalid(entry, "it contains a character that does not belong in a URL")
    return entry.rstrip("/")


def _invalid(entry: str, why: str) -> InputError:
    return InputError("goproxy-invalid", entry=redact(entry), why=why)


def redact(url: str) -> str:
    """Return `url` with its password replaced, and a user name too that may be a token; also if it is malformed."""
    scheme, userinfo, host = _around_userinfo(url)
    if userinfo:
        user, _, password = userinfo.partition(":")
        shown = HIDDEN if password in NO_PASSWORDS else f"{user}:{HIDDEN}"
        return f"{scheme}{shown}@{host}"
    if _NO_PORT.match(host):  # it may be the beginning of a password that was split at a comma
        return f"{scheme}{host.partition(':')[0]}:{HIDDEN}"
    return url


def redact_list(text: str) -> str:
    """Return a GOPROXY value with its passwords replaced."""
    return re.sub(r"[^,|]+", lambda entry: redact(entry[0]), text)


def secrets_of(text: str) -> frozenset[str]:
    """Return what must be hidden of the logins in the URLs of `text`; see `login_secrets`."""
    found: frozenset[str] = frozenset()
    for word in re.split(r"[\s,|]+", text):
        user, _, password = _around_userinfo(word)[1].partition(":")
        found |= login_secrets(user, password, encoded=True)
    return found


def _around_userinfo(url: str) -> tuple[str, str, str]:
    """Split a URL into scheme, user and password, and the rest. A password may contain `@`, by mistake also `/?#`."""
    match = _SCHEME.match(url)
    scheme = match[0] if match else ""
    if _FILE_URL.match(url):
        return scheme, "", url.removeprefix(scheme)
    userinfo, _, rest = url.removeprefix(scheme).rpartition("@")
    return scheme, userinfo, rest
