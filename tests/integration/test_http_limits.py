"""No phase of a request lasts for ever: each test has a server that would let it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.dns import Resolver
from tests.support.fakes.dead_port import dead_port
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.fakes.tls import server_tls, trusting
from tests.support.transferring import received

LONG = 600.0  # seconds; whoever waits for it has lost


@pytest.fixture(autouse=True)
def _within_seconds() -> Iterator[None]:
    """A wait that does not end fails the test, with a trace of where it waits."""
    import faulthandler

    faulthandler.dump_traceback_later(30, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def drips_headers(request: RawRequest, line: Line) -> None:
    line.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 10_000, 0.05)


def drips_one_long_status_line(request: RawRequest, line: Line) -> None:
    line.drip(b"HTTP/1.1 200 " + b"x" * 10_000, 0.05)


def says_nothing(request: RawRequest, line: Line) -> None:
    line.wait()


def stops_in_the_body(request: RawRequest, line: Line) -> None:
    line.say(answer(b"half", length=1000))
    line.wait()


def drips_a_body(request: RawRequest, line: Line) -> None:
    line.say(answer(b"", length=1000))
    line.drip(b"x" * 1000, 0.05)


def drips_a_chunk_extension(request: RawRequest, line: Line) -> None:
    """A byte of no body at all: between the length of a chunk and its end of line anything may stand."""
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;")
    line.drip(b"x" * 10_000, 0.05)


def drips_trailers(request: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n")
    line.drip(b"X-Trailer: " + b"x" * 10_000, 0.05)


def sends_interim_answers_for_ever(request: RawRequest, line: Line) -> None:
    while not line.stopped.wait(0.05):
        line.say(b"HTTP/1.1 100 Continue\r\n\r\n")


def pours_hints(request: RawRequest, line: Line) -> None:
    while not line.stopped.is_set():
        line.say(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (says_nothing, "no answer within 0.5s"),
        (drips_one_long_status_line, "no answer within 0.5s"),
        (drips_headers, "no answer within 0.5s"),
        (sends_interim_answers_for_ever, "no answer within 0.5s"),
        (pours_hints, "no answer within 0.5s"),
        (stops_in_the_body, "stalled: nothing for 0.5s"),
        (drips_a_body, "crawling: "),
        (drips_a_chunk_extension, "stalled: nothing for 0.5s"),
        (drips_trailers, "stalled: nothing for 0.5s"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_never_ends_is_given_up(tmp_path: Path, respond: Respond, words: str) -> None:
    """Silence and drip alike, wherever in an answer: ended by the stall limit, and said what it was."""
    with RawServer(respond) as server, pytest.raises(AttemptError, match=words) as caught:
        received(server.url, tmp_path / "file", stall=0.5)
    assert caught.value.transient


def test_a_handshake_that_is_not_answered_is_given_up(tmp_path: Path) -> None:
    """TLS counts as connecting: a server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(AttemptError, match=r"no TLS handshake within 0.5s"):
            received(url, tmp_path / "file", connect=0.5, stall=LONG)


def test_packets_that_are_dropped_are_given_up(tmp_path: Path) -> None:
    """A connection that is neither taken nor refused."""
    with dead_port() as port, pytest.raises(AttemptError, match=r"no connection within 0.3s"):
        received(f"http://127.0.0.1:{port}/", tmp_path / "file", connect=0.3, stall=LONG)


def test_every_address_of_a_name_is_tried_within_one_limit(tmp_path: Path) -> None:
    """The first address drops packets, the second one answers: both within the one connect limit."""
    with dead_port() as dead, RawServer(lambda request, line: line.say(answer(b"all"))) as server:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, server.port)]
        resolver = Resolver(lambda *_: found)
        assert received("http://two.test/", tmp_path / "file", connect=1.0, resolver=resolver).bytes == 3


def test_a_name_that_nobody_looks_up_is_given_up(tmp_path: Path) -> None:
    """The system's look-up has no limit of its own; ours has, and the words say that it was DNS."""
    never = threading.Event()

    def look_up(*_: object) -> list[Any]:
        never.wait()
        return []

    resolver = Resolver(look_up)
    with pytest.raises(AttemptError, match=r"DNS: no answer within 0.3s for slow.test") as caught:
        received("http://slow.test/", tmp_path / "file", connect=0.3, resolver=resolver)
    assert caught.value.transient
    never.set()


def test_the_deadline_ends_a_body_that_comes_well(tmp_path: Path) -> None:
    """A total limit: bytes that keep coming do not carry a transfer past the end of the run."""

    def never_ends(request: RawRequest, line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while not line.stopped.wait(0.01):
            line.say(b"x" * 1000)

    with RawServer(never_ends) as server, pytest.raises(AttemptError, match="no time left"):
        received(server.url, tmp_path / "file", stall=LONG, seconds=0.5)


def test_a_drip_below_tls_is_given_up(tmp_path: Path) -> None:
    """Encrypted or not."""
    authority = trustme.CA()
    context = server_tls(authority)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))

    with RawServer(drips_headers, tls=context) as server, pytest.raises(AttemptError, match=r"no answer within 0.5s"):
        received(server.url, tmp_path / "file", stall=0.5, web=trusting(bundle))
