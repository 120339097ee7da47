"""Versions: which are complete, and which comes first."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.golang import semver

# Each sorts below the next (https://semver.org, 11).
ASCENDING = (
    "v0.0.0-20191109021931-daa7c04131f5",
    "v0.0.1",
    "v0.0.2-0.20200101000000-0123456789ab",
    "v0.9.0",
    "v0.10.0",
    "v1.0.0-1",
    "v1.0.0-2",
    "v1.0.0-10",
    "v1.0.0--",
    "v1.0.0-0a",
    "v1.0.0-alpha",
    "v1.0.0-alpha.1",
    "v1.0.0-alpha.beta",
    "v1.0.0-beta",
    "v1.0.0-beta.2",
    "v1.0.0-beta.11",
    "v1.0.0-rc.1",
    "v1.0.0",
    "v1.2.0",
    "v2.0.0+incompatible",
    "v10.0.0",
    f"v{'9' * 5000}.0.0",
    f"v1{'0' * 5000}.0.0",
)


def test_versions_sort_by_precedence() -> None:
    """Numbers count by value, however long they are, and a pre-release comes before its release."""
    shuffled = random.Random(1).sample(ASCENDING, len(ASCENDING))
    assert tuple(sorted(shuffled, key=semver.sort_key)) == ASCENDING


def test_build_metadata_does_not_count() -> None:
    assert semver.sort_key("v2.0.0+incompatible") == semver.sort_key("v2.0.0") == semver.sort_key("v2.0.0+x.1")


@pytest.mark.parametrize(
    "version", ["", "1.0.0", "v1", "v1.2", "v1.2.3.4", "master", "v1.2.3-", "v1.2.3-01", "v1.0.0\n"]
)
def test_what_is_no_complete_version_cannot_be_sorted(version: str) -> None:
    with pytest.raises(ValueError, match="not a semantic version"):
        semver.sort_key(version)


@pytest.mark.parametrize(
    ("version", "major"),
    [("v0.1.0", "v0"), ("v12.3.4-rc.1", "v12"), ("v2.0.0+incompatible", "v2"), ("v1", ""), ("master", ""), ("", "")],
)
def test_major(version: str, major: str) -> None:
    assert semver.major(version) == major


@pytest.mark.parametrize(
    ("version", "canonical"),
    [
        ("v1.2.3", True),
        ("v1.2.3-pre.1", True),
        ("v0.0.0-20191109021931-daa7c04131f5", True),
        ("v2.0.0+incompatible", True),
        ("v2.0.0-rc.1+incompatible", True),
        ("v1.2.3+meta", False),
        ("v2.0.0+incompatible.1", False),
        ("v1.2", False),
        ("v1", False),
        ("v01.2.3", False),
        ("v1.02.3", False),
        ("v1.2.3-01", False),
        ("v1.2.3-a..b", False),
        ("v1.2.3-é", False),
        ("v1.2.٣", False),
        ("V1.2.3", False),
        (" v1.2.3", False),
        ("v1.2.3\n", False),
        ("v1.2.3/go.mod", False),
        ("", False),
    ],
)
def test_is_canonical(version: str, canonical: bool) -> None:
    assert semver.is_canonical(version) is canonical


@given(st.text())
@settings(deadline=None)
def test_every_canonical_version_can_be_sorted(text: str) -> None:
    if semver.is_canonical(text):
        semver.sort_key(text)
    assert bool(semver.major(text)) or not semver.is_canonical(text)
