"""Servers that mean harm: whatever they answer is one failed attempt, within bounded memory."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.transferring import received
from tests.support.workbench import Workbench

MUCH = 48 << 20  # bytes that a server sends
FEW = 12 << 20  # bytes that may be held because of it
LIB = FakeModule("example.com/lib", "v1.2.3")


def says(*parts: bytes) -> Respond:
    def respond(request: RawRequest, line: Line) -> None:
        for part in parts:
            line.say(part)

    return respond


@contextlib.contextmanager
def within_memory() -> Iterator[None]:
    """Nothing in the block holds more than FEW bytes at any moment."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < FEW, f"{peak >> 20} MiB at once"


def pours(head: bytes) -> Respond:
    """These bytes, and then without end."""

    def respond(request: RawRequest, line: Line) -> None:
        line.say(head)
        piece = bytes(1 << 20)
        for _ in range(MUCH >> 20):
            line.say(piece)

    return respond


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (pours(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")), "more follows its end"),
        (pours(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x10" + b"\0" * 5 + b"\xffname"), "gzip"),
        (pours(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0" + b"\0" * 6), "gzip"),
    ],
    ids=["bytes after the gzip", "a gzip header without end", "no deflate"],
)
def test_gzip_that_brings_nothing_is_given_up_in_bounded_memory(respond: Respond, words: str, tmp_path: Path) -> None:
    with RawServer(respond) as server, within_memory(), pytest.raises(AttemptError, match=words):
        received(f"{server.url}/file", tmp_path / "file", stall=20.0)


def empty_blocks(request: RawRequest, line: Line) -> None:
    """Valid gzip whose deflate blocks are stored ones of no bytes, for ever."""
    line.say(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03")
    for _ in range(MUCH >> 20):
        line.say(b"\0\0\0\xff\xff" * ((1 << 20) // 5))


def test_gzip_of_empty_blocks_is_given_up(tmp_path: Path) -> None:
    with RawServer(empty_blocks) as server, pytest.raises(AttemptError, match="gzip that brings"):
        received(f"{server.url}/file", tmp_path / "file", stall=20.0)


MOVED = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nConnection: close\r\n"


def redirecting(head: bytes, body: bytes) -> Respond:
    def respond(request: RawRequest, line: Line) -> None:
        if request.target == "/there":
            line.say(answer(b"arrived"))
            return
        line.say(head)
        if body:
            line.say(body)
            return
        piece = bytes(1 << 20)
        for _ in range(MUCH >> 20):
            line.say(piece)

    return respond


BOMB = gzip.compress(gzip.compress(bytes(MUCH), 9), 9)
FLAT_BOMB = zlib.compress(bytes(MUCH), 9)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (MOVED + b"\r\n", b""),
        (MOVED + b"Content-Length: 100000000\r\n\r\n", b""),
        (MOVED + b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB),
        (MOVED + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(FLAT_BOMB), FLAT_BOMB),
    ],
    ids=["without end", "very long", "gzip twice", "deflate"],
)
def test_what_comes_with_a_redirect_is_not_read_into_memory(head: bytes, body: bytes, tmp_path: Path) -> None:
    with RawServer(redirecting(head, body)) as server, within_memory():
        assert received(f"{server.url}/file", tmp_path / "file", stall=20.0).bytes == 7


@pytest.mark.parametrize(
    "where",
    [
        "http://[::1", "http://[", "//[x]/", "http://127.0.0.1:99999999/", "http://127.0.0.1:x/", "file:///etc/passwd",
        "http://\u00b2.invalid:\u00b2/", "http://a..b/", "http://" + "a" * 300 + "/", "gopher://x/", "http://\t/",
        "http:///", "//", "http://xn--\xff/", "http://%00/", "http://user:pa@[/",
    ],
)  # fmt: skip
def test_a_redirect_to_no_address_is_one_failed_attempt(where: str, tmp_path: Path) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: " + where.encode() + b"\r\nContent-Length: 0\r\n\r\n"
    with RawServer(says(moved)) as server, pytest.raises(AttemptError):
        received(f"{server.url}/file", tmp_path / "file")


@pytest.mark.parametrize("length", [b"\xb2", b"9" * 5000, b"-1", b"1, 2", b"0x10", b"", b"\xd9\xa3"])
def test_no_content_length_ends_more_than_an_attempt(length: bytes, tmp_path: Path) -> None:
    with (
        RawServer(says(HEAD + b"Content-Length: " + length + b"\r\n\r\nbody")) as server,
        contextlib.suppress(AttemptError),
    ):
        received(f"{server.url}/file", tmp_path / "file")


LINES = st.binary(max_size=60) | st.sampled_from(
    [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"Location: /x", b"Transfer-Encoding: chunked", b"Content-Length: 5",
        b"Content-Encoding: gzip", b"Retry-After: 1", b"Set-Cookie: a=b", b"", b"5", b"hello", b"HTTP/0.9", b"0",
        b"HTTP/1.1 206 Partial", b"HTTP/1.1 999 ?", b"Location: http://[", b"Connection: upgrade", b"HTTP/1.1 503 x",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=8), begun=st.booleans())
def test_any_response_is_an_answer_or_one_failed_attempt(
    lines: list[bytes], begun: bool, tmp_path: Path, babbler: RawServer
) -> None:
    babbler.respond = says((HEAD if begun else b"") + b"\r\n".join(lines))
    with contextlib.suppress(AttemptError):
        received(f"{babbler.url}/file", tmp_path / "file", stall=2.0)


@pytest.fixture(scope="module")
def babbler() -> Iterator[RawServer]:
    with RawServer(says(b"")) as server:
        yield server


def test_no_cookie_is_kept_or_sent(tmp_path: Path) -> None:
    """As in Go. They would say who asks, and fill memory: a server can send megabytes of them with each answer."""
    client = HttpClient(Timeouts(5.0, 1.0), web=HttpSettings())
    with RawServer(says(answer(b"x", Set_Cookie="who=me; Path=/")), keeps_alive=True) as server:
        for _ in range(2):
            with client.request("GET", f"{server.url}/file", Deadline.after(5)) as got:
                list(got.pieces)
        assert [request.headers["Cookie"] for request in server.requests] == [None, None]


def test_a_very_long_reason_is_cut(tmp_path: Path) -> None:
    with RawServer(says(answer(b"", status="503 " + "x" * 60_000))) as server, pytest.raises(AttemptError) as error:
        received(f"{server.url}/file", tmp_path / "file")
    assert len(error.value.words) < 400


def test_a_proxy_that_redirects_to_no_address_is_passed_over(bench: Workbench) -> None:
    """Through the whole job: no traceback, and the next proxy brings the modules."""
    bench.write_project([LIB])
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"
    with RawServer(says(moved)) as hostile, ModuleProxy([LIB]) as good:
        result = bench.run("run", GOPROXY=f"{hostile.url}|{good.url}")
    assert result.status == 0, result.text
    assert "Traceback" not in result.text
