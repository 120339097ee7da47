"""The blobs behind signed URLs, as Azure keeps them: whole, in blocks, read in ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree

from tests.fakes.cache_service import faults
from tests.fakes.cache_service.entries import Entries, Entry

SIGNATURE = "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWU="
_DOWNLOAD_SECONDS, _UPLOAD_SECONDS = 600, 3600


@dataclass
class Answer:
    """A whole answer, before a fault spoils its delivery."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def head(self) -> bytes:
        """The status line and the headers."""
        lines = [f"{name}: {value}" for name, value in {**self.headers, "Content-Length": len(self.body)}.items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", *lines, "", ""]).encode()


def xml(status: int, code: str) -> Answer:
    """An error as Azure says it."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'.encode()
    return Answer(status, body, {"Content-Type": "application/xml", "x-ms-error-code": code, "x-ms-request-id": "1"})


class Blobs:
    """The bytes of reservations and entries."""

    def __init__(self, entries: Entries, *, has_ranges: bool) -> None:
        self._entries = entries
        self._has_ranges = has_ranges

    def signed(self, base: str, entry: Entry, permission: str) -> str:
        """A URL that is good for some time, to read (`r`) or to write (`cw`)."""
        seconds = _DOWNLOAD_SECONDS if permission == "r" else _UPLOAD_SECONDS
        return f"{base}/blob/{entry.number}?se={self._entries.clock() + seconds:.0f}&sp={permission}&sig={SIGNATURE}"

    def answer(
        self, route: str, path: str, query: dict[str, str], headers: Any, body: bytes, fault: int | str | None
    ) -> Answer:
        """What a request to a signed URL is met with."""
        needed = "r" if route == "blob.get" else "cw"
        late = float(query.get("se", 0)) < self._entries.clock()
        if query.get("sig") != SIGNATURE or query.get("sp") != needed or late:
            return xml(403, "AuthenticationFailed")
        if headers["Authorization"]:
            return xml(403, "InvalidAuthenticationInfo")
        number = int(path.removeprefix("/blob/"))
        if fault == faults.EVICTED:
            self._entries.evict(number)
        entry = self._entries.get(number)
        if entry is None or (route == "blob.get" and entry.data is None):
            return xml(404, "BlobNotFound")
        if route == "blob.get":
            return self._part(entry.data or b"", headers, fault)
        return _written(entry, route, query, headers, body)

    def _part(self, data: bytes, headers: Any, fault: int | str | None) -> Answer:
        etag = f'"0x{len(data):x}"'
        sent = '"0xother"' if fault == faults.OTHER_ETAG else etag
        common = {"ETag": sent, "x-ms-request-id": "1", "Content-Type": "application/octet-stream"}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", headers["x-ms-range"] or headers["Range"] or "")
        if not match or not self._has_ranges:
            return Answer(200, data, common)
        if headers["If-Match"] not in (None, etag):
            return xml(412, "ConditionNotMet")
        first, last = int(match[1]), min(int(match[2] or len(data)), len(data) - 1)
        if first >= len(data):
            return xml(416, "InvalidRange")
        shift, more = (7 if fault == faults.WRONG_RANGE else 0), (1000 if fault == faults.WRONG_TOTAL else 0)
        place = f"bytes {first + shift}-{last + shift}/{len(data) + more}"
        return Answer(206, data[first : last + 1], {**common, "Content-Range": place})


def _written(entry: Entry, route: str, query: dict[str, str], headers: Any, body: bytes) -> Answer:
    """A block, a list of blocks, or all at once."""
    if route == "blob.block":
        entry.blocks[query["blockid"]] = body
    elif route == "blob.list":
        listed = [element.text or "" for element in ElementTree.fromstring(body)]
        if not all(block in entry.blocks for block in listed):
            return xml(400, "InvalidBlockList")
        entry.data = b"".join(entry.blocks[block] for block in listed)
    elif headers["x-ms-blob-type"] != "BlockBlob":
        return xml(400, "MissingRequiredHeader")
    else:
        entry.data = body
    return Answer(201, b"", {"ETag": '"0x1"', "x-ms-request-id": "1"})
