"""GOPROXY's grammar: proxies, what separates them, and what ends the list.

See https://go.dev/ref/mod#environment-variables and cmd/go's `proxyList`. `,` goes on to the next proxy where this one
does not have a file (404, 410), `|` on any error; `direct` and `off` end the list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal
from urllib.parse import urlsplit

from go_prefetch.base.redaction import HIDDEN, NO_PASSWORDS, login_secrets
from go_prefetch.errors import InputError

Ending = Literal["", "direct", "off"]

# Proxies that anyone may ask for anything public: going on to the next one after an error leaks no private path that
# the first would not have seen. Host, and the path that belongs to it.
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

# Go adds a missing scheme, so here too it may be missing.
_SCHEME = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:/)?/*")
_FILE_URL = re.compile(r"\s*file:/(?://|[^/])")
_NO_PORT = re.compile(r"(?:\[[^\]]*\]|[^:/\[]*):(?![0-9]*(?:/|$))")


@dataclass(frozen=True)
class Proxy:
    """One proxy of the list; `on_any_error` says whether an error other than "not found" goes on to the next."""

    url: str = field(repr=False)  # may contain a password
    on_any_error: bool
    goes_on_in_go: bool = False  # whether a `|` follows it as written: what Go itself makes of it

    @property
    def shown(self) -> str:
        """The URL fit for a log: without its password."""
        return redact(self.url)

    @property
    def has_credentials(self) -> bool:
        """Whether the URL carries a user name or password."""
        return "@" in urlsplit(self.url).netloc

    @property
    def is_well_known_public(self) -> bool:
        """Whether this is one of the public proxies of the table above."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        return parts.scheme == "https" and (parts.netloc, path) in WELL_KNOWN_PUBLIC


class Fallback(Enum):
    """Which proxies the next one is asked after, for an error other than not found."""

    AUTO = "auto"  # all, if all of them are well-known public ones
    ANY = "any"
    GO = "go"  # those with a `|` behind them


@dataclass(frozen=True)
class ProxyList:
    """The proxies in order, and how the list ends."""

    proxies: tuple[Proxy, ...]
    ending: Ending

    @property
    def text(self) -> str:
        """The list in GOPROXY's grammar, for Go; it may contain a password."""
        return self._joined([proxy.url for proxy in self.proxies])

    @property
    def shown(self) -> str:
        """The list in GOPROXY's grammar, fit for a log."""
        return self._joined([proxy.shown for proxy in self.proxies])

    def _joined(self, urls: list[str]) -> str:
        text = "".join(
            url + ("|" if proxy.on_any_error else ",") for url, proxy in zip(urls, self.proxies, strict=True)
        )
        return text + self.ending if self.ending else text[:-1]

    def with_fallback(self, fallback: Fallback) -> ProxyList:
        """Return the list as `fallback` has it."""
        public = all(proxy.is_well_known_public for proxy in self.proxies)
        if fallback is Fallback.ANY or (fallback is Fallback.AUTO and public):
            return ProxyList(tuple(replace(proxy, on_any_error=True) for proxy in self.proxies), self.ending)
        return self


def parse_proxy_list(text: str) -> ProxyList:
    """Read a GOPROXY value.

    Raises InputError `goproxy-invalid` where Go would refuse it: no entry at all, or one that is no URL.
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
    return ProxyList(tuple(proxies), "")


def _url(entry: str) -> str:
    if ":/" not in entry:
        if not re.search(r"[.:/]", entry) or entry.startswith("/"):
            raise _invalid(entry, "it is neither `direct` nor `off` and has no scheme")
        entry = "https://" + entry
    try:
        parts = urlsplit(entry)
        host = parts.hostname
        _ = parts.port
    except ValueError:  # whose words may hold a part of a password
        raise _invalid(entry, "its host or port is malformed; is a character to be percent-encoded?") from None
    if parts.scheme not in ("http", "https", "file"):
        raise _invalid(entry, "only http, https and file URLs are proxies")
    if parts.scheme != "file" and not host:
        raise _invalid(entry, "it names no host")
    if parts.scheme == "file" and (parts.netloc or not parts.path.strip("/")):
        raise _invalid(entry, "a file URL is `file://` and an absolute path")
    if parts.query or parts.fragment:
        raise _invalid(entry, "it has a query or fragment, and paths are to be added at its end")
    if re.search(r"[\s;\\\x00-\x1f]", entry):
        raise _invalid(entry, "it contains a character that does not belong in a URL")
    return entry.rstrip("/")


def _invalid(entry: str, why: str) -> InputError:
    return InputError("goproxy-invalid", entry=redact(entry), why=why)


def redact(url: str) -> str:
    """`url` with its password replaced, and with no user name that might be a token either; so too if malformed."""
    scheme, userinfo, host = _around_userinfo(url)
    if userinfo:
        user, _, password = userinfo.partition(":")
        shown = HIDDEN if password in NO_PASSWORDS else f"{user}:{HIDDEN}"
        return f"{scheme}{shown}@{host}"
    if _NO_PORT.match(host):  # the beginning of a password that was cut off at a comma?
        return f"{scheme}{host.partition(':')[0]}:{HIDDEN}"
    return url


def redact_list(text: str) -> str:
    """A GOPROXY value with its passwords replaced."""
    return re.sub(r"[^,|]+", lambda entry: redact(entry[0]), text)


def secrets_of(text: str) -> frozenset[str]:
    """Return what must never be printed of the logins in the URLs of `text`; see `login_secrets`."""
    found: frozenset[str] = frozenset()
    for word in re.split(r"[\s,|]+", text):
        user, _, password = _around_userinfo(word)[1].partition(":")
        found |= login_secrets(user, password, encoded=True)
    return found


def _around_userinfo(url: str) -> tuple[str, str, str]:
    """Scheme, user and password, and the rest; a password may hold an `@`, and by mistake `/`, `?` or `#`."""
    match = _SCHEME.match(url)
    scheme = match[0] if match else ""
    if _FILE_URL.match(url):
        return scheme, "", url.removeprefix(scheme)
    userinfo, _, rest = url.removeprefix(scheme).rpartition("@")
    return scheme, userinfo, rest
