"""The later parts of a large file: when they are followed, and that nothing is written once they have stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from go_prefetch.base.retry import AttemptError
from go_prefetch.web import later_parts
from go_prefetch.web.answer import Answer
from go_prefetch.web.in_flight import Wire
from go_prefetch.web.later_parts import CAN_WRITE_ANYWHERE, LaterParts

pytestmark = pytest.mark.skipif(not CAN_WRITE_ANYWHERE, reason="Windows has no pwrite")

WHOLE = 400
BODY = bytes(number % 251 for number in range(WHOLE))
Pieces = Callable[[int, int], Iterator[bytes]]


@pytest.fixture
def out(tmp_path: Path) -> Iterator[BinaryIO]:
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        yield file


def parts(out: BinaryIO, pieces: Pieces) -> LaterParts:
    """Begin to request the parts; `pieces` makes the body of each."""

    @contextmanager
    def request(headers: Mapping[str, str], wire: Wire) -> Iterator[Answer]:
        del wire
        start, end = map(int, headers["Range"].removeprefix("bytes=").split("-"))
        content_range = {"Content-Range": f"bytes {start}-{end}/{WHOLE}"}
        yield Answer(206, "Partial Content", content_range, pieces(start, end + 1))

    return LaterParts(request, "", WHOLE, out, Wire())


def whole(start: int, end: int) -> Iterator[bytes]:
    yield BODY[start:end]


def test_parts_that_have_come_are_followed(out: BinaryIO) -> None:
    later = parts(out, whole)
    assert later.joined(100) == WHOLE
    assert not later.follow_at(99)
    assert later.follow_at(100)
    assert later.have_written
    out.seek(100)
    assert out.read() == BODY[100:]


@pytest.mark.parametrize("error", [AttemptError("x"), OSError(28, "full"), ValueError("x")])
def test_parts_are_not_followed_if_one_fails(out: BinaryIO, error: Exception) -> None:
    def pieces(start: int, end: int) -> Iterator[bytes]:
        yield BODY[start : end - 1]
        if start == 300:
            raise error
        yield BODY[end - 1 : end]

    later = parts(out, pieces)
    assert later.joined(100) == 300
    assert not later.follow_at(100)
    later.stop()
    assert later.have_written


def test_stop_waits_for_every_part(out: BinaryIO) -> None:
    """Also if another part fails in a way that was not expected."""
    failed = threading.Event()

    def pieces(start: int, end: int) -> Iterator[bytes]:
        if start == 100:
            failed.set()
            raise ValueError
        assert failed.wait(30)
        yield from (BODY[at : at + 1] for at in range(start, end))

    parts(out, pieces).stop()
    out.seek(300)
    assert out.read() == BODY[300:]


def test_parts_without_a_thread_fail(out: BinaryIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(later_parts, "run_in_background", no_more)
    later = parts(out, whole)
    assert not later.follow_at(100)
    later.stop()
    assert not later.have_written
