"""The first requests for a blob: one, or several if its URL is signed for a storage that is known to have ranges."""

from __future__ import annotations

import re
import threading

import pytest

from go_prefetch.base.retry import Backoff, Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.range_reader import Blob, RangeReader
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, answer

RANGE = 1 << 20
SIGNED = ("se=1&sig=x&sp=r&sr=b&sv=2024", "X-Amz-Algorithm=a&X-Amz-Signature=x", "X-Goog-Signature=x")
AT_FIRST = 4


def read(url: str, seconds: float = 30.0) -> bytes:
    """All bytes of the blob."""
    client = HttpClient(Timeouts(5.0, 20.0), web=HttpSettings(), caller_authenticates=True)
    blob = Blob(url, lambda: url)
    with RangeReader(client, blob, Backoff(1, first=0.01), Deadline.after(seconds), AT_FIRST) as reader:
        data = bytearray()
        while piece := reader.read(RANGE):
            data += piece
    return bytes(data)


class Storage:
    """Answers with ranges of `data`, the first ones only once `together` requests have come."""

    def __init__(self, data: bytes, together: int = 1) -> None:
        self.data = data
        self.barrier = threading.Barrier(together)
        self.ranges: list[int] = []

    def __call__(self, request: RawRequest, line: Line) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"])
        assert wanted
        first, size = int(wanted[1]), len(self.data)
        self.ranges.append(first // RANGE)
        if len(self.ranges) <= self.barrier.parties:
            self.barrier.wait(timeout=20)
        if first >= size:
            line.say(answer(b"", status="416 Range Not Satisfiable", Content_Range=f"bytes */{size}"))
            return
        part = self.data[first : int(wanted[2]) + 1]
        place = f"bytes {first}-{first + len(part) - 1}/{size}"
        line.say(answer(part, status="206 Partial Content", Content_Range=place))


@pytest.mark.parametrize("signed", SIGNED)
def test_signed_url_has_several_first_requests(signed: str) -> None:
    """The storage answers none of them before it has all."""
    storage = Storage(bytes(range(256)) * 4096 * 5, together=AT_FIRST)
    with RawServer(storage) as server:
        assert read(f"{server.url}/blob?{signed}") == storage.data
    assert sorted(storage.ranges) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("query", ["", "?token=x", "?sig=x", "?x-amz-signature=x"])
def test_other_url_has_one_first_request(query: str) -> None:
    storage = Storage(bytes(3 * RANGE))
    answered = threading.Event()

    def respond(request: RawRequest, line: Line) -> None:
        if not request.headers["Range"].startswith("bytes=0-"):
            assert answered.is_set()
        storage(request, line)
        answered.set()

    with RawServer(respond) as server:
        assert read(f"{server.url}/blob{query}") == storage.data


@pytest.mark.parametrize("size", [1, RANGE, RANGE + 1])
@pytest.mark.parametrize("together", [1, AT_FIRST])
def test_blob_that_is_smaller_than_expected_is_read(size: int, together: int) -> None:
    """Ranges past its end are refused, also before its size is known."""
    storage = Storage(bytes(range(256)) * 4097, together)
    storage.data = storage.data[:size]
    with RawServer(storage) as server:
        assert read(f"{server.url}/blob?{SIGNED[0]}") == storage.data


def test_storage_that_sends_whole_blob_is_read() -> None:
    data = bytes(range(256)) * 4096 * 3
    with RawServer(lambda request, line: line.say(answer(data))) as server:
        assert read(f"{server.url}/blob?{SIGNED[0]}") == data


def test_range_refused_within_blob_is_damage() -> None:
    """The reader must not wait for a range that the storage says it has not."""
    storage = Storage(bytes(3 * RANGE))

    def respond(request: RawRequest, line: Line) -> None:
        if request.headers["Range"].startswith(f"bytes={RANGE}-"):
            line.say(answer(b"", status="416 Range Not Satisfiable"))
        else:
            storage(request, line)

    with RawServer(respond) as server, pytest.raises(StoreError) as raised:
        read(f"{server.url}/blob?{SIGNED[0]}")
    assert raised.value.slug == "store-damaged"
