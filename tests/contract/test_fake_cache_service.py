"""The fake cache service does what is known of GitHub's, call by call."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import trustme

from tests.support.fakes.cache_service import CacheService, Token
from tests.support.fakes.cache_service.blobs import SIGNATURE
from tests.support.fakes.cache_service.entries import CREATES_A_MINUTE, LOOK_UPS_A_MINUTE
from tests.support.fakes.lot import Lot
from tests.support.fakes.meter import Meter
from tests.support.fakes.tls import server_tls

MAIN = Token("main-token")
TOPIC = Token("topic-token", "refs/heads/topic", ("refs/heads/main",))
PULL = Token("pull-token", "refs/pull/7/merge", ("refs/heads/topic", "refs/heads/main"))
READER = Token("reader-token", writes=False)
WRITER = Token("writer-token", reads=False)
VERSION, OTHER_VERSION = "a" * 64, "b" * 64
START = 1_800_000_000.0
BLOCK_BLOB = {"x-ms-blob-type": "BlockBlob"}


class Caller:
    """Calls as a client makes them; every reply has come whole."""

    def __init__(self, service: CacheService) -> None:
        self.service = service
        self._session = requests.Session()

    def rpc(self, method: str, token: Token = MAIN, **message: Any) -> requests.Response:
        environ = self.service.environ("v2", token.text)
        url = f"{environ['ACTIONS_RESULTS_URL']}twirp/github.actions.results.api.v1.CacheService/{method}"
        return self._session.post(url, json=message, headers=bearer(environ), timeout=10)

    def create(self, key: str, token: Token = MAIN, version: str = VERSION) -> requests.Response:
        return self.rpc("CreateCacheEntry", token, key=key, version=version)

    def finish(self, key: str, size: int | str, token: Token = MAIN, version: str = VERSION) -> requests.Response:
        return self.rpc("FinalizeCacheEntryUpload", token, key=key, version=version, size_bytes=size)

    def look_up(self, key: str, *restore_keys: str, token: Token = MAIN, version: str = VERSION) -> requests.Response:
        message: dict[str, Any] = {"restore_keys": list(restore_keys)} if restore_keys else {}
        return self.rpc("GetCacheEntryDownloadURL", token, key=key, version=version, **message)

    def matched(self, key: str, *restore_keys: str, token: Token = MAIN, version: str = VERSION) -> str | None:
        said = self.look_up(key, *restore_keys, token=token, version=version).json()
        assert said["ok"] == ("matched_key" in said)
        matched: str | None = said.get("matched_key")
        return matched

    def upload_url(self, key: str, token: Token = MAIN) -> str:
        url: str = self.create(key, token).json()["signed_upload_url"]
        return url

    def download_url(self, key: str, token: Token = MAIN) -> str:
        url: str = self.look_up(key, token=token).json()["signed_download_url"]
        return url

    def put(self, url: str, body: bytes, **headers: str) -> requests.Response:
        return self._session.put(url, data=body, headers=headers, timeout=10)

    def block(self, url: str, name: bytes, body: bytes) -> requests.Response:
        return self.put(f"{url}&comp=block&blockid={quote(base64.b64encode(name), safe='')}", body)

    def list_blocks(self, url: str, *names: bytes) -> requests.Response:
        listed = "".join(f"<Latest>{base64.b64encode(name).decode()}</Latest>" for name in names)
        return self.put(f"{url}&comp=blocklist", f"<BlockList>{listed}</BlockList>".encode())

    def get(self, url: str, **headers: str) -> requests.Response:
        return self._session.get(url, headers={"Accept-Encoding": "identity", **headers}, timeout=10)

    def head(self, url: str) -> requests.Response:
        return self._session.head(url, timeout=10)

    def rest(self, method: str, path: str, token: Token = MAIN, **options: Any) -> requests.Response:
        environ = self.service.environ("v1", token.text)
        url = f"{environ['ACTIONS_CACHE_URL']}_apis/artifactcache/{path}"
        headers = bearer(environ) | options.pop("headers", {})
        return self._session.request(method, url, headers=headers, timeout=10, **options)

    def reserve(self, key: str, token: Token = MAIN) -> int:
        number: int = self.rest("POST", "caches", token, json={"key": key, "version": VERSION}).json()["cacheId"]
        return number

    def chunk(self, number: int, first: int, body: bytes) -> requests.Response:
        place = {"Content-Type": "application/octet-stream"}
        place["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/*"
        return self.rest("PATCH", f"caches/{number}", data=body, headers=place)


def bearer(environ: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {environ['ACTIONS_RUNTIME_TOKEN']}"}


def azure_code(response: requests.Response) -> tuple[int, str]:
    assert f"<Code>{response.headers['x-ms-error-code']}</Code>" in response.text
    return response.status_code, response.headers["x-ms-error-code"]


def twirp_code(response: requests.Response) -> tuple[int, str]:
    assert response.json()["msg"]
    return response.status_code, response.json()["code"]


@pytest.fixture
def service() -> Iterator[CacheService]:
    """A service whose clock stands still until a test moves it."""
    with CacheService(MAIN, TOPIC, PULL, READER, WRITER) as server:
        server.now = lambda: START
        yield server


@pytest.fixture
def caller(service: CacheService) -> Caller:
    return Caller(service)


class TestEntries:
    def test_saved_and_restored(self, service: CacheService, caller: Caller) -> None:
        url = caller.upload_url("key")
        sent = caller.put(url, b"contents", **BLOCK_BLOB)
        assert (sent.status_code, sent.content) == (201, b"")
        assert sent.headers["x-ms-request-id"]
        finished = caller.finish("key", "8")
        assert finished.json() == {"ok": True, "entry_id": "1", "message": ""}
        found = caller.look_up("key").json()
        assert found["matched_key"] == "key"
        assert caller.get(found["signed_download_url"]).content == b"contents"
        assert service.routes == ["create", "blob.put", "finalize", "lookup", "blob.get"]
        assert service.rpc_count == 3
        (entry,) = service.entries
        assert (entry.key, entry.version, entry.scope, entry.size) == ("key", VERSION, "refs/heads/main", 8)
        assert entry.created_at == START

    def test_a_miss_is_no_error(self, caller: Caller) -> None:
        assert (caller.look_up("key").status_code, caller.look_up("key").json()) == (200, {"ok": False})

    def test_nothing_is_seen_before_it_is_finished(self, caller: Caller) -> None:
        caller.put(caller.upload_url("key"), b"contents", **BLOCK_BLOB)
        assert caller.matched("key") is None

    @pytest.mark.parametrize("uploaded", [True, False], ids=["finished", "pending"])
    def test_a_name_is_taken_once(self, service: CacheService, caller: Caller, uploaded: bool) -> None:
        if uploaded:
            service.put(MAIN, "key", VERSION, b"x")
        else:
            caller.create("key")
        assert twirp_code(caller.create("key")) == (409, "already_exists")
        assert caller.create("key", TOPIC).status_code == 200
        assert caller.create("key", version=OTHER_VERSION).status_code == 200

    def test_a_reservation_is_released_after_a_day(self, service: CacheService, caller: Caller) -> None:
        caller.create("key")
        service.now = lambda: START + 24 * 3600 - 1
        assert caller.create("key").status_code == 409
        service.now = lambda: START + 24 * 3600
        caller.put(caller.upload_url("key"), b"new", **BLOCK_BLOB)
        assert caller.finish("key", 3).status_code == 200
        service.now = lambda: START + 9 * 24 * 3600
        assert caller.create("key").status_code == 409

    def test_the_size_must_be_right(self, caller: Caller) -> None:
        assert twirp_code(caller.finish("key", 8)) == (404, "not_found")
        url = caller.upload_url("key")
        assert twirp_code(caller.finish("key", 8)) == (404, "not_found")
        caller.put(url, b"contents", **BLOCK_BLOB)
        assert twirp_code(caller.finish("key", 9)) == (404, "not_found")
        assert twirp_code(caller.finish("key", 0)) == (400, "invalid_argument")
        assert caller.finish("key", 8).status_code == 200

    def test_both_spellings_and_both_kinds_of_number(self, service: CacheService, caller: Caller) -> None:
        caller.put(caller.upload_url("key-1"), b"contents", **BLOCK_BLOB)
        finished = caller.rpc("FinalizeCacheEntryUpload", key="key-1", version=VERSION, sizeBytes="8")
        assert finished.json()["ok"] is True
        found = caller.rpc("GetCacheEntryDownloadURL", key="no", version=VERSION, restoreKeys=["key-"])
        assert found.json()["matched_key"] == "key-1"

    @pytest.mark.parametrize("key", ["", "k" * 513, None, 7], ids=["empty", "long", "none", "number"])
    def test_keys_that_are_refused(self, caller: Caller, key: Any) -> None:
        assert twirp_code(caller.create(key)) == (400, "invalid_argument")

    @pytest.mark.parametrize("key", ["k" * 512, 'a, b%#?\\"\n\té//./..', "Key"])
    def test_keys_that_are_kept_as_they_are(self, service: CacheService, caller: Caller, key: str) -> None:
        service.put(MAIN, key, VERSION, b"x")
        assert caller.matched(key) == key
        assert caller.matched(key.swapcase()) is None or key == key.swapcase()

    @pytest.mark.parametrize("version", ["", "a" * 29, "a" * 65])
    def test_versions_that_are_refused(self, caller: Caller, version: str) -> None:
        assert twirp_code(caller.look_up("key", version=version)) == (400, "invalid_argument")


class TestLookUp:
    def test_the_first_key_is_a_prefix_too(self, service: CacheService, caller: Caller) -> None:
        service.put(MAIN, "key-long", VERSION, b"x")
        assert caller.matched("key") == "key-long"
        assert caller.matched("ey") is None

    def test_exact_before_newer(self, service: CacheService, caller: Caller) -> None:
        for key in ("key", "key-1", "key-2"):
            service.put(MAIN, key, VERSION, b"x")
        assert caller.matched("key") == "key"
        assert caller.matched("key-") == "key-2"

    def test_restore_keys_in_their_order(self, service: CacheService, caller: Caller) -> None:
        for key in ("b-1", "a-1", "c-1"):
            service.put(MAIN, key, VERSION, b"x")
        assert caller.matched("none", "b-", "a-", "c-") == "b-1"
        assert caller.matched("none", "x", "a-") == "a-1"

    def test_other_versions_are_not_seen(self, service: CacheService, caller: Caller) -> None:
        service.put(MAIN, "key", OTHER_VERSION, b"x")
        assert caller.matched("key") is None
        assert caller.matched("key", version=OTHER_VERSION) == "key"

    def test_the_own_ref_first_whatever_of_it_fits(self, service: CacheService, caller: Caller) -> None:
        """A prefix of the last restore key there goes before the exact key of the default branch."""
        service.put(TOPIC, "key-old", VERSION, b"topic")
        service.put(MAIN, "key-new", VERSION, b"main")
        assert caller.matched("key-new", "key-", token=TOPIC) == "key-old"
        assert caller.matched("key-new", token=TOPIC) == "key-new"
        assert caller.matched("key-new", "key-", token=MAIN) == "key-new"

    def test_own_then_base_then_default(self, service: CacheService, caller: Caller) -> None:
        for token in (MAIN, TOPIC, PULL):
            service.put(token, f"key-{token.text}", VERSION, b"x")
            assert caller.matched("key", token=PULL) == f"key-{token.text}"

    def test_other_branches_are_not_read(self, service: CacheService, caller: Caller) -> None:
        service.put(TOPIC, "key", VERSION, b"x")
        assert caller.matched("key", token=MAIN) is None

    def test_what_cannot_be_read(self, caller: Caller) -> None:
        refused = caller.look_up("key", token=WRITER)
        assert twirp_code(refused) == (403, "permission_denied")
        assert "cache read denied:" in refused.json()["msg"]


class TestRefusals:
    def test_no_token_or_another(self, service: CacheService, caller: Caller) -> None:
        assert twirp_code(caller.look_up("key", token=Token("of-yesterday"))) == (401, "unauthenticated")
        url = f"{service.url}/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry"
        assert requests.post(url, json={}, timeout=10).status_code == 401
        assert requests.post(url, json={}, headers={"Authorization": MAIN.text}, timeout=10).status_code == 401

    def test_other_methods_do_not_exist(self, service: CacheService, caller: Caller) -> None:
        assert twirp_code(caller.rpc("DeleteCacheEntry", key="key", version=VERSION)) == (404, "bad_route")
        url = f"{service.url}/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry"
        asked = requests.get(url, headers={"Authorization": f"Bearer {MAIN.text}"}, timeout=10)
        assert twirp_code(asked) == (404, "bad_route")
        assert requests.get(f"{service.url}/elsewhere", timeout=10).status_code == 404

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"key":"k","version":"%s","size_bytes":"x"}'])
    def test_what_is_no_message(self, service: CacheService, body: bytes) -> None:
        url = f"{service.url}/twirp/github.actions.results.api.v1.CacheService/FinalizeCacheEntryUpload"
        headers = {"Authorization": f"Bearer {MAIN.text}", "Content-Type": "application/json"}
        body = body.replace(b"%s", VERSION.encode())
        assert twirp_code(requests.post(url, data=body, headers=headers, timeout=10)) == (400, "malformed")

    def test_a_token_that_may_not_write(self, service: CacheService, caller: Caller) -> None:
        refused = caller.create("key", READER)
        assert refused.status_code == 200
        assert refused.json() == {"ok": False, "message": "cache write denied: token has no writable scopes"}
        assert caller.create("key").status_code == 200

    def test_storage_used_up(self, service: CacheService, caller: Caller) -> None:
        service.entries.full = True
        assert "insufficient usage" in caller.create("key").json()["msg"]

    def test_creates_a_minute(self, service: CacheService, caller: Caller) -> None:
        assert all(caller.create(f"key-{number}").status_code == 200 for number in range(CREATES_A_MINUTE))
        service.now = lambda: START + 20
        refused = caller.create("one-more")
        assert (twirp_code(refused), refused.headers["Retry-After"]) == ((429, "resource_exhausted"), "40")
        assert caller.look_up("key").status_code == 200
        service.now = lambda: START + 60
        assert caller.create("one-more").status_code == 200

    def test_look_ups_a_minute(self, service: CacheService, caller: Caller) -> None:
        caller.look_up("key")
        service.entries.look_ups_left -= LOOK_UPS_A_MINUTE - 1
        refused = caller.look_up("key")
        assert (twirp_code(refused), refused.headers["Retry-After"]) == ((429, "resource_exhausted"), "60")
        assert caller.create("key").status_code == 200
        service.now = lambda: START + 61
        assert caller.look_up("key").status_code == 200


class TestSignedUrls:
    @pytest.fixture
    def url(self, service: CacheService, caller: Caller) -> str:
        service.put(MAIN, "key", VERSION, b"contents")
        return caller.download_url("key")

    def test_ten_minutes_to_read(self, service: CacheService, caller: Caller, url: str) -> None:
        service.now = lambda: START + 599
        assert caller.get(url).status_code == 200
        service.now = lambda: START + 600
        assert azure_code(caller.get(url)) == (403, "AuthenticationFailed")
        assert caller.get(caller.download_url("key")).content == b"contents"

    def test_an_hour_to_write(self, service: CacheService, caller: Caller) -> None:
        url = caller.upload_url("other")
        service.now = lambda: START + 3599
        assert caller.put(url, b"x", **BLOCK_BLOB).status_code == 201
        service.now = lambda: START + 3600
        assert azure_code(caller.put(url, b"x", **BLOCK_BLOB)) == (403, "AuthenticationFailed")

    @pytest.mark.parametrize(
        ("old", "new"),
        [("se=20", "se=21"), (SIGNATURE, SIGNATURE[::-1]), ("sp=r", "sp=rw"), ("%2B", "+"), ("/blob/1", "/blob/2")],
    )
    def test_no_part_of_one_can_be_changed(self, caller: Caller, url: str, old: str, new: str) -> None:
        assert old in url
        assert azure_code(caller.get(url.replace(old, new))) == (403, "AuthenticationFailed")

    def test_each_is_for_one_purpose(self, caller: Caller, url: str) -> None:
        assert azure_code(caller.put(url, b"x", **BLOCK_BLOB)) == (403, "AuthorizationPermissionMismatch")
        assert azure_code(caller.get(caller.upload_url("new"))) == (403, "AuthorizationPermissionMismatch")

    def test_the_token_is_not_for_blobs(self, caller: Caller, url: str) -> None:
        assert azure_code(caller.get(url, Authorization="Bearer x")) == (403, "InvalidAuthenticationInfo")

    def test_more_in_the_query_does_no_harm(self, caller: Caller, url: str) -> None:
        assert caller.get(f"{url}&timeout=30").status_code == 200

    def test_seconds_are_the_tests_choice(self) -> None:
        with CacheService(MAIN, download_seconds=5) as service:
            service.now = lambda: START
            service.put(MAIN, "key", VERSION, b"x")
            caller = Caller(service)
            url = caller.download_url("key")
            service.now = lambda: START + 5
            assert caller.get(url).status_code == 403

    def test_a_blob_that_was_evicted(self, service: CacheService, caller: Caller, url: str) -> None:
        service.entries.evict(1)
        assert azure_code(caller.get(url)) == (404, "BlobNotFound")
        assert caller.head(url).status_code == 404
        assert caller.matched("key") is None


class TestUpload:
    def test_blocks_in_the_order_of_the_list(self, service: CacheService, caller: Caller) -> None:
        url = caller.upload_url("key")
        for name in (b"3", b"1", b"2", b"0"):
            assert caller.block(url, name, name * 3).status_code == 201
        assert twirp_code(caller.finish("key", 9)) == (404, "not_found")
        assert caller.list_blocks(url, b"1", b"2", b"3").status_code == 201
        assert caller.finish("key", 9).status_code == 200
        assert service.archive("key") == b"111222333"

    def test_lists_that_are_refused(self, caller: Caller) -> None:
        url = caller.upload_url("key")
        caller.block(url, b"1", b"x")
        assert azure_code(caller.list_blocks(url, b"1", b"2")) == (400, "InvalidBlockList")
        assert azure_code(caller.put(f"{url}&comp=blocklist", b"<BlockList>")) == (400, "InvalidXmlDocument")
        assert azure_code(caller.put(f"{url}&comp=blocklist", b"<Other/>")) == (400, "InvalidXmlDocument")

    def test_blocks_that_are_refused(self, caller: Caller) -> None:
        url = caller.upload_url("key")
        assert caller.block(url, b"1" * 64, b"x").status_code == 201
        assert azure_code(caller.block(url, b"1" * 61, b"x")) == (400, "InvalidBlobOrBlock")
        assert azure_code(caller.block(url, b"1" * 65, b"x")) == (400, "InvalidQueryParameterValue")
        assert azure_code(caller.put(f"{url}&comp=block&blockid=%21", b"x")) == (400, "InvalidQueryParameterValue")
        assert azure_code(caller.block(url, b"2" * 64, b"")) == (400, "InvalidHeaderValue")

    def test_a_whole_blob_says_its_type_and_length(self, caller: Caller) -> None:
        url = caller.upload_url("key")
        assert azure_code(caller.put(url, b"x")) == (400, "MissingRequiredHeader")
        pieces = requests.put(url, data=iter([b"x"]), headers=BLOCK_BLOB, timeout=10)
        assert azure_code(pieces) == (411, "MissingContentLengthHeader")

    def test_other_verbs(self, caller: Caller) -> None:
        assert azure_code(requests.delete(caller.upload_url("key"), timeout=10)) == (405, "UnsupportedHttpVerb")


class TestDownload:
    @pytest.fixture
    def url(self, service: CacheService, caller: Caller) -> str:
        service.put(MAIN, "key", VERSION, b"0123456789")
        return caller.download_url("key")

    @pytest.mark.parametrize("header", ["Range", "x-ms-range"])
    @pytest.mark.parametrize(
        ("wanted", "body", "place"),
        [("2-4", b"234", "2-4/10"), ("8-99", b"89", "8-9/10"), ("7-", b"789", "7-9/10"), ("0-0", b"0", "0-0/10")],
    )
    def test_ranges(self, caller: Caller, url: str, header: str, wanted: str, body: bytes, place: str) -> None:
        part = caller.get(url, **{header: f"bytes={wanted}"})
        assert (part.status_code, part.content) == (206, body)
        assert part.headers["Content-Range"] == f"bytes {place}"
        assert part.headers["Content-Length"] == str(len(body))

    def test_past_the_end(self, caller: Caller, url: str) -> None:
        refused = caller.get(url, Range="bytes=10-12")
        assert azure_code(refused) == (416, "InvalidRange")
        assert refused.headers["Content-Range"] == "bytes */10"

    def test_azures_header_goes_first(self, caller: Caller, url: str) -> None:
        assert caller.get(url, **{"Range": "bytes=0-1", "x-ms-range": "bytes=4-5"}).content == b"45"

    def test_the_whole(self, caller: Caller, url: str) -> None:
        whole = caller.get(url)
        assert (whole.status_code, whole.content) == (200, b"0123456789")
        assert {"ETag", "x-ms-request-id", "Content-Length"} <= whole.headers.keys()

    def test_head(self, service: CacheService, caller: Caller, url: str) -> None:
        head, whole = caller.head(url), caller.get(url)
        assert (head.status_code, head.content) == (200, b"")
        assert (head.headers["Content-Length"], head.headers["ETag"]) == ("10", whole.headers["ETag"])
        assert service.routes[-2:] == ["blob.head", "blob.get"]

    def test_if_match(self, service: CacheService, caller: Caller, url: str) -> None:
        etag = caller.head(url).headers["ETag"]
        assert caller.get(url, **{"If-Match": etag, "Range": "bytes=1-2"}).content == b"12"
        (entry,) = service.entries
        entry.data = b"9876543210"
        assert azure_code(caller.get(url, **{"If-Match": etag, "Range": "bytes=1-2"})) == (412, "ConditionNotMet")
        assert azure_code(caller.get(url, **{"If-Match": etag})) == (412, "ConditionNotMet")

    def test_a_server_that_knows_no_ranges(self) -> None:
        with CacheService(MAIN, has_ranges=False) as service:
            service.put(MAIN, "key", VERSION, b"0123456789")
            caller = Caller(service)
            whole = caller.get(caller.download_url("key"), Range="bytes=2-4")
        assert (whole.status_code, whole.content) == (200, b"0123456789")


class TestVersion1:
    def test_saved_and_restored(self, service: CacheService, caller: Caller) -> None:
        number = caller.reserve("Key")
        assert caller.chunk(number, 4, b"ents").ok
        assert caller.chunk(number, 0, b"cont").ok
        assert caller.rest("POST", f"caches/{number}", json={"size": 8}).ok
        found = caller.rest("GET", f"cache?keys=none,Ke&version={VERSION}").json()
        assert (found["cacheKey"], found["scope"], found["cacheVersion"]) == ("Key", "refs/heads/main", VERSION)
        assert caller.get(found["archiveLocation"], Range="bytes=4-").content == b"ents"
        assert service.routes == ["create", "chunk", "chunk", "finalize", "lookup", "blob.get"]

    def test_chunks_of_unknown_length(self, service: CacheService, caller: Caller) -> None:
        """As the official client sends them."""
        number = caller.reserve("key")
        place = {"Content-Type": "application/octet-stream", "Content-Range": "bytes 0-7/*"}
        sent = caller.rest("PATCH", f"caches/{number}", data=iter([b"cont", b"ents"]), headers=place)
        assert sent.ok
        assert caller.rest("POST", f"caches/{number}", json={"size": 8}).ok
        assert service.archive("key") == b"contents"

    def test_a_miss_has_no_body(self, caller: Caller) -> None:
        missed = caller.rest("GET", f"cache?keys=key&version={VERSION}")
        assert (missed.status_code, missed.content) == (204, b"")

    def test_a_name_is_taken_once(self, caller: Caller) -> None:
        caller.reserve("key")
        refused = caller.rest("POST", "caches", json={"key": "key", "version": VERSION})
        assert refused.status_code == 409
        assert "AlreadyExists" in refused.json()["typeKey"]
        assert refused.json()["message"]

    @pytest.mark.parametrize("chunks", [{0: b"abc", 4: b"efgh"}, {0: b"abcde", 4: b"efgh"}, {0: b"abcdefg"}, {}])
    def test_what_is_not_whole_is_no_entry(self, service: CacheService, caller: Caller, chunks: Any) -> None:
        number = caller.reserve("key")
        for first, chunk in chunks.items():
            caller.chunk(number, first, chunk)
        assert caller.rest("POST", f"caches/{number}", json={"size": 8}).status_code == 400
        assert service.keys == []

    def test_content_range_must_fit(self, caller: Caller) -> None:
        number = caller.reserve("key")
        for place in ({}, {"Content-Range": "bytes 0-8/*"}, {"Content-Range": "0-7"}):
            assert caller.rest("PATCH", f"caches/{number}", data=b"contents", headers=place).status_code == 400

    def test_tokens(self, service: CacheService, caller: Caller) -> None:
        look_up = f"cache?keys=key&version={VERSION}"
        assert caller.rest("GET", look_up, Token("of-yesterday")).status_code == 401
        unread = caller.rest("GET", look_up, WRITER)
        assert (unread.status_code, unread.json()["message"][:18]) == (403, "cache read denied:")
        unwritten = caller.rest("POST", "caches", READER, json={"key": "key", "version": VERSION})
        assert (unwritten.status_code, unwritten.json()["message"][:19]) == (403, "cache write denied:")
        wrong_path = service.environ("v1")["ACTIONS_CACHE_URL"].replace("0123", "3210")
        assert requests.get(f"{wrong_path}_apis/artifactcache/{look_up}", timeout=10).status_code == 404

    def test_too_large(self, caller: Caller) -> None:
        message = {"key": "key", "version": VERSION, "cacheSize": 11 << 30}
        assert caller.rest("POST", "caches", json=message).status_code == 400

    def test_listing_for_people(self, service: CacheService, caller: Caller) -> None:
        service.put(MAIN, "key-1", OTHER_VERSION, b"x")
        service.put(TOPIC, "key-2", VERSION, b"x")
        listed = caller.rest("GET", "caches?key=key").json()
        assert (listed["totalCount"], listed["artifactCaches"][0]["cacheKey"]) == (1, "key-1")

    @pytest.mark.parametrize("path", ["caches/9", "caches/x", "elsewhere"])
    def test_what_is_not_there(self, caller: Caller, path: str) -> None:
        assert caller.rest("POST", path, json={"size": 1}).status_code == 404

    def test_as_act_has_it(self) -> None:
        """No token, keys in lower case, and a name can be taken again: the newest is found."""
        with CacheService(MAIN, act_like=True) as service:
            caller = Caller(service)
            for body in (b"old", b"new"):
                number = caller.reserve("Key", Token(""))
                caller.chunk(number, 0, body)
                assert caller.rest("POST", f"caches/{number}", json={"size": 3}).status_code == 200
            found = caller.rest("GET", f"cache?keys=KEY&version={VERSION}", Token("")).json()
            assert (found["result"], found["cacheKey"]) == ("hit", "key")
            assert caller.get(found["archiveLocation"]).content == b"new"


class TestFaults:
    @pytest.fixture
    def url(self, service: CacheService, caller: Caller) -> str:
        service.put(MAIN, "key", VERSION, b"0123456789" * 1000)
        return caller.download_url("key")

    @pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 429, 500, 503])
    def test_statuses(self, service: CacheService, caller: Caller, url: str, status: int) -> None:
        """Each in the words of the part that was called; the call itself has no effect."""
        for route in ("create", "blob.get", "chunk"):
            service.inject(route=route, action=status)
        rpc, blob, chunk = caller.create("new"), caller.get(url), caller.chunk(1, 0, b"x")
        assert twirp_code(rpc)[0] == azure_code(blob)[0] == chunk.status_code == status
        assert chunk.json()["message"]
        assert all(("Retry-After" in reply.headers) == (status == 429) for reply in (rpc, blob, chunk))
        assert [request.status_or_fault for request in service.requests[-3:]] == [status] * 3
        assert caller.create("new").status_code == caller.get(url).status_code == 200

    def test_retry_after(self, service: CacheService, caller: Caller) -> None:
        service.faults.retry_after = 7
        service.inject("lookup", 429)
        assert caller.look_up("key").headers["Retry-After"] == "7"

    @pytest.mark.parametrize("action", ["malformed", "html"])
    def test_no_json(self, service: CacheService, caller: Caller, action: str) -> None:
        service.inject("lookup", action)
        reply = caller.look_up("key")
        assert reply.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.content)

    @pytest.mark.parametrize("action", ["reset", "truncated"])
    def test_broken_connections(self, service: CacheService, caller: Caller, url: str, action: str) -> None:
        service.inject("blob.get", action)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            assert len(caller.get(url).content) == 10_000
        assert len(caller.get(url).content) == 10_000

    def test_a_reservation_whose_answer_is_lost_is_made(self, service: CacheService, caller: Caller) -> None:
        service.inject("create", "reset")
        with pytest.raises(requests.ConnectionError):
            caller.create("key")
        assert caller.create("key").status_code == 409

    @pytest.mark.parametrize("action", ["silence", "stuck"])
    def test_silence_lasts_until_the_service_closes(self, action: str) -> None:
        """Or for `patience`, whichever comes first."""
        answered: list[object] = []

        def ask() -> None:
            try:
                answered.append(requests.get(url, timeout=60).content)
            except requests.RequestException as error:
                answered.append(error)

        with CacheService(MAIN) as service:
            service.patience = 60
            service.put(MAIN, "key", VERSION, b"0123456789" * 1000)
            url = Caller(service).download_url("key")
            service.inject("blob.get", action)
            thread = threading.Thread(target=ask)
            thread.start()
            while "blob.get" not in service.routes:
                thread.join(0.01)
            assert answered == []
        thread.join(30)
        assert isinstance(answered[0], requests.RequestException)

    def test_patience_has_an_end(self, service: CacheService, caller: Caller, url: str) -> None:
        service.patience = 0.01
        service.inject("blob.get", "silence")
        with pytest.raises(requests.ConnectionError):
            caller.get(url)

    def test_drip(self, service: CacheService, caller: Caller, url: str) -> None:
        """The whole comes, in pieces."""
        service.drip = 0.001
        service.inject("blob.get", "drip")
        assert caller.get(url).content == b"0123456789" * 1000

    def test_wrong_places(self, service: CacheService, caller: Caller, url: str) -> None:
        service.inject("blob.get", "wrong range")
        service.inject("blob.get", "wrong total")
        places = [caller.get(url, Range="bytes=0-9").headers["Content-Range"] for _ in range(3)]
        assert places == ["bytes 7-16/10000", "bytes 0-9/11000", "bytes 0-9/10000"]

    def test_bytes_of_another_version(self, service: CacheService, caller: Caller, url: str) -> None:
        first = caller.get(url, Range="bytes=0-9")
        service.inject("blob.get", "other etag")
        second = caller.get(url, Range="bytes=0-9")
        assert first.headers["ETag"] != second.headers["ETag"]
        assert (first.content, second.content) == (b"0123456789", b"9876543210")

    def test_expired(self, service: CacheService, caller: Caller, url: str) -> None:
        service.inject("blob.get", "expired")
        assert azure_code(caller.get(url)) == (403, "AuthenticationFailed")

    @pytest.mark.parametrize("protocol", ["v2", "v1"])
    def test_evicted_after_the_look_up(self, service: CacheService, caller: Caller, url: str, protocol: str) -> None:
        service.inject("lookup", "evicted")
        if protocol == "v2":
            found: str = caller.look_up("key").json()["signed_download_url"]
        else:
            found = caller.rest("GET", f"cache?keys=key&version={VERSION}").json()["archiveLocation"]
        assert azure_code(caller.get(found)) == (404, "BlobNotFound")
        assert caller.matched("key") is None

    def test_evicted_during_the_download(self, service: CacheService, caller: Caller, url: str) -> None:
        service.inject("blob.get", "evicted", skip=1)
        statuses = [caller.get(url, Range="bytes=0-9").status_code for _ in range(3)]
        assert statuses == [206, 404, 404]

    def test_how_often(self, service: CacheService, caller: Caller) -> None:
        service.inject("lookup", 500, times=2, skip=1)
        service.inject("create", 503, times=None)
        assert [caller.look_up("key").status_code for _ in range(4)] == [200, 500, 500, 200]
        assert [caller.create(f"key-{number}").status_code for number in range(4)] == [503] * 4

    def test_any_call(self, service: CacheService, caller: Caller, url: str) -> None:
        service.inject("*", 500, times=None)
        replies = (caller.look_up("key"), caller.create("new"), caller.finish("new", 1), caller.get(url))
        assert [reply.status_code for reply in replies] == [500] * 4

    @pytest.mark.parametrize("seed", range(3))
    def test_by_lot_and_the_same_again(self, seed: int) -> None:
        def statuses() -> list[int]:
            with CacheService(MAIN) as service:
                caller = Caller(service)
                service.inject("lookup", 500, times=None, share=0.5, seed=seed)
                return [caller.look_up("key").status_code for _ in range(40)]

        first = statuses()
        assert set(first) == {200, 500}
        assert statuses() == first

    def test_a_lot_is_the_same_in_whatever_order(self) -> None:
        """Requests that come at once may come in any order."""

        def drawn(kinds: Iterable[str]) -> dict[tuple[str, int], float]:
            lot, numbers = Lot(7), range(50)
            return {(kind, number): lot.draw(kind).random() for kind in kinds for number in numbers}

        assert drawn(("a", "b")) == drawn(("b", "a"))
        assert len(set(drawn(("a", "b")).values())) == 100

    def test_the_share_that_fails_and_each_fault_of_several(self, service: CacheService, caller: Caller) -> None:
        service.inject("*", (500, 403), times=None, share=0.2, seed=1)
        service.entries.look_ups_left = 2000
        statuses = [caller.look_up(f"key-{number}").status_code for number in range(500)]
        assert 75 <= len(statuses) - statuses.count(200) <= 125
        assert min(statuses.count(500), statuses.count(403)) >= 25

    def test_nothing_fails_any_more(self, service: CacheService, caller: Caller) -> None:
        service.inject("*", 500, times=None)
        assert service.faults.are_set
        service.faults.clear()
        assert not service.faults.are_set
        assert caller.look_up("key").status_code == 200

    @pytest.mark.parametrize(
        ("route", "action"),
        [("blob.got", 500), ("create", "wrong range"), ("blob.put", "other etag"), ("lookup", "sulk")],
    )
    def test_what_cannot_be_is_an_error_of_the_test(self, service: CacheService, route: str, action: Any) -> None:
        with pytest.raises(ValueError, match="can meet"):
            service.inject(route, action)


def test_what_is_on_record(service: CacheService, caller: Caller) -> None:
    service.put(MAIN, "key", VERSION, b"0123456789")
    caller.get(caller.download_url("key"), Range="bytes=0-3")
    _, request = service.requests
    assert (request.method, request.path, request.range) == ("GET", "/blob/1", "bytes=0-3")
    assert (request.route, request.status_or_fault) == ("blob.get", 206)
    assert SIGNATURE not in repr(service.requests)
    service.clear()
    assert service.requests == []


class TestSlowness:
    """What benchmarks need besides."""

    def test_a_meter_lets_bytes_pass_at_its_rate(self) -> None:
        assert 0.9 < Meter(1000).admit(1000) <= 1
        assert Meter(0).admit(1 << 40) == 0

    def test_requests_share_the_link(self) -> None:
        link = Meter(1000)
        link.admit(1000)
        assert 1.9 < link.admit(1000) <= 2

    def test_slow_answers_are_whole(self) -> None:
        data = bytes(range(256)) * 1000
        with CacheService(MAIN, latency=0.01, rate=50e6, link_rate=50e6) as service:
            caller = Caller(service)
            url = caller.upload_url("key")
            caller.block(url, b"1", data)
            caller.list_blocks(url, b"1")
            caller.finish("key", len(data))
            assert caller.get(caller.download_url("key")).content == data
            assert caller.get(caller.download_url("key"), Range="bytes=70000-200000").content == data[70_000:200_001]

    def test_closing_waits_for_no_slow_answer(self) -> None:
        with CacheService(MAIN) as service:
            service.put(MAIN, "key", VERSION, b"x" * 10_000)
            url = Caller(service).download_url("key")
            service.rate = 1.0
            answered = requests.get(url, timeout=60, stream=True)
        with pytest.raises(requests.RequestException):
            assert answered.content == b""

    def test_requests_and_bytes_are_counted(self, service: CacheService, caller: Caller) -> None:
        caller.put(caller.upload_url("key"), b"0123456789", **BLOCK_BLOB)
        assert service.requests[-1].received == 10
        caller.finish("key", 10)
        service.clear()
        caller.get(caller.download_url("key"), Range="bytes=0-3")
        assert service.requests[-1].sent == 4
        assert service.most_at_once == 1

    def test_over_tls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        authority = trustme.CA()
        tls = server_tls(authority)
        with CacheService(MAIN, tls=tls) as service, authority.cert_pem.tempfile() as trusted:
            service.put(MAIN, "key", VERSION, b"x")
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", trusted)
            caller = Caller(service)
            url = caller.download_url("key")
            assert url.startswith(f"https://127.0.0.1:{service.port}/blob/1?")
            assert caller.get(url).content == b"x"
            monkeypatch.delenv("REQUESTS_CA_BUNDLE")
            with pytest.raises(requests.exceptions.SSLError):
                Caller(service).get(url)

    def test_signed_urls_name_the_host_that_was_called(self, service: CacheService) -> None:
        called = service.url.replace("127.0.0.1", "localhost")
        url = f"{called}/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry"
        headers = {"Authorization": f"Bearer {MAIN.text}"}
        created = requests.post(url, json={"key": "key", "version": VERSION}, headers=headers, timeout=10)
        assert created.json()["signed_upload_url"].startswith(f"{called}/blob/1?")

    def test_bytes_in_a_folder(self, tmp_path: Path) -> None:
        with CacheService(MAIN, folder=tmp_path) as service:
            caller = Caller(service)
            caller.put(caller.upload_url("key"), b"0123456789", **BLOCK_BLOB)
            caller.finish("key", 10)
            assert service.archive("key") == b"0123456789"
            assert caller.get(caller.download_url("key")).content == b"0123456789"
            assert caller.get(caller.download_url("key"), Range="bytes=2-4").content == b"234"

    def test_limits_can_be_off(self) -> None:
        with CacheService(MAIN, has_limits=False) as service:
            service.entries.creates_left = service.entries.look_ups_left = 0
            assert Caller(service).create("key").status_code == Caller(service).look_up("key").status_code == 200


def test_parallel_ranges_of_a_large_blob_are_its_bytes(service: CacheService) -> None:
    """Sixteen threads, as the store reads."""
    data = b"".join(number.to_bytes(4, "big") for number in range(2_000_000))
    service.put(MAIN, "key", VERSION, data)
    url, step = Caller(service).download_url("key"), 500_000
    parts: dict[int, bytes] = {}

    def fetch(first: int) -> None:
        parts[first] = Caller(service).get(url, Range=f"bytes={first}-{first + step - 1}").content

    threads = [threading.Thread(target=fetch, args=(first,)) for first in range(0, len(data), step)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"".join(part for _, part in sorted(parts.items())) == data


def test_variables_of_a_step(service: CacheService) -> None:
    """What a job's step would see, with nothing that belongs to the other protocol."""
    v2, v1 = service.environ("v2", run="7"), service.environ("v1")
    assert (v2["ACTIONS_CACHE_SERVICE_V2"], v2["GITHUB_SERVER_URL"]) == ("True", "https://github.com")
    assert v2["ACTIONS_RESULTS_URL"].endswith("/")
    assert (v2["ACTIONS_RUNTIME_TOKEN"], v2["GITHUB_RUN_ID"]) == ("job-token", "7")
    assert v1["ACTIONS_CACHE_URL"].endswith("/")
    assert "ACTIONS_CACHE_SERVICE_V2" not in v1
    assert "ACTIONS_CACHE_URL" not in v2
