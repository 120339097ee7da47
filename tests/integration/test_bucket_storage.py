"""A bucket as a storage, with a real S3 gateway and faults in front of it: what each failure means."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.stores.objects.bucket import Bucket, BucketLimits
from go_prefetch.stores.objects.credentials import bucket_options
from go_prefetch.stores.objects.port import ObjectError, Trouble
from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.faulty_relay import (
    DENIED,
    EXPIRED,
    RESET,
    SERVER_ERROR,
    SKEWED,
    SLOW_DOWN,
    TRUNCATED,
    UNAUTHORIZED,
    Fault,
    FaultyRelay,
)
from tests.support.servers.seaweedfs import READER, WRITER, Identity, SeaweedFS

obstore = pytest.importorskip("obstore", reason="needs Python 3.11")

LIMITS = BucketLimits(connect=5.0, silence=1.0, request=60.0)
LARGE = bytes(12 << 20)


@dataclass(frozen=True)
class Place:
    """A bucket behind a relay."""

    server: SeaweedFS
    relay: FaultyRelay
    name: str
    deadline: Deadline = field(default_factory=lambda: Deadline.after(60.0))

    def bucket(self, who: Identity | None = WRITER, url: str = "") -> Bucket:
        variables = self.server.variables(who, url or self.relay.url)
        return Bucket(f"s3://{self.name}/go", bucket_options("s3", variables).config, LIMITS)

    def put(self, name: str, content: bytes, who: Identity | None = WRITER) -> bool:
        return self.bucket(who).put(name, io.BytesIO(content), self.deadline)

    def trouble_of_get(self, name: str, who: Identity | None = WRITER, url: str = "") -> Trouble:
        with pytest.raises(ObjectError) as caught:
            self.bucket(who, url).get(name, io.BytesIO(), 1 << 30, self.deadline)
        assert WRITER.secret not in caught.value.words
        return caught.value.trouble


@pytest.fixture
def place(seaweedfs: SeaweedFS) -> Iterator[Place]:
    with FaultyRelay(seaweedfs.ports[6]) as relay:
        yield Place(seaweedfs, relay, seaweedfs.new_bucket())


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (SLOW_DOWN, Trouble.LIMITED),
        (DENIED, Trouble.DENIED),
        (UNAUTHORIZED, Trouble.LOGIN),
        (SKEWED, Trouble.LOGIN),
        (EXPIRED, Trouble.LOGIN),
        (SERVER_ERROR, Trouble.UNREACHABLE),
        (RESET, Trouble.UNREACHABLE),
        (TRUNCATED, Trouble.UNREACHABLE),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_get_of_a_failing_bucket_names_its_trouble(place: Place, fault: Fault, trouble: Trouble) -> None:
    assert place.put("name", b"content")
    place.relay.fault("GET *", fault)
    assert place.trouble_of_get("name") is trouble


@pytest.mark.parametrize("fault", [SLOW_DOWN, SERVER_ERROR, RESET, TRUNCATED], ids=lambda fault: fault.name)
def test_get_survives_one_failure(place: Place, fault: Fault) -> None:
    assert place.put("name", b"content")
    place.relay.fault("GET *", fault, times=1)
    out = io.BytesIO()
    assert place.bucket().get("name", out, 100, place.deadline) == 7
    assert out.getvalue() == b"content"


def test_missing_object_and_larger_object_are_told_apart(place: Place) -> None:
    assert place.put("name", b"content")
    assert place.trouble_of_get("other") is Trouble.MISSING
    with pytest.raises(ObjectError) as caught:
        place.bucket().get("name", io.BytesIO(), 6, place.deadline)
    assert caught.value.trouble is Trouble.TOO_LARGE


def test_users_without_the_right_are_denied(place: Place) -> None:
    assert place.put("name", b"content")
    assert place.trouble_of_get("name", None) is Trouble.DENIED
    assert place.trouble_of_get("name", Identity("writer", WRITER.key_id, "wrong")) is Trouble.LOGIN
    for content in (b"content", LARGE):
        with pytest.raises(ObjectError) as caught:
            place.put("new", content, READER)
        assert caught.value.trouble is Trouble.DENIED


def test_dead_server_is_unreachable(place: Place) -> None:
    with refusing_port() as port:
        assert place.trouble_of_get("name", url=f"http://127.0.0.1:{port}") is Trouble.UNREACHABLE


def test_large_object_is_sent_as_bytes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the client reads in its own thread aborts the process, if Python ends meanwhile."""
    put = obstore.put

    def checked(store: Any, name: str, content: object, **options: Any) -> Any:
        assert isinstance(content, bytes)
        return put(store, name, content, **options)

    monkeypatch.setattr(obstore, "put", checked)
    assert place.put("small", b"content")
    assert place.put("large", LARGE)
    assert place.bucket().size("large", place.deadline) == len(LARGE)
    assert not place.put("large", LARGE)


@pytest.mark.parametrize(("fault", "trouble"), [(SLOW_DOWN, Trouble.LIMITED), (DENIED, Trouble.DENIED)])
def test_large_object_whose_part_fails_does_not_appear(place: Place, fault: Fault, trouble: Trouble) -> None:
    place.relay.fault("PUT *", fault)
    with pytest.raises(ObjectError) as caught:
        place.put("large", LARGE)
    assert caught.value.trouble is trouble
    assert place.bucket().size("large", place.deadline) is None


def test_large_object_without_time_does_not_appear(place: Place) -> None:
    with pytest.raises(ObjectError) as caught:
        place.bucket().put("large", io.BytesIO(LARGE), Deadline.after(0.0))
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert place.bucket().size("large", place.deadline) is None
