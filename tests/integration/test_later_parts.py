"""A large file whose later parts are requested while its beginning arrives. Whatever they bring, the file is right."""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts, Wire
from go_prefetch.web.later_parts import LEAST_BYTES
from go_prefetch.web.transfer import Transfer
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, answer
from tests.support.transferring import received

BODY = array("Q", range(LEAST_BYTES // 8 + 1000)).tobytes()  # no two places have the same bytes
QUARTER = len(BODY) // 4
HEADERS = {"ETag": '"one"', "Accept-Ranges": "bytes"}
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Server:
    """Sends the beginning, then waits until so many parts were answered. `on_part` answers the others."""

    def __init__(self, on_part: Callable[[int, int], bytes], *, parts: int = 3, **headers: str) -> None:
        self.on_part = on_part
        self.headers = headers or HEADERS
        self.parts = parts
        self.answered = threading.Semaphore(0)

    def __call__(self, request: RawRequest, line: Line) -> None:
        wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
        if wanted is None:
            whole = answer(
                BODY, length=len(BODY), **{name.replace("-", "_"): value for name, value in self.headers.items()}
            )
            line.say(whole[: QUARTER // 2])
            for _ in range(self.parts):
                self.answered.acquire(timeout=30)
            line.say(whole[QUARTER // 2 :])
            return
        start, end = int(wanted[1]), int(wanted[2] or len(BODY) - 1) + 1
        try:
            line.say(part(start, end) if not wanted[2] else self.on_part(start, end))
        finally:
            self.answered.release()


def part(start: int, end: int, *, content_range: str = "") -> bytes:
    """Return a right answer to a request for a part."""
    said = content_range or f"bytes {start}-{end - 1}/{len(BODY)}"
    return answer(BODY[start:end], status="206 Partial Content", ETag='"one"', Content_Range=said)


def test_parts_are_put_together(tmp_path: Path) -> None:
    with RawServer(Server(part)) as server:
        came = received(server.url, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == BODY
        assert (came.bytes, came.is_joined, came.interruptions) == (len(BODY), True, ())
        wanted = sorted(request.headers["Range"] or "" for request in server.requests)
        assert wanted[0] == ""
        assert [request.headers["If-Range"] for request in server.requests if request.headers["Range"]] == ['"one"'] * 3


@pytest.mark.parametrize(
    "on_part",
    [
        lambda _, __: answer(BODY),
        lambda _, __: answer(b"", status="429 Too Many Requests"),
        lambda _, __: answer(b"", status="404 Not Found"),
        lambda _, __: answer(b"", status="416 Range Not Satisfiable"),
        lambda _, __: b"",
        lambda start, end: part(start, end, content_range=f"bytes {start + 1}-{end}/{len(BODY)}"),
        lambda start, end: part(start, end, content_range=f"bytes {start}-{end - 1}/{len(BODY) + 1}"),
    ],
    ids=["whole", "429", "404", "416", "nothing", "other range", "other size"],
)
def test_parts_that_do_not_come_are_not_missed(tmp_path: Path, on_part: Callable[[int, int], bytes]) -> None:
    """The first answer brings all of it."""
    with RawServer(Server(on_part, parts=1)) as server:
        came = received(server.url, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == BODY
        assert came.interruptions == ()


def test_parts_that_break_off_are_not_missed(tmp_path: Path) -> None:
    """The first answer goes on."""
    with RawServer(Server(lambda start, end: part(start, end)[: QUARTER // 2], parts=1)) as server:
        came = received(server.url, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == BODY
        assert came.bytes == len(BODY)


@pytest.mark.parametrize(
    "headers", [{"ETag": '"one"'}, {"Accept-Ranges": "bytes"}, {**HEADERS, "Accept-Ranges": "none"}]
)
def test_a_server_without_ranges_is_asked_once(tmp_path: Path, headers: dict[str, str]) -> None:
    with RawServer(Server(part, parts=0, **headers)) as server:
        came = received(server.url, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == BODY
        assert (came.is_joined, len(server.requests)) == (False, 1)


def test_a_cancelled_download_writes_nothing_any_more(tmp_path: Path) -> None:
    """The parts end too, before the file is closed."""
    wire, stuck = Wire(), threading.Event()

    def on_part(start: int, end: int) -> bytes:
        if start > 2 * QUARTER:
            wire.cut()
            stuck.wait(30)
        return part(start, end)

    with RawServer(Server(on_part)) as server, (tmp_path / "file").open("w+b") as out:
        transfer = Transfer(HttpClient(Timeouts(5, 20), web=HttpSettings()))
        with pytest.raises(AttemptError):
            transfer.get(server.url, out, 1 << 26, Deadline.after(60), wire)
        out.seek(0)
        there = out.read()
        stuck.set()
        out.seek(0)
        assert out.read() == there


def test_a_server_that_answers_in_turn_is_not_waited_for(tmp_path: Path) -> None:
    """It answers a part only after it has sent all of the first answer."""
    sent = threading.Event()

    def serve(request: RawRequest, line: Line) -> None:
        if request.headers.get("Range"):
            sent.wait(30)
            return
        line.say(answer(BODY, length=len(BODY), ETag='"one"', Accept_Ranges="bytes"))
        sent.set()

    with RawServer(serve) as server:
        came = received(server.url, tmp_path / "file")
        assert sent.wait(30)  # the server's thread notes it a moment after the last byte
        assert (tmp_path / "file").read_bytes() == BODY
        assert (came.is_joined, came.interruptions) == (False, ())
