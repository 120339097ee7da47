"""JSON from outside: what is too large, too deep or of another kind is absent."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base import untrusted_json


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "data",
    ["", "{", b"\xff", nested(untrusted_json.MOST_DEPTH + 1), nested(5000), "[" * 100_000, "9" * 5000, '{"x":1} {}'],
    ids=["empty", "half", "not UTF-8", "too deep", "deeper", "no end", "too many digits", "two values"],
)
def test_parse_other_text_returns_none(data: str | bytes) -> None:
    assert untrusted_json.parse(data) is None


def test_parse_returns_a_value_as_deep_as_allowed() -> None:
    assert untrusted_json.parse(nested(untrusted_json.MOST_DEPTH)) is not None


def test_parse_larger_than_the_limit_returns_none() -> None:
    assert untrusted_json.parse(b"[1]", 3) == [1]
    assert untrusted_json.parse(b"[1]", 2) is None


@pytest.mark.parametrize("data", ["[]", "1", "null", '"x"'])
def test_parse_object_of_another_value_returns_none(data: str) -> None:
    assert untrusted_json.parse_object(data) is None


def test_parse_objects_stops_at_the_first_text_that_is_not_json() -> None:
    assert list(untrusted_json.parse_objects(' {"a":1}\n[2] {"b":3} oops {"c":4}')) == [{"a": 1}, {"b": 3}]
    assert list(untrusted_json.parse_objects("")) == []


def test_read_object_reads_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"x": 1}')
    assert untrusted_json.read_object(path) == {"x": 1}
    assert untrusted_json.read_object(path, 7) is None
    assert untrusted_json.read_object(tmp_path) is None
    assert untrusted_json.read_object(tmp_path / "absent") is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
def test_read_object_of_a_pipe_returns_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert untrusted_json.read_object(tmp_path / "pipe") is None


@pytest.mark.parametrize("value", [True, -1, 1.0, "1", None, 1 << 54, 10**400])
def test_as_integer_of_another_value_returns_none(value: object) -> None:
    assert untrusted_json.as_integer(value) is None


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 1e13, 10**400])
def test_as_number_of_another_value_returns_none(value: object) -> None:
    assert untrusted_json.as_number(value) is None


def test_as_text_replaces_a_lone_surrogate() -> None:
    assert untrusted_json.as_text(json.loads('"a\\ud800b"')) == "a?b"


def test_as_text_of_too_many_characters_returns_none() -> None:
    assert untrusted_json.as_text("abc", 2) is None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_the_json_is_its_values_are_of_their_kinds(value: object) -> None:
    """And fit to be added up and written."""
    for values in ({"x": value}, value):
        untrusted_json.text(values, "x").encode()
        assert 0 <= untrusted_json.integer(values, "x") <= 1 << 53
        assert untrusted_json.moment(values, "x") is None
        assert isinstance(untrusted_json.members(values, "x"), dict)
        assert all(isinstance(one, dict) for one in untrusted_json.objects(values))
        assert all(isinstance(one, dict) for one in untrusted_json.objects(values, "x"))
    assert abs(untrusted_json.as_number(value) or 0) <= 1e12


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=timezone.utc)),
        ("2026-03-02T09:00:01Z", datetime(2026, 3, 2, 9, 0, 1, tzinfo=timezone.utc)),
        ("2026-03-02T09:00:01.213333333Z", datetime(2026, 3, 2, 9, 0, 1, 213333, tzinfo=timezone.utc)),
        ("2026-03-02T10:00:01.5+01:00", datetime(2026, 3, 2, 9, 0, 1, 500000, tzinfo=timezone.utc)),
        ("20260302", None),
        ("2026-13-02", None),
        ("deadbeef", None),
        ("", None),
    ],
)
def test_moments(written: str, moment: datetime | None) -> None:
    assert untrusted_json.parse_moment(written) == moment


@given(st.text())
def test_any_text_is_a_moment_or_none(written: str) -> None:
    found = untrusted_json.parse_moment(written)
    assert found is None or found.tzinfo is timezone.utc
