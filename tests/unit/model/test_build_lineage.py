"""Keys of the build cache: what parses, and that all else does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.model.build_lineage import PREFIX, new_key, parse_build_key

LINEAGE = f"{PREFIX}-{'0' * 16}-{'f' * 16}-"
hexes = st.text("0123456789abcdef", min_size=16, max_size=16)
numbers = st.integers(0, 10**20 - 1)


@given(hexes, hexes, st.lists(hexes, min_size=1, max_size=16, unique=True), numbers, numbers)
def test_parse_build_key_returns_what_a_key_is_made_of(
    toolchain: str, job: str, ids: list[str], run: int, attempt: int
) -> None:
    lineage = f"{PREFIX}-{toolchain}-{job}-"
    entry = parse_build_key(f"{lineage}{'.'.join(ids)}-{run}.{attempt}")
    assert entry is not None
    assert (entry.lineage, entry.ids) == (lineage, tuple(ids))


@pytest.mark.parametrize(
    "key",
    [
        "",
        LINEAGE,
        f"{LINEAGE}{'a' * 16}",
        f"{LINEAGE}{'a' * 16}-1",
        f"{LINEAGE}{'a' * 16}-1.1\n",
        f"{LINEAGE}{'A' * 16}-1.1",
        f"{LINEAGE}{'a' * 16}.-1.1",
        f"{LINEAGE}{'.'.join(['a' * 16] * 17)}-1.1",
        f"{LINEAGE}{'a' * 16}-{'1' * 21}.1",
        f"go-prefetch-1-{'a' * 16}-full-{'a' * 64}-1.1",
    ],
)
def test_parse_build_key_of_another_text_is_none(key: str) -> None:
    assert parse_build_key(key) is None


@given(st.text("0123456789abcdef-.go prefetchbuild\n", max_size=120))
def test_parse_build_key_of_any_text_does_not_fail(text: str) -> None:
    entry = parse_build_key(text)
    assert entry is None or entry.key == text


def test_parse_build_key_refuses_an_entry_below_itself() -> None:
    one, other = "1" * 16, "2" * 16
    assert parse_build_key(f"{LINEAGE}{one}.{other}.{one}-1.1") is None


def test_new_key_depends_on_the_entries_below() -> None:
    """After a change that was taken back, a job makes what an entry below its own has made."""
    first = new_key(LINEAGE, ["a b"], [], "1.1").removeprefix(LINEAGE)[:16]
    assert new_key(LINEAGE, ["a b"], [first], "1.1").removeprefix(LINEAGE)[:16] != first
