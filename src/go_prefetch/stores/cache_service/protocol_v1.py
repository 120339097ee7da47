"""Version 1 of the cache service: REST, as in GitHub Enterprise Server, act, Forgejo and older Gitea runners.

It follows the official client (@actions/cache, npm).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import notice
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

_ACCEPT = "application/json;api-version=6.0-preview.1"


class RestService:
    """The service of `endpoint`, for entries of `version` (64 hex digits): clients with another one do not see them."""

    def __init__(self, endpoint: CacheEndpoint, version: str, exchange: Exchange) -> None:
        self._base = f"{endpoint.url.rstrip('/')}/_apis/artifactcache/"
        self._headers = {"Accept": _ACCEPT, "Authorization": f"Bearer {endpoint.token}"}
        self._version = version
        self._exchange = exchange

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """See CacheService."""
        query = f"cache?keys={quote(','.join(prefixes), safe='')}&version={self._version}"
        reply = self._call("look-up", "GET", query, None, deadline)
        if reply.status in (204, 404):
            return None
        values = _checked("look-up", reply)
        url, key = values.get("archiveLocation"), values.get("cacheKey")
        return Found(key, url) if isinstance(url, str) and isinstance(key, str) and url and key else None

    def reserve(self, key: str, deadline: Deadline) -> ChunkUpload:
        """See CacheService."""
        reply = self._call("reservation", "POST", "caches", {"key": key, "version": self._version}, deadline)
        if reply.status == 409 or b"AlreadyExists" in reply.body:
            raise NotAllowed(notice("entry-taken"))
        number = _checked("reservation", reply).get("cacheId")
        if isinstance(number, bool) or not isinstance(number, int):
            raise refused("reservation", reply)
        return ChunkUpload(number, self)

    def send(self, number: int, first: int, chunk: bytes, deadline: Deadline) -> None:
        """Send one part of an archive to its position."""
        place = {"Content-Type": "application/octet-stream", "Content-Length": str(len(chunk))}
        place["Content-Range"] = f"bytes {first}-{first + len(chunk) - 1}/*"
        call = Call("chunk", "PATCH", f"{self._base}caches/{number}", {**self._headers, **place}, chunk)
        reply = self._exchange.call(call, deadline)
        if not 200 <= reply.status < 300:
            raise refused("chunk", reply)

    def finish(self, number: int, size: int, deadline: Deadline) -> None:
        """Turn the uploaded chunks into an entry."""
        reply = self._call("commit", "POST", f"caches/{number}", {"size": size}, deadline)
        if not 200 <= reply.status < 300:
            raise refused("commit", reply)

    def _call(self, what: str, method: str, path: str, message: dict[str, Any] | None, deadline: Deadline) -> Reply:
        body = b"" if message is None else json.dumps(message).encode()
        headers = {**self._headers, **({"Content-Type": "application/json"} if body else {})}
        reply = self._exchange.call(Call(what, method, self._base + path, headers, body), deadline, is_object_or_error)
        if reply.status == 403:
            raise NotAllowed(notice("store-not-allowed", "forbidden"))
        return reply


class ChunkUpload:
    """Chunks of one reserved entry."""

    def __init__(self, number: int, service: RestService) -> None:
        self._number = number
        self._service = service

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """See Upload."""
        del number
        self._service.send(self._number, offset, block, deadline)

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """See Upload."""
        del blocks
        self._service.finish(self._number, size, deadline)

    def put_whole(self, content: bytes, deadline: Deadline) -> None:
        """See Upload."""
        self.put(0, 0, content, deadline)
        self.finish(1, len(content), deadline)

    def abandon(self) -> None:
        """See Upload. The service drops what is not committed, and offers no way to say so."""


def _checked(what: str, reply: Reply) -> dict[str, Any]:
    values = json_object(reply)
    if not 200 <= reply.status < 300 or values is None:
        raise refused(what, reply)
    return values
