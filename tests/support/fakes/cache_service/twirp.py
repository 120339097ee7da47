"""Protocol v2: three Twirp calls in JSON."""

from __future__ import annotations

import re
from typing import Any

from tests.support.fakes.answers import Answer
from tests.support.fakes.cache_service import faults
from tests.support.fakes.cache_service.answers import Call, Refused, in_json, json_object
from tests.support.fakes.cache_service.blobs import Blobs
from tests.support.fakes.cache_service.entries import Entries, Token

PREFIX = "/twirp/github.actions.results.api.v1.CacheService/"
ROUTES = {
    "GetCacheEntryDownloadURL": "lookup",
    "CreateCacheEntry": "create",
    "FinalizeCacheEntryUpload": "finalize",
}


class TwirpCalls:
    """Answers to calls of v2."""

    def __init__(self, entries: Entries, blobs: Blobs) -> None:
        self._entries = entries
        self._blobs = blobs

    def answer(self, call: Call, token: Token) -> Answer:
        """What a call is met with. Raises Refused."""
        method = call.path.removeprefix(PREFIX)
        if call.method != "POST" or method not in ROUTES:
            raise Refused(404, "bad_route", f"no handler for path {call.path}")
        if (call.headers["Content-Type"] or "").partition(";")[0].strip() != "application/json":
            raise Refused(404, "bad_route", "unexpected Content-Type")
        said = {_snake(name): value for name, value in json_object(call.body).items()}
        key, version = self._entries.check(said.get("key"), said.get("version"))
        if call.route == "lookup":
            return self._look_up(call, token, [key, *_texts(said.get("restore_keys"))], version)
        if call.route == "create":
            return self._create(call, token, key, version)
        done = self._entries.finish(self._entries.pending(token, key, version), _integer(said.get("size_bytes", 0)))
        return in_json({"ok": True, "entry_id": str(done.number), "message": ""})

    def _look_up(self, call: Call, token: Token, keys: list[str], version: str) -> Answer:
        if not token.reads:
            raise Refused(403, "permission_denied", "cache read denied: token has no readable scopes")
        found = self._entries.find(token, keys, version)
        if found is None:
            return in_json({"ok": False})
        url = self._blobs.signed(call, found, "r")
        if call.fault == faults.EVICTED:
            self._entries.evict(found.number)
        return in_json({"ok": True, "signed_download_url": url, "matched_key": found.key})

    def _create(self, call: Call, token: Token, key: str, version: str) -> Answer:
        if not token.writes:
            return in_json({"ok": False, "message": "cache write denied: token has no writable scopes"})
        url = self._blobs.signed(call, self._entries.reserve(token, key, version), "cw")
        return in_json({"ok": True, "signed_upload_url": url, "message": ""})


def _snake(name: str) -> str:
    """Both spellings of protobuf's JSON are understood."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def _texts(values: Any) -> list[str]:
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(400, "malformed", "restore_keys is no list of strings")
    return values


def _integer(value: Any) -> int:
    """An int64, which protobuf's JSON writes as a string and reads as either."""
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,19}", str(value)):
        raise Refused(400, "malformed", "size_bytes is no int64")
    return int(value)
