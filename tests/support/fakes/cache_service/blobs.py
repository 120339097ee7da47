"""The blobs behind signed URLs, as Azure keeps them: whole, in blocks, read in ranges.

https://learn.microsoft.com/rest/api/storageservices/put-block-list, …/get-blob, …/put-blob
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timezone
from urllib.parse import quote
from xml.etree import ElementTree

from tests.support.fakes.answers import Answer
from tests.support.fakes.cache_service import faults
from tests.support.fakes.cache_service.answers import Call, in_xml
from tests.support.fakes.cache_service.entries import Entries, Entry

SIGNATURE = "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWU"
_WHOLE_SIGNATURE = f"{SIGNATURE}+/="  # a client that decodes a URL must encode it again
_UPLOAD_SECONDS = 3600
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_BLOCKS_AT_MOST = 50_000


class Blobs:
    """The bytes of reservations and entries. URLs to read are good for `download_seconds`."""

    def __init__(self, entries: Entries, *, has_ranges: bool, download_seconds: float) -> None:
        self.base = ""  # what the URLs begin with; empty: the address that the service was called at
        self._entries = entries
        self._has_ranges = has_ranges
        self._download_seconds = download_seconds
        self._issued: set[tuple[int, str, str]] = set()

    def signed(self, call: Call, entry: Entry, permission: str) -> str:
        """A URL that is good for some time, to read (`r`) or to write (`cw`)."""
        base = self.base or call.origin
        seconds = self._download_seconds if permission == "r" else _UPLOAD_SECONDS
        end = datetime.fromtimestamp(self._entries.clock() + seconds, timezone.utc).strftime(_TIME)
        self._issued.add((entry.number, end, permission))
        query = f"se={quote(end, safe='')}&sig={quote(_WHOLE_SIGNATURE, safe='')}&sp={permission}&spr=https&sr=b"
        return f"{base}/blob/{entry.number}?{query}&sv=2025-11-05"

    def answer(self, call: Call) -> Answer:
        """What a request to a signed URL is met with."""
        if call.route == "unknown":
            return in_xml(405, "UnsupportedHttpVerb")
        match = re.fullmatch(r"/blob/(\d+)", call.path)
        number = int(match[1]) if match else 0
        reads = call.route in ("blob.get", "blob.head")
        if refusal := self._unsigned(call, number, "r" if reads else "cw"):
            return refusal
        if call.fault == faults.EVICTED:
            self._entries.evict(number)
        entry = self._entries.get(number)
        if entry is None or (reads and entry.data is None):
            return in_xml(404, "BlobNotFound")
        return self._part(entry, call) if reads else _written(entry, call)

    def _unsigned(self, call: Call, number: int, needed: str) -> Answer | None:
        """The refusal of a URL that was not issued here, has expired or was made for something else."""
        end, permission = call.query.get("se", ""), call.query.get("sp", "")
        if call.query.get("sig") != _WHOLE_SIGNATURE or (number, end, permission) not in self._issued:
            return in_xml(403, "AuthenticationFailed")
        if self._entries.clock() >= datetime.strptime(end, _TIME).replace(tzinfo=timezone.utc).timestamp():
            return in_xml(403, "AuthenticationFailed")
        if call.headers["Authorization"]:
            return in_xml(403, "InvalidAuthenticationInfo")
        return None if permission == needed else in_xml(403, "AuthorizationPermissionMismatch")

    def _part(self, entry: Entry, call: Call) -> Answer:
        data, etag, fault = entry.data or b"", entry.etag, call.fault
        if call.headers["If-Match"] not in (None, "*", etag):
            return in_xml(412, "ConditionNotMet")
        if fault == faults.OTHER_ETAG:
            data, etag = data[::-1], '"0x8DOTHER"'
        common = {"ETag": etag, "x-ms-request-id": "1", "Content-Type": "application/octet-stream"}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", call.range)
        if not self._has_ranges:
            return Answer(200, memoryview(data), common)
        common |= {"Accept-Ranges": "bytes", "x-ms-blob-type": "BlockBlob"}
        if not match:
            return Answer(200, memoryview(data), common)
        size, first = len(data), int(match[1])
        last = min(int(match[2] or size), size - 1)
        if first >= size:
            return in_xml(416, "InvalidRange", **{"Content-Range": f"bytes */{size}"})
        shift, more = (7 if fault == faults.WRONG_RANGE else 0), (1000 if fault == faults.WRONG_TOTAL else 0)
        place = f"bytes {first + shift}-{last + shift}/{size + more}"
        return Answer(206, memoryview(data)[first : last + 1], {**common, "Content-Range": place})


def _written(entry: Entry, call: Call) -> Answer:
    """A block, a list of blocks, or all at once."""
    if call.headers["Content-Length"] is None:
        return in_xml(411, "MissingContentLengthHeader")
    if call.route == "blob.block":
        refusal = _keep_block(entry, call.query.get("blockid", ""), call.body)
    elif call.route == "blob.list":
        refusal = _commit(entry, call.body)
    elif call.headers["x-ms-blob-type"] != "BlockBlob":
        refusal = in_xml(400, "MissingRequiredHeader")
    else:
        refusal, entry.data, entry.blocks = None, call.body, {}
    return refusal or Answer(201, b"", {"ETag": entry.etag, "x-ms-request-id": "1"})


def _keep_block(entry: Entry, name: str, body: bytes) -> Answer | None:
    """Keep a block until it is listed, if its id is base64 of at most 64 bytes and as long as the others'."""
    try:
        raw = base64.b64decode(name, validate=True)
    except binascii.Error:
        raw = b""
    if not 1 <= len(raw) <= 64:
        return in_xml(400, "InvalidQueryParameterValue")
    if any(len(other) != len(name) for other in entry.blocks):
        return in_xml(400, "InvalidBlobOrBlock")
    if not body:
        return in_xml(400, "InvalidHeaderValue")
    entry.blocks[name] = body
    return None


def _commit(entry: Entry, body: bytes) -> Answer | None:
    """Make the blob of the blocks that are listed, in that order; the others are dropped."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return in_xml(400, "InvalidXmlDocument")
    listed = [element.text or "" for element in root]
    if root.tag != "BlockList" or any(element.tag not in ("Latest", "Uncommitted", "Committed") for element in root):
        return in_xml(400, "InvalidXmlDocument")
    if len(listed) > _BLOCKS_AT_MOST:
        return in_xml(400, "BlockListTooLong")
    if any(name not in entry.blocks for name in listed):
        return in_xml(400, "InvalidBlockList")
    entry.data = b"".join(entry.blocks[name] for name in listed)
    entry.blocks = {name: entry.blocks[name] for name in listed}
    return None
