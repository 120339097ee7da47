"""Which entries can go: what nothing will read any more, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.errors import Notice, notice
from go_prefetch.model.build_lineage import parse_build_key
from go_prefetch.prune.entries import AnyEntry, Entry, choose_removals
from go_prefetch.stores.cache_service.keys import parse_key
from tests.support.build_entries import OTHER_JOB, build_key

NOW = datetime(2026, 3, 20, tzinfo=timezone.utc)
MAIN = "refs/heads/main"
LINEAGE = "go-prefetch-1-0123456789abcdef-"


def full(number: int, digest: str, **more: Any) -> AnyEntry:
    return entry(number, f"{LINEAGE}full-{digest * 64}-{number}.1", **more)


def build(number: int, *ids: int, **more: Any) -> AnyEntry:
    return entry(number, build_key(*ids, run=f"{number}.1"), **more)


def delta(number: int, digest: str, of: str, **more: Any) -> AnyEntry:
    return entry(number, f"{LINEAGE}delta-{digest * 64}-{of * 64}-{number}.1", **more)


def entry(number: int, key: str, *, ref: str = MAIN, age: float = 1.0, read: float | None = None) -> AnyEntry:
    """`age` and `read` are days ago."""
    name: Any = parse_key(key) or parse_build_key(key)
    assert name is not None
    seen = min(age, age if read is None else read)
    return Entry(number, key, ref, "f" * 64, 1000, NOW - timedelta(days=age), NOW - timedelta(days=seen), name)


def gone(*entries: AnyEntry, scopes: dict[str, Notice] | None = None, days: int = 7) -> dict[int, str]:
    return {
        one.entry.id: one.reason.case
        for one in choose_removals(entries, scopes or {}, MAIN, NOW - timedelta(days=days))
    }


def test_a_full_entry_and_its_deltas_stay() -> None:
    assert gone(full(1, "a", age=5), delta(2, "b", "a", age=3), delta(3, "c", "a", age=1)) == {}


def test_unread_delta_of_a_replaced_full_goes_with_the_full() -> None:
    reasons = gone(full(1, "a", age=5), delta(2, "b", "a", age=4), full(3, "c", age=2))
    assert set(reasons) == {1, 2}
    assert reasons[2] == "delta-replaced"


def test_a_delta_that_is_still_read_keeps_its_full() -> None:
    """Somebody builds an older commit."""
    assert gone(full(1, "a", age=5), delta(2, "b", "a", age=4, read=1), full(3, "c", age=2)) == {}


def test_a_delta_of_another_scope_keeps_the_full_it_rests_on() -> None:
    pull = delta(2, "b", "a", age=4, ref="refs/pull/7/merge")
    assert gone(full(1, "a", age=5), pull, full(3, "c", age=2)) == {}


def test_a_delta_without_its_full_goes() -> None:
    assert gone(full(1, "a"), delta(2, "b", "d")) == {2: "orphan"}


def test_of_the_same_saved_twice_the_newest_stays() -> None:
    assert set(gone(full(1, "a", age=3), full(2, "a", age=2))) == {1}
    assert set(gone(full(1, "a", age=9), delta(2, "b", "a", age=3), delta(3, "b", "a", age=2))) == {2}


def test_a_delta_whose_lines_a_full_entry_has_goes() -> None:
    assert set(gone(full(1, "a", age=5), delta(2, "b", "a", age=4, read=1), full(3, "b", age=2))) == {1, 2}


def test_scopes_that_are_idle_or_gone_go_whole() -> None:
    old = full(1, "a", ref="refs/heads/old", age=20, read=8)
    used = full(2, "a", ref="refs/heads/used", age=20, read=6)
    closed = full(3, "a", ref="refs/pull/9/merge")
    reasons = gone(old, used, closed, scopes={"refs/pull/9/merge": notice("entry-unused", "pull-closed", number="9")})
    assert set(reasons) == {1, 3}
    assert reasons[3] == "pull-closed"


def test_the_default_branch_is_never_idle() -> None:
    assert gone(full(1, "a", age=200)) == {}


def test_other_cache_names_and_other_encodings_are_other_places() -> None:
    other = entry(3, f"go-prefetch-1-{'e' * 16}-full-{'c' * 64}-3.1", age=2)
    assert gone(full(1, "a", age=5), other) == {}


def test_build_entries_that_the_newest_needs_stay() -> None:
    assert gone(build(1, 1, age=5), build(2, 2, 1, age=4), build(3, 3, 2, 1, age=3)) == {}


def test_build_entries_go_when_a_newer_full_one_replaced_them() -> None:
    reasons = gone(build(1, 1, age=5), build(2, 2, 1, age=4), build(3, 3, age=3))
    assert reasons == {1: "build-replaced", 2: "build-replaced"}


def test_build_entry_that_was_read_since_stays_with_its_base() -> None:
    """A job that has restored it may be about to add to it."""
    assert gone(build(1, 1, age=5), build(2, 2, 1, age=4, read=1), build(3, 3, age=3)) == {}


def test_build_entry_that_another_scope_needs_stays() -> None:
    pull = build(2, 2, 1, age=4, ref="refs/pull/7/merge")
    assert gone(build(1, 1, age=5), pull, build(3, 3, age=3)) == {}


def test_build_entry_of_another_job_or_encoding_replaces_nothing() -> None:
    other = entry(2, build_key(2, lineage=OTHER_JOB), age=2)
    assert gone(build(1, 1, age=5), other, replace(build(3, 3, age=3), version="e" * 64)) == {}


def test_build_entry_that_was_saved_again_goes() -> None:
    assert gone(build(1, 1, age=5), build(2, 1, age=4), build(3, 2, 1, age=3)) == {1: "build-replaced"}


build_ids = st.sampled_from([(1,), (2, 1), (3, 2, 1), (4,), (5, 4), (6, 1)])
builds = st.lists(
    st.builds(
        lambda number, ids, ref, age, read: build(number, *ids, ref=ref, age=age, read=read),
        st.integers(1, 10**6), build_ids, st.sampled_from([MAIN, "refs/heads/x"]), st.integers(0, 30),
        st.integers(0, 30),
    ),
    unique_by=lambda one: one.id, max_size=12,
)  # fmt: skip


@given(builds)
def test_kept_build_entries_keep_what_they_need(every: list[AnyEntry]) -> None:
    """The newest of the default branch stays. What an entry needs stays, if its scope stays. It comes to rest."""
    removed = gone(*every)
    left = [one for one in every if one.id not in removed]
    ids = {(one.ref, one.name.ids[0]) for one in left}
    lost = {(one.ref, one.name.ids[0]) for one in every if removed.get(one.id) == "build-replaced"} - ids
    assert not {id_ for _, id_ in lost} & {id_ for one in left for id_ in one.name.ids}
    of_main = [one for one in every if one.ref == MAIN]
    if of_main:
        assert max(of_main, key=lambda one: (one.created, one.id)) in left
    for _ in range(12):
        left = [one for one in left if one.id not in gone(*left)]
    assert gone(*left) == {}


entries = st.lists(
    st.builds(
        lambda number, digest, of, ref, age, read: (delta(number, digest, of, ref=ref, age=age, read=read) if of else
                                                    full(number, digest, ref=ref, age=age, read=read)),
        st.integers(1, 10**6), st.sampled_from("abcd"), st.sampled_from(["", "", "a", "b", "c"]),
        st.sampled_from([MAIN, "refs/heads/x", "refs/pull/1/merge"]), st.integers(0, 30), st.integers(0, 30),
    ),
    unique_by=lambda one: one.id, max_size=12,
)  # fmt: skip


@given(entries)
def test_kept_entries_are_complete_and_prune_is_idempotent(every: list[AnyEntry]) -> None:
    """The newest full entry of the default branch stays; no delta that stays has lost its full; it comes to rest."""
    left = [one for one in every if one.id not in gone(*every)]
    fulls = {one.name.digest for one in left if not one.name.is_delta}
    assert all(one.name.digest_of_full in fulls for one in left if one.name.is_delta)
    of_main = [one for one in every if one.ref == MAIN and not one.name.is_delta]
    if of_main:
        assert max(of_main, key=lambda one: (one.created, one.id)) in left
    for _ in range(5):
        left = [one for one in left if one.id not in gone(*left)]
    assert gone(*left) == {}


@pytest.mark.parametrize("days", [1, 365])
def test_nothing_is_nothing(days: int) -> None:
    assert gone(days=days) == {}
