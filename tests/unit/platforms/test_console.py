"""What the console prints where the terminal lacks a character."""

from __future__ import annotations

import io

import pytest

from go_prefetch.platforms.console import Console, Loudness


@pytest.mark.parametrize(
    ("encoding", "text", "printed"),
    [
        ("ascii", "exact hit · 3 modules …", "exact hit - 3 modules ..."),
        ("latin-1", "exact hit · 3 modules", "exact hit · 3 modules"),
        ("ascii", "/modules/é", "/modules/?"),
    ],
)
def test_console_replaces_what_the_encoding_lacks(encoding: str, text: str, printed: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(stream, Loudness()).line(text)
    stream.seek(0)
    assert stream.read() == f"{printed}\n"
