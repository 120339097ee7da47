"""GOFLAGS as Go reads it."""

from __future__ import annotations

import pytest

from go_prefetch.golang.goflags import flags, is_set, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  -mod=mod\t--modcacherw ", ["-mod=mod", "-modcacherw"]),
        ("'-modfile=a b.mod' \"-tags=x y\"", ["-modfile=a b.mod", "-tags=x y"]),
        ("-ldflags='-s -w'", ["-ldflags='-s", "-w'"]),  # quotes count only around a whole flag
    ],
    ids=["none", "one dash or two", "quoted", "quoted inside"],
)
def test_flags_are_told_apart(text: str, expected: list[str]) -> None:
    assert flags(text) == expected


def test_the_last_one_counts() -> None:
    assert value("-modfile=a.mod -modfile=b.mod", "modfile") == "b.mod"
    assert value("-modfile=a.mod -modfile=", "modfile") == ""
    assert value("-modfiles=a.mod", "modfile") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-modcacherw", True),
        ("-modcacherw=1", True),
        ("-modcacherw=false", False),
        ("-modcacherw -modcacherw=0", False),
        ("-mod=modcacherw", False),
    ],
)
def test_switches(text: str, expected: bool) -> None:
    assert is_set(text, "modcacherw") is expected
