"""A cache service that means harm, or is broken: its answers, its URLs, its bytes. A run has limits on each of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.base.retry import AttemptError, Backoff, Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding, best_encoding, by_program
from go_prefetch.stores.cache_service.endpoint import CacheEndpoint
from go_prefetch.stores.cache_service.protocol import Exchange, Found
from go_prefetch.stores.cache_service.protocol_v1 import RestService
from go_prefetch.stores.cache_service.protocol_v2 import TwirpService
from go_prefetch.stores.cache_service.range_reader import Blob, RangeReader
from go_prefetch.web.client import HttpClient
from go_prefetch.web.dns import Resolver
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.service_job import MAIN
from tests.support.service_shelf import ENCODINGS, LONG, Shelf
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
STALL = 0.3  # seconds
PROTOCOLS: dict[str, type[TwirpService | RestService]] = {"v2": TwirpService, "v1": RestService}


def client(**more: Any) -> HttpClient:
    return HttpClient(Timeouts(5, STALL), web=HttpSettings(), caller_authenticates=True, **more)


def looked_up(url: str, protocol: str, deadline: Deadline) -> Found | None:
    endpoint = CacheEndpoint("v2" if protocol == "v2" else "v1", url, MAIN.text, "1.1")
    exchange = Exchange(client(), Backoff(2, first=0.01))
    return PROTOCOLS[protocol](endpoint, "c" * 64, exchange).look_up(["key"], deadline)


def one_of_two_megabytes(request: RawRequest, line: Line) -> None:
    line.say(answer(b'{"ok":true,"message":"' + b"x" * (2 << 20) + b'"}'))


def one_without_end(request: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not line.stopped.is_set():
        line.say(b"10000\r\n" + b" " * 65536 + b"\r\n")


def drips(request: RawRequest, line: Line) -> None:
    line.say(answer(b"", length=1000))
    line.drip(b" " * 1000, 0.05)


def only_promises(request: RawRequest, line: Line) -> None:
    while not line.stopped.wait(0.01):
        line.say(b"HTTP/1.1 100 Continue\r\n\r\n")


def promises_in_a_flood(request: RawRequest, line: Line) -> None:
    while not line.stopped.is_set():
        line.say(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def deep_json(request: RawRequest, line: Line) -> None:
    line.say(answer(b"[" * 500_000))


def numbers_of_many_digits(request: RawRequest, line: Line) -> None:
    line.say(answer(b'{"ok":' + b"9" * 100_000 + b"}"))


ANSWERS = (
    one_of_two_megabytes, one_without_end, drips, only_promises, promises_in_a_flood, deep_json, numbers_of_many_digits,
)  # fmt: skip


@pytest.mark.parametrize("respond", ANSWERS, ids=lambda respond: respond.__name__)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_answer_of_the_service_is_read_without_end(respond: Respond, protocol: str) -> None:
    deadline = Deadline.after(LONG)
    with RawServer(respond) as server, pytest.raises(StoreError):
        looked_up(server.url, protocol, deadline)
    assert not deadline.passed()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_drip_that_is_just_quick_enough_ends_with_the_deadline(protocol: str) -> None:
    def respond(request: RawRequest, line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not line.stopped.wait(0.01):
            line.say(b"400\r\n" + b" " * 1024 + b"\r\n")

    with RawServer(respond) as server, pytest.raises(StoreError):
        looked_up(server.url, protocol, Deadline.after(0.5))


def ranges_of(content: Callable[[int, int], bytes], total: int) -> Respond:
    """A blob that says to have `total` bytes, and these from a first to a last one."""

    def respond(request: RawRequest, line: Line) -> None:
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        where = f"bytes {first}-{last}/{total}"
        line.say(answer(content(first, last), status="206 Partial Content", Content_Range=where))

    return respond


def zstd_header(window_log: int) -> bytes:
    """Of a frame (RFC 8878, 3.1.1.1) that wants a window of so many bits."""
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3])


EMPTY_BLOCKS = zstd_header(20) + bytes(3) * (4 << 20)
BLOB_LIES: dict[str, Respond] = {
    "more digits than a number has": lambda request, line: line.say(
        answer(b"x", status="206 Partial Content", Content_Range="bytes 0-0/" + "9" * 5000)
    ),
    "ranges that end before they begin": lambda request, line: line.say(
        answer(
            b"", status="206 Partial Content", Content_Range=f"bytes {request.headers['Range'][6:].split('-')[0]}-4/5"
        )
    ),
    "more bytes than the range": ranges_of(lambda first, last: bytes(last - first + 1000), 10**14),
    "a petabyte of zeros": ranges_of(lambda first, last: bytes(last - first + 1), 10**14),
    "a petabyte of empty blocks": ranges_of(
        lambda first, last: EMPTY_BLOCKS[first:].ljust(last - first + 1, b"\0")[: last - first + 1], 10**14
    ),
    "only promises": only_promises,
    "hints before the answer, for ever": lambda request, line: line.drip(
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, 0.001
    ),
    "one stream without end": one_without_end,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("respond", BLOB_LIES.values(), ids=BLOB_LIES)
def test_no_blob_is_read_without_end(respond: Respond, encoding: str) -> None:
    """Whatever it says of itself, and whoever goes on reading: an error, in the time that there is."""
    with RawServer(respond) as server:
        blob = Blob(server.url, lambda: server.url)
        with (
            RangeReader(client(), blob, Backoff(2, first=0.01), Deadline.after(0.5)) as source,
            ENCODINGS[encoding].decompressing(source) as stream,
            pytest.raises((StoreError, ArchiveError)),
        ):
            deque(iter(lambda: stream.read(1 << 20), b""), maxlen=0)


ODD = ("file:///dev/zero", "ftp://127.0.0.1/", "http://[::1", "http://127.0.0.1:99999/", "http://a\r\nb: c/", "x")


@pytest.mark.parametrize("base", ODD)
def test_a_signed_url_that_is_none_is_a_miss(tmp_path: Path, base: str) -> None:
    with CacheService(MAIN) as service:
        shelf = Shelf(service, tmp_path, (LIB,))
        shelf.save()
        service.blobs.base = base
        restored = shelf.restore()
        assert not restored.files
        assert restored.warnings
        assert isinstance(shelf.save(run=2), StoreError)


def test_a_login_in_a_signed_url_is_not_sent(tmp_path: Path) -> None:
    """Nor is the job's token: the URL is the credential, and its host another."""
    with CacheService(MAIN) as service:
        service.blobs.base = service.url.replace("//", "//user:password@")
        shelf = Shelf(service, tmp_path, (LIB,))
        shelf.save()
        assert shelf.has_all(shelf.restore())
        blobs = [request for request in service.requests if request.route.startswith("blob.")]
        assert {request.authorization for request in blobs} == {""}


@pytest.mark.parametrize(
    ("service_url", "words"),
    [
        ("https://8.8.8.8/", "from https to http"),
        ("http://8.8.8.8/", "from a public to a private address"),
        ("http://[::1", "a malformed URL"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_signed_url_leads_nowhere_a_redirect_could_not_lead(service_url: str, words: str, method: str) -> None:
    """A service of the internet does not have this machine's own network asked, nor modules sent there."""
    led = client(trusted_origin=service_url)
    with RawServer(lambda request, line: line.say(answer(b""))) as inner:
        with pytest.raises(AttemptError, match=words), led.request(method, inner.url, Deadline.after(5)):
            pass
        assert inner.requests == []
        inside = client(trusted_origin="https://127.0.0.1:1/")
        with inside.request(method, inner.url, Deadline.after(5)) as came:
            assert came.status == 200


def test_a_name_that_nobody_knows_for_a_moment_is_asked_again() -> None:
    """Not finding out where a blob lies is a slip, no verdict."""

    def lookup(*_: object) -> list[Any]:
        raise OSError("try again")

    led = client(trusted_origin="https://8.8.8.8/", resolver=Resolver(lookup))
    with pytest.raises(AttemptError) as caught, led.request("GET", "https://blobs.example/", Deadline.after(5)):
        pass
    assert caught.value.transient


@pytest.mark.parametrize("url", ["http://[::1", "", "x", "file:///dev/zero", "http://127.0.0.1:99999/"])
@pytest.mark.parametrize("protocol", ["v2", "v1"])
def test_a_service_whose_url_is_none_ends_no_job(bench: Workbench, url: str, protocol: str) -> None:
    bench.write_project([LIB])
    v2 = {"ACTIONS_CACHE_SERVICE_V2": "1", "ACTIONS_RESULTS_URL": url}
    with ModuleProxy((LIB,)) as proxy:
        offered = {"v2": v2, "v1": {"ACTIONS_CACHE_URL": url}}[protocol]
        flags = ("run", "--store", "github", "--attempts", "1")
        result = bench.run(*flags, GOPROXY=proxy.url, ACTIONS_RUNTIME_TOKEN=MAIN.text, **offered)
    assert result.status == 0, result.text
    assert "Traceback" not in result.text


def test_a_key_of_any_length_is_none_of_ours(tmp_path: Path) -> None:
    """It would stand in the log, in outputs and in the report."""
    with CacheService(MAIN) as service:
        shelf = Shelf(service, tmp_path, (LIB,))
        shelf.save()
        (entry,) = service.entries
        entry.key += "1" * 100_000
        assert shelf.restore().entry is None


@pytest.mark.parametrize(
    "encoding", [best_encoding({"PATH": ""}), pytest.param(by_program("zstd", os.environ), marks=pytest.mark.system)]
)
def test_a_window_of_gigabytes_is_not_made(encoding: Encoding) -> None:
    bomb = zstd_header(31) + bytes([1 << 3 | 1, 0, 0]) + b"x"
    with encoding.decompressing(BytesIO(bomb)) as stream, pytest.raises(ArchiveError, match="not a zstd stream"):
        stream.read(1)
