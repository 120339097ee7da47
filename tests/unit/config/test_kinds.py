from pathlib import Path

import pytest

from go_prefetch.config.choices import StoreChoice, StoreKind
from go_prefetch.config.kinds import store


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_store_url_of_bucket_is_bucket(scheme: str) -> None:
    text = f"{scheme}://pool/go/modules"
    assert store(text) == StoreChoice(StoreKind.BUCKET, text, None, text)


@pytest.mark.parametrize("text", ["https://pool.example:8443/go", "http://[::1]:80/go", "http://127.0.0.1/a%20b"])
def test_store_url_of_server_is_http(text: str) -> None:
    assert store(text) == StoreChoice(StoreKind.HTTP, text, None, text)


def test_store_url_with_last_slash_loses_it() -> None:
    assert store("s3://pool/go/").url == "s3://pool/go"


def test_store_folder_in_front_of_url_is_both() -> None:
    text = "dir:/var/cache/my pool s3://pool/go"
    assert store(text) == StoreChoice(StoreKind.BUCKET, text, Path("/var/cache/my pool"), "s3://pool/go")


@pytest.mark.parametrize(
    "text",
    [
        "s3://user:password@pool", "https://user@host/go", "https://host/a?b", "https://host/#c", "s3://pool/../other",
        "s3://pool/.", "s3://pool/a//b", "/srv s3://pool", "dir: s3://pool", "s3://a s3://b", "dir:a dir:b s3://",
        "dir:PATH\0 s3://pool", "s3://pool/\n", "S3://pool",
    ],
)  # fmt: skip
def test_store_that_is_no_pool_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        store(text)
