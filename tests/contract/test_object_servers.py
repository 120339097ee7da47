"""What the tests' object storages let each caller do, by the client that buckets are read with."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from tests.support.fakes.faulty_relay import CORRUPT, LOST, SLOW_DOWN, TRUNCATED, FaultyRelay
from tests.support.fakes.slow_link import SlowLink
from tests.support.servers.azurite import ACCOUNT, KEY, Azurite
from tests.support.servers.fake_gcs import FakeGCS
from tests.support.servers.process import request
from tests.support.servers.seaweedfs import READER, WRITER, Identity, SeaweedFS

obstore = pytest.importorskip("obstore", reason="needs Python 3.11")


def s3_store(server: SeaweedFS, bucket: str, who: Identity | None, url: str = "") -> Any:
    """The client's view of a bucket, as this user."""
    login = {"access_key_id": who.key_id, "secret_access_key": who.secret} if who else {"skip_signature": True}
    return obstore.store.S3Store(
        bucket, endpoint=url or server.s3_url, region="us-east-1", client_options={"allow_http": True}, **login
    )


def test_seaweedfs_writer_creates_an_object_once(seaweedfs: SeaweedFS) -> None:
    store = s3_store(seaweedfs, seaweedfs.new_bucket(), WRITER)
    obstore.put(store, "a/@v/b", b"one", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "a/@v/b", b"two", mode="create")
    assert bytes(obstore.get(store, "a/@v/b").bytes()) == b"one"


def test_seaweedfs_reader_reads_and_cannot_write(seaweedfs: SeaweedFS) -> None:
    bucket = seaweedfs.new_bucket()
    obstore.put(s3_store(seaweedfs, bucket, WRITER), "name", b"content")
    store = s3_store(seaweedfs, bucket, READER)
    assert bytes(obstore.get(store, "name").bytes()) == b"content"
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        obstore.put(store, "other", b"content")


@pytest.mark.parametrize("is_public", [True, False])
def test_seaweedfs_stranger_reads_public_buckets_only(seaweedfs: SeaweedFS, *, is_public: bool) -> None:
    bucket = seaweedfs.new_bucket(is_public=is_public)
    obstore.put(s3_store(seaweedfs, bucket, WRITER), "name", b"content")
    assert request("GET", f"{seaweedfs.s3_url}/{bucket}/name")[0] == (200 if is_public else 403)
    assert request("PUT", f"{seaweedfs.s3_url}/{bucket}/other", b"content")[0] == 403


def test_seaweedfs_wrong_secret_is_refused(seaweedfs: SeaweedFS) -> None:
    bucket = seaweedfs.new_bucket(is_public=True)
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        obstore.get(s3_store(seaweedfs, bucket, Identity("writer", WRITER.key_id, "wrong")), "name")


def test_seaweedfs_filer_keeps_what_is_put(seaweedfs: SeaweedFS) -> None:
    url = f"{seaweedfs.new_folder()}/a/@v/v1.0.0.zip"
    assert request("GET", url)[0] == 404
    assert request("PUT", url, b"content")[0] == 201
    assert request("GET", url) == (200, b"content")
    assert request("DELETE", url)[0] == 204


def test_seaweedfs_object_of_a_bucket_can_be_damaged(seaweedfs: SeaweedFS) -> None:
    bucket = seaweedfs.new_bucket()
    store = s3_store(seaweedfs, bucket, WRITER)
    obstore.put(store, "name", b"content")
    assert request("PUT", seaweedfs.object_path(bucket, "name"), b"damaged")[0] == 201
    assert bytes(obstore.get(store, "name").bytes()) == b"damaged"


def test_faulty_relay_passes_signed_requests_on(seaweedfs: SeaweedFS) -> None:
    bucket = seaweedfs.new_bucket()
    with FaultyRelay(seaweedfs.ports[6]) as relay:
        store = s3_store(seaweedfs, bucket, WRITER, relay.url)
        obstore.put(store, "a/@v/b", b"content", mode="create")
        assert bytes(obstore.get(store, "a/@v/b").bytes()) == b"content"
        assert obstore.head(store, "a/@v/b")["size"] == len(b"content")
    assert [request.method for request in relay.requests] == ["PUT", "GET", "HEAD"]


def test_faulty_relay_spoils_the_chosen_requests(seaweedfs: SeaweedFS) -> None:
    bucket = seaweedfs.new_bucket(is_public=True)
    url = f"/{bucket}/name"
    with FaultyRelay(seaweedfs.ports[6]) as relay:
        relay.fault("PUT *", LOST, times=1)
        store = s3_store(seaweedfs, bucket, WRITER, relay.url)
        obstore.put(store, "name", b"content")
        assert request("GET", relay.url + url)[0] == 404
        obstore.put(store, "name", b"content")
        relay.fault("GET *", SLOW_DOWN, times=1)
        relay.fault("GET *", CORRUPT, times=1)
        relay.fault("GET *", TRUNCATED, times=1)
        assert request("GET", relay.url + url)[0] == 503
        assert request("GET", relay.url + url) == (200, b"con\x8bent")
        with pytest.raises(http.client.IncompleteRead):
            request("GET", relay.url + url)
        assert request("GET", relay.url + url) == (200, b"content")


def test_slow_link_passes_all_bytes_on(seaweedfs: SeaweedFS) -> None:
    """How fast it does is bench/'s business."""
    content = bytes(range(256)) * 4096
    with SlowLink(seaweedfs.ports[4], latency=0.002, rate=100e6) as link:
        url = seaweedfs.new_folder().replace(seaweedfs.filer_url, link.url)
        assert request("PUT", f"{url}/name", content)[0] == 201
        assert request("GET", f"{url}/name") == (200, content)


def _round(store: Any) -> None:
    """What a pool does with an object."""
    obstore.put(store, "a/@v/b!c", b"one", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "a/@v/b!c", b"two", mode="create")
    assert bytes(obstore.get(store, "a/@v/b!c").bytes()) == b"one"
    obstore.put(store, "a/@v/b!c", b"three")
    assert obstore.head(store, "a/@v/b!c")["size"] == 5
    assert [found["path"] for batch in obstore.list(store) for found in batch] == ["a/@v/b!c"]
    obstore.delete(store, "a/@v/b!c")
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "a/@v/b!c")


@pytest.mark.nightly  # npm installs it
def test_azurite_keeps_objects(azurite: Azurite) -> None:
    options: dict[str, Any] = {"endpoint": azurite.endpoint, "client_options": {"allow_http": True}}
    _round(obstore.store.AzureStore(azurite.new_container(), account_name=ACCOUNT, account_key=KEY, **options))
    container = azurite.new_container(is_public=True)
    stranger = obstore.store.AzureStore(container, account_name=ACCOUNT, skip_signature=True, **options)
    assert list(obstore.list(stranger)) == []
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        obstore.put(stranger, "name", b"content")


@pytest.mark.nightly  # Go builds it
def test_fake_gcs_keeps_objects(fake_gcs: FakeGCS) -> None:
    options: dict[str, Any] = {"bearer_token": "any", "client_options": {"allow_http": True}}
    _round(obstore.store.GCSStore(fake_gcs.new_bucket(), base_url=fake_gcs.relay.url, **options))
