"""What the tests' object storages let each caller do, by the client that buckets are read with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.servers.process import request
from tests.support.servers.seaweedfs import READER, WRITER, Identity, SeaweedFS

obstore = pytest.importorskip("obstore", reason="needs Python 3.11")


def s3_store(server: SeaweedFS, bucket: str, who: Identity | None) -> Any:
    """The client's view of a bucket, as this user."""
    login = {"access_key_id": who.key_id, "secret_access_key": who.secret} if who else {"skip_signature": True}
    return obstore.store.S3Store(
        bucket, endpoint=server.s3_url, region="us-east-1", client_options={"allow_http": True}, **login
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
