"""Which tool saved an entry, what all of them cost, and which of them pull requests cannot read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.prune.entries import Listed
from go_prefetch.prune.families import Inventory, family_of, take_inventory
from go_prefetch.prune.family_table import family_lines
from tests.support.build_entries import build_key

NOW = datetime(2026, 3, 20, tzinfo=timezone.utc)
MAIN, PULL, QUEUE = "refs/heads/main", "refs/pull/7/merge", "refs/heads/gh-readonly-queue/main/pr-7-abc"
HASH = "3f9b8c0d" * 8
GIB = 1 << 30


def listed(number: int, key: str, *, ref: str = MAIN, size: int = 1000, days: float = 0) -> Listed:
    read = NOW - timedelta(days=days)
    return Listed(number, key, ref, "f" * 64, size, read, read)


def inventory(*entries: Listed, limit: int = 0) -> Inventory:
    return take_inventory(entries, "acme/widget", "main", limit, NOW)


def cases(found: Inventory) -> list[tuple[str, str]]:
    return [(one.slug, one.case) for one in found.notices()]


@pytest.mark.parametrize(
    ("key", "family"),
    [
        (f"go-prefetch-1-0123456789abcdef-full-{'a' * 64}-1.1", "go-prefetch: modules"),
        (build_key(1), "go-prefetch: build cache"),
        (f"setup-go-Linux-x64-ubuntu24-go-1.27.3-{HASH}", "setup-go"),
        (f"golangci-lint.cache-Linux-2942-{HASH[:40]}", "golangci-lint"),
        (f"codeql-dependencies-1-Linux-go-{HASH}", "CodeQL"),
        (f"codeql-overlay-base-database-1-0123456789abcdef-go-2.27.1-{HASH[:40]}-12-1", "CodeQL"),
        (f"node-cache-Linux-x64-npm-{HASH}", "setup-node"),
        (f"v0-rust-test-Linux-x64-{HASH[:8]}-{HASH[8:16]}", "rust-cache"),
        (f"gradle-home-v1|Linux-X64|build[{HASH[:32]}]-{HASH[:40]}", "gradle"),
        (f"buildkit-blob-1-sha256:{HASH}", "BuildKit"),
        ("index-buildkit-1-3f9b8c0d#1", "BuildKit"),
        (f"Linux-go-{HASH}", "Linux-go-…"),
        (f"Linux-go-1.27.3-{HASH}", "Linux-go-…"),
        (f"X64-mods-main-{HASH}", "X64-mods-main-…"),
        ("a-b-c-d-e", "a-b-c-…"),
        ("tools", "tools"),
        ("--", "--"),
        ("deps\n::error::x", "deps…"),
        ("d" * 500, "d" * 60 + "…"),
    ],
)
def test_family_of_a_key_is_its_tool_or_its_first_words(key: str, family: str) -> None:
    assert family_of(key) == family


@given(st.text(min_size=1))
def test_family_of_an_unknown_key_is_how_it_begins(key: str) -> None:
    family = family_of(f"~{key}")
    assert family.startswith("~")
    assert f"~{key}".startswith(family.removesuffix("…"))


def test_families_have_entries_sizes_and_the_last_use() -> None:
    found = inventory(
        listed(1, "setup-go-Linux-a", size=100, days=9),
        listed(2, "setup-go-Linux-b", size=50, days=3.5, ref=PULL),
        listed(3, "codeql-trap-1-a", size=1000, ref=QUEUE),
    )
    names = [(one.name, one.entries, one.bytes, one.idle_days) for one in found.families]
    assert names == [("CodeQL", 1, 1000, 0), ("setup-go", 2, 150, 3)]
    assert (found.entries, found.bytes) == (3, 1150)
    scopes = [(one.on_default_branch, one.on_pull_requests) for one in found.families]
    assert scopes == [(False, True), (True, True)]


def test_many_small_families_become_one() -> None:
    found = inventory(*(listed(number, f"{chr(0x4E00 + number)}-x", size=number) for number in range(100)))
    assert (len(found.families), found.entries, found.bytes) == (21, 100, sum(range(100)))
    assert (found.families[-1].name, found.families[-1].entries) == ("other keys", 80)


@pytest.mark.parametrize(
    ("size", "limit", "case"),
    [
        (10, 0, None),
        (12, 0, "unknown"),
        (12, 10, "over"),
        (12, 20, "cost"),
        (30, 20, "over"),
        (6, 5, "over"),
        (10, 20, None),
    ],
)
def test_notice_beyond_the_limit_says_what_it_costs(size: int, limit: int, case: str | None) -> None:
    found = inventory(listed(1, "setup-go-a", size=size * GIB), limit=limit * GIB)
    assert cases(found) == ([("cache-over-limit", case)] if case else [])
    assert found.dollars == pytest.approx(max(0, size - 10) * 0.07)


@pytest.mark.parametrize(
    ("refs", "cold"),
    [
        ((PULL,), True),
        ((QUEUE, PULL), True),
        ((PULL, "refs/heads/feature"), True),
        ((PULL, MAIN), False),
        ((MAIN,), False),
        (("refs/heads/feature",), False),
    ],
)
def test_family_that_only_pull_requests_save_is_named(refs: tuple[str, ...], cold: bool) -> None:
    entries = (listed(number, "setup-go-a", ref=ref) for number, ref in enumerate(refs))
    found = inventory(*entries, listed(99, "codeql-a"))
    assert [dict(one.facts)["families"] for one in found.notices()] == ([("setup-go",)] if cold else [])


def test_lines_of_an_empty_cache_have_a_heading_and_a_sum() -> None:
    assert [line.split() for line in family_lines(inventory())][1] == ["0", "B", "0", "all", "of", "acme/widget"]
