"""Version 2 of the cache service: Twirp calls in JSON, and an Azure blob behind a signed URL.

It follows the official client (@actions/cache, npm), which supports GitHub only.
https://twitchtv.github.io/twirp/docs/spec_v7.html, https://learn.microsoft.com/rest/api/storageservices/put-block-list
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, notice
from go_prefetch.stores.cache_service.endpoint import CacheEndpoint
from go_prefetch.stores.cache_service.protocol import (
    Call,
    Exchange,
    Found,
    NotAllowed,
    Reply,
    is_object_or_error,
    json_object,
    refused,
)

_SERVICE = "/twirp/github.actions.results.api.v1.CacheService/"
_LOOK_UP, _RESERVE, _FINISH = "GetCacheEntryDownloadURL", "CreateCacheEntry", "FinalizeCacheEntryUpload"


class TwirpService:
    """The service of `endpoint`, for entries of `version` (64 hex digits): clients with another one do not see them."""

    def __init__(self, endpoint: CacheEndpoint, version: str, exchange: Exchange) -> None:
        origin = re.sub("(?<=[^:/])/.*", "", endpoint.url)  # the official client drops a path too
        self._base = f"{origin}{_SERVICE}"
        self._headers = {"Authorization": f"Bearer {endpoint.token}", "Content-Type": "application/json"}
        self._version = version
        self._exchange = exchange

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """See CacheService. The first prefix goes into both fields, because not every server reads `key`."""
        answer = self._rpc(_LOOK_UP, {"key": prefixes[0], "restore_keys": list(prefixes)}, deadline)
        url, key = _text(answer, "signed_download_url"), _text(answer, "matched_key")
        return Found(key, url) if answer.get("ok") is True and url and key else None

    def reserve(self, key: str, deadline: Deadline) -> BlobUpload:
        """See CacheService."""
        answer = self._rpc(_RESERVE, {"key": key}, deadline)
        url = _text(answer, "signed_upload_url")
        if answer.get("ok") is not True or not url:
            raise NotAllowed(_in_words(_words(answer, "message")) or notice("entry-taken"))
        return BlobUpload(url, key, self)

    def finish(self, key: str, size: int, deadline: Deadline) -> None:
        """Turn the uploaded blob into an entry."""
        message = {"key": key, "size_bytes": str(size)}
        answer = self._rpc(_FINISH, message, deadline, understood=_is_settled)
        if answer.get("ok") is not True:
            raise NotAllowed(_in_words(_words(answer, "message")) or notice("store-not-allowed", "not-taken"))

    def put_blob(self, what: str, url: str, body: bytes, deadline: Deadline, kind: str = "") -> None:
        """Make one PUT to a signed URL, which is the credential. The token is not for that host."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(body))}
        if kind:
            headers["x-ms-blob-type"] = kind
        reply = self._exchange.call(Call(what, "PUT", url, headers, body), deadline)
        if reply.status not in (200, 201):
            raise refused(what, reply)

    def _rpc(
        self,
        method: str,
        message: dict[str, Any],
        deadline: Deadline,
        understood: Callable[[Reply], bool] = is_object_or_error,
    ) -> dict[str, Any]:
        body = json.dumps({**message, "version": self._version}).encode()
        call = Call(method, "POST", self._base + method, self._headers, body)
        reply = self._exchange.call(call, deadline, understood=understood)
        values = json_object(reply) or {}
        if reply.status == 200:
            return values
        if reply.status == 409:
            raise NotAllowed(notice("entry-taken"))
        words = _words(values, "msg")
        if reply.status == 403 or "insufficient usage" in words:
            raise NotAllowed(_in_words(words) or notice("store-not-allowed", "forbidden"))
        raise refused(method, reply)


def _in_words(words: str) -> Notice | None:
    """Return the service's own error message, or None."""
    return notice("store-not-allowed", "in-words", words=words) if words else None


class BlobUpload:
    """Blocks of one Azure block blob. The URL is valid for an hour."""

    def __init__(self, url: str, key: str, service: TwirpService) -> None:
        self._url = url
        self._key = key
        self._service = service

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """See Upload."""
        del offset
        url = f"{self._with_query()}comp=block&blockid={quote(_block_id(number), safe='')}"
        self._service.put_blob(f"block {number + 1}", url, block, deadline)

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """See Upload."""
        listed = "".join(f"<Latest>{_block_id(number)}</Latest>" for number in range(blocks))
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'
        self._service.put_blob("list of blocks", f"{self._with_query()}comp=blocklist", body.encode(), deadline)
        self._service.finish(self._key, size, deadline)

    def put_whole(self, content: bytes, deadline: Deadline) -> None:
        """See Upload. It saves a request: blocks would need a list of them. The official client does the same."""
        self._service.put_blob("blob", self._url, content, deadline, "BlockBlob")
        self._service.finish(self._key, len(content), deadline)

    def abandon(self) -> None:
        """See Upload. The service drops what is not finished, and offers no way to say so."""

    def _with_query(self) -> str:
        return self._url + ("&" if "?" in self._url else "?")


def _block_id(number: int) -> str:
    """Return a block id. Azure wants the same length for all; a known server reads 48 bytes as position and number."""
    return base64.b64encode(f"{'0' * 36}{number:012d}".encode()).decode()


def _is_settled(reply: Reply) -> bool:
    """Return whether the answer is final: right after an upload, a 404 for the blob may be temporary."""
    return reply.status != 404 and is_object_or_error(reply)


def _text(values: dict[str, Any], name: str) -> str:
    """Return a text field under its own name or, as on some servers, in camel case."""
    first, *others = name.split("_")
    value = values.get(name, values.get(first + "".join(word.title() for word in others)))
    return value if isinstance(value, str) else ""


def _words(values: dict[str, Any], name: str) -> str:
    """Return a text field for people: one line of limited length."""
    return " ".join(_text(values, name).split())[:200]
