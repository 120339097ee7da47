"""Protocol v1: the REST calls of GitHub Enterprise Server, and how act differs."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from tests.support.fakes.answers import Answer
from tests.support.fakes.cache_service import faults
from tests.support.fakes.cache_service.answers import Call, Refused, in_json, json_object
from tests.support.fakes.cache_service.blobs import Blobs
from tests.support.fakes.cache_service.entries import Entries, Entry, Token

SECRET = "0123456789abcdef0123456789abcdef"  # the part of act's URL that is its credential
PREFIX = f"/{SECRET}/_apis/artifactcache/"
ROUTES = {("GET", "cache"): "lookup", ("GET", "caches"): "list", ("POST", "caches"): "create"}
_LARGEST = 10 << 30  # bytes


class RestCalls:
    """Answers to calls of v1. With `act_like` keys are kept in lower case and can be taken again."""

    def __init__(self, entries: Entries, blobs: Blobs, *, act_like: bool) -> None:
        self._entries = entries
        self._blobs = blobs
        self._act_like = act_like

    def answer(self, call: Call, token: Token) -> Answer:
        """What a call is met with. Raises Refused."""
        if call.route == "lookup":
            return self._look_up(call, token)
        if call.route == "list":
            return self._list(call, token)
        if call.route == "create":
            return self._create(json_object(call.body), token)
        match = re.fullmatch(r"caches/(\d+)", call.path.removeprefix(PREFIX))
        entry = self._entries.get(int(match[1])) if match else None
        if call.route not in ("chunk", "finalize") or entry is None:
            raise Refused(404, "not_found", f"nothing at {call.path}")
        if call.route == "chunk":
            return _keep_chunk(entry, call)
        return self._finish(entry, json_object(call.body).get("size"))

    def _look_up(self, call: Call, token: Token) -> Answer:
        self._check_readable(token)
        keys, version = self._kept(call.query.get("keys", "")), call.query.get("version", "")
        found = self._entries.find(token, keys.split(","), version) if keys and version else None
        if found is None:
            return Answer(204)
        location = self._blobs.signed(call, found, "r")
        if call.fault == faults.EVICTED:
            self._entries.evict(found.number)
        return in_json({"result": "hit", "archiveLocation": location, **_described(found)})

    def _list(self, call: Call, token: Token) -> Answer:
        """For people: which entries have such a key, in any version."""
        self._check_readable(token)
        key = self._kept(call.query.get("key", ""))
        seen = [_described(e) for e in self._entries if e.scope in token.scopes and e.key.startswith(key)]
        return in_json({"totalCount": len(seen), "artifactCaches": seen})

    def _check_readable(self, token: Token) -> None:
        if not token.reads:
            raise Refused(403, "permission_denied", "cache read denied: token has no readable scopes")

    def _create(self, said: dict[str, Any], token: Token) -> Answer:
        if not token.writes:
            raise Refused(403, "permission_denied", "cache write denied: token has no writable scopes")
        size = said.get("cacheSize") or 0
        if size > _LARGEST:
            raise Refused(400, "invalid_argument", f"cache size of {size} bytes is over the {_LARGEST} bytes limit")
        key, version = self._entries.check(said.get("key"), said.get("version"))
        entry = self._entries.reserve(token, self._kept(key), version, twice=self._act_like)
        return in_json({"cacheId": entry.number}, 200 if self._act_like else 201)

    def _finish(self, entry: Entry, size: object) -> Answer:
        """Join the chunks, if they leave no gap."""
        parts, end = [], 0
        for first, chunk in sorted(entry.chunks.items()):
            if first != end:
                raise Refused(400, "invalid_argument", f"the chunks have a gap or an overlap at byte {end}")
            parts.append(chunk)
            end += len(chunk)
        if size != end:
            raise Refused(400, "invalid_argument", f"{end} bytes have come, not {size}")
        entry.data = b"".join(parts)
        self._entries.finish(entry, end)
        return Answer(204) if not self._act_like else Answer(200, b"{}", {"Content-Type": "application/json"})

    def _kept(self, key: str) -> str:
        return key.lower() if self._act_like else key


def _keep_chunk(entry: Entry, call: Call) -> Answer:
    match = re.fullmatch(r"bytes (\d+)-(\d+)/\*", call.headers["Content-Range"] or "")
    if match is None or int(match[2]) - int(match[1]) + 1 != len(call.body):
        raise Refused(400, "invalid_argument", "Content-Range does not fit the body")
    if entry.created:
        raise Refused(400, "invalid_argument", "the entry is finished")
    entry.chunks[int(match[1])] = call.body
    return Answer(204)


def _described(entry: Entry) -> dict[str, str]:
    created = datetime.fromtimestamp(entry.created_at, timezone.utc).isoformat()
    return {"cacheKey": entry.key, "scope": entry.scope, "cacheVersion": entry.version, "creationTime": created}
