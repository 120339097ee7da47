"""The body of a request: pieces of an open file, from its beginning, and no more than was promised."""

from __future__ import annotations

import io

import pytest

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.web.client import _Body


def test_body_is_read_again_from_the_beginning() -> None:
    file = io.BytesIO(b"content")
    file.seek(3)
    body = _Body(file, Deadline())
    for _ in range(2):
        assert body.from_beginning() is body
        assert len(body) == 7
        assert b"".join(body) == b"content"
        assert body.read() == b""


def test_body_without_bytes_is_none() -> None:
    assert _Body(b"", Deadline()).from_beginning() is None


def test_body_that_grows_keeps_its_length() -> None:
    file = io.BytesIO(b"content")
    body = _Body(file, Deadline())
    file.seek(0)
    file.write(b"content and more")
    assert body.from_beginning()
    assert body.read() == b"content"


def test_body_that_shrinks_is_an_error() -> None:
    file = io.BytesIO(b"content")
    body = _Body(file, Deadline())
    file.truncate(3)
    assert body.from_beginning()
    assert body.read(5) == b"con"
    with pytest.raises(AttemptError):
        body.read(5)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_body_ends_with_its_deadline(*, is_cancelled: bool) -> None:
    deadline = Deadline() if is_cancelled else Deadline.after(0)
    body = _Body(b"content", deadline)
    deadline.cancel()
    with pytest.raises(AttemptError):
        body.read(1)
