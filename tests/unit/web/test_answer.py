"""How much of a body is read."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.answer import Answer, up_to


def test_body_at_the_limit_is_whole_and_above_it_an_error() -> None:
    pieces = [b"ab", b"", b"cd"]
    assert Answer(200, "OK", {}, iter(pieces)).read(4) == b"abcd"
    with pytest.raises(AttemptError, match="more than 3 bytes") as caught:
        Answer(200, "OK", {}, iter(pieces)).read(3)
    assert not caught.value.transient


def test_no_piece_is_read_after_the_one_that_is_too_much() -> None:
    pieces = iter([b"ab", b"cd", b"never"])
    with pytest.raises(AttemptError):
        list(up_to(3, pieces))
    assert next(pieces) == b"never"
