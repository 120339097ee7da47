"""Keys of cache entries: made, and taken apart again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.model.cache_key import cache_key
from go_prefetch.stores.cache_service.keys import EntryName, Names

KEY = cache_key("example.com/service", ["example.com/lib v1.0.0 h1:abc="])
NAMES = Names(KEY, "123.4")
OTHER = "0123456789abcdef" * 4


def test_keys_begin_with_what_is_looked_up() -> None:
    full, delta = NAMES.full, NAMES.delta(OTHER)
    assert full.startswith(NAMES.same[0])
    assert delta.startswith(NAMES.same[1])
    assert full.startswith(NAMES.any_full)
    assert full.startswith(NAMES.full_of(KEY.digest))
    assert all(key.startswith(NAMES.lineage) for key in (full, delta))
    assert NAMES.lineage == KEY.text.removesuffix(KEY.digest)


def test_a_key_is_short_enough_and_lower_case() -> None:
    """512 characters are allowed; act and Forgejo make keys lower-case."""
    longest = Names(KEY, "9" * 20 + "." + "9" * 20).delta(OTHER)
    assert len(longest) < 256
    assert longest == longest.lower()
    assert "," not in longest


def test_own_keys_are_taken_apart() -> None:
    assert NAMES.parsed(NAMES.full) == EntryName(NAMES.full, KEY.digest, "", NAMES.lineage)
    delta = NAMES.delta(OTHER)
    assert NAMES.parsed(delta) == EntryName(delta, KEY.digest, OTHER, NAMES.lineage)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "setup-go-Linux-x64-go-1.26-abc",
        NAMES.lineage,
        NAMES.full + "\n",
        NAMES.full.removesuffix("-123.4"),
        NAMES.full.replace("123.4", "123"),
        NAMES.full.upper(),
        NAMES.delta("abc"),
        Names(cache_key("another", []), "1.1").full,
        "x" + NAMES.full,
    ],
)
def test_foreign_keys_are_none_of_ours(key: str) -> None:
    assert NAMES.parsed(key) is None


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    assert NAMES.parsed(NAMES.lineage + text) is None or text.startswith(("full-", "delta-"))
