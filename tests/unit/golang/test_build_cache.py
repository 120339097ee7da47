"""Names and actions of Go's build cache."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.golang.build_cache import (
    ACTION_BYTES,
    Action,
    OutputName,
    id_of,
    parse_action,
    parse_actions,
    parse_output_name,
)
from tests.support.build_shelf import action_line, digest

ONE, OTHER = digest("one"), digest("other")
LINE = action_line(ONE, OTHER, 123)
ids = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(ids, ids, st.integers(0, 4 << 30), st.integers(0, 10**19))
def test_parse_action_accepts_what_go_writes(action: str, output: str, size: int, moment: int) -> None:
    line = action_line(action, output, size, moment)
    assert parse_action(line) == Action(action, output, size, line)


@given(st.binary(max_size=400))
def test_parse_action_takes_any_bytes(data: bytes) -> None:
    assert parse_action(data) is None or len(data) == ACTION_BYTES


@pytest.mark.parametrize(
    "line",
    [
        b"",
        LINE[:-1],
        LINE + b"\n",
        LINE.replace(b"v1", b"v2"),
        LINE.replace(b"\n", b" "),
        LINE.replace(ONE.encode(), ONE.upper().encode()),
        action_line(ONE, OTHER, (4 << 30) + 1),
        LINE.replace(b" 123 ", b"-123 "),
        LINE.replace(b" 123 ", b"12 3 "),
        LINE.replace(b" 123 ", "\u0661\u0662 ".encode()),
    ],
)
def test_parse_action_refuses_other_bytes(line: bytes) -> None:
    assert parse_action(line) is None


def test_parse_actions_refuses_one_wrong_or_double_action() -> None:
    second = action_line(OTHER, ONE, 5)
    assert [action.id for action in parse_actions(LINE + second) or ()] == [ONE, OTHER]
    assert parse_actions(b"") == ()
    assert parse_actions(LINE + second[:-1]) is None
    assert parse_actions(LINE + LINE) is None
    assert parse_actions(LINE + b"x") is None


def test_parse_output_name_accepts_files_and_executables() -> None:
    assert parse_output_name(f"{ONE[:2]}/{ONE}-d") == OutputName(ONE, "")
    assert parse_output_name(f"{ONE[:2]}/{ONE}-d/stringer.exe") == OutputName(ONE, "stringer.exe")


@pytest.mark.parametrize(
    "name",
    [
        f"{ONE}-d",
        f"00/{ONE}-d" if not ONE.startswith("00") else f"01/{ONE}-d",
        f"{ONE[:2]}/{ONE}-a",
        f"{ONE[:2]}/{ONE}-d/",
        f"{ONE[:2]}/{ONE}-d\n",
        f"/{ONE[:2]}/{ONE}-d",
        f"../{ONE[:2]}/{ONE}-d",
        *(
            f"{ONE[:2]}/{ONE}-d/{bad}"
            for bad in ("..", ".", "a/b", "a\\b", "con", "NUL.exe", "a.", "a b", "-x", "\xe4", "x" * 101)
        ),
        "trim.txt",
        "fuzz/a",
    ],
)
def test_parse_output_name_refuses_other_names(name: str) -> None:
    assert parse_output_name(name) is None


@given(st.text(string.printable, max_size=80))
def test_parse_output_name_returns_its_own_path_or_nothing(text: str) -> None:
    name = parse_output_name(text)
    assert name is None or name.path == text


def test_id_of_needs_the_suffix_and_64_digits() -> None:
    assert id_of(f"{ONE}-a", "-a") == ONE
    assert id_of(f"{ONE}-d", "-a") == id_of(ONE[1:] + "-a", "-a") == id_of(f"{ONE}-a.tmp", "-a") == ""
