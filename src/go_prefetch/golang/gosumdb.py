"""GOSUMDB: the checksum database and its place, as dbDial of cmd/go/internal/modfetch/sumdb.go reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DEFAULT_DATABASE = "sum.golang.org"
# The place of the default database that is reachable in mainland China. Go knows it as a value of GOSUMDB.
CHINA_MIRROR = "sum.golang.google.cn"

_KEY = re.compile(r"(?P<name>[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*)\+[0-9a-f]{1,8}\+[A-Za-z0-9+/=]+")


@dataclass(frozen=True)
class ChecksumDatabase:
    """A checksum database. Without a URL it is at https://NAME, or at a proxy that mirrors it."""

    name: str
    url: str = field(default="", repr=False)  # may contain a password


def parse_gosumdb(text: str) -> ChecksumDatabase | None:
    """Return the checksum database of a value of GOSUMDB, None for `off`. Raises ValueError for what Go refuses."""
    if text == "off":
        return None
    if text == CHINA_MIRROR:
        return ChecksumDatabase(DEFAULT_DATABASE, f"https://{CHINA_MIRROR}")
    key, *urls = text.split() if text else [DEFAULT_DATABASE]  # ValueError for blanks alone
    match = _KEY.fullmatch(key)
    if len(urls) > 1 or not (match or key == DEFAULT_DATABASE):
        raise ValueError("it is not a name with a key, and perhaps a URL")
    url = "".join(urls).rstrip("/")
    if url and ":/" not in url:
        url = f"https://{url}"
    parts = urlsplit(url)  # ValueError
    if url and (parts.scheme not in ("http", "https", "file") or (parts.scheme != "file" and not parts.hostname)):
        raise ValueError("its URL is not one of http, https or file")
    _ = parts.port  # ValueError
    return ChecksumDatabase(match["name"] if match else key, url)
