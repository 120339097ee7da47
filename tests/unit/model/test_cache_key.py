"""The key's recipe is public interface: these literals may only change with the format version."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.golang.gosum import parse_gosum
from go_prefetch.model.cache_key import cache_key

EXPECTED = Path(__file__).with_name("cache_key.txt")  # no snapshot: nothing rewrites it
GO_SUM = b"""\
github.com/BurntSushi/toml v1.4.0 h1:kuoIxZQy2WRRk1pttg9asf+WVv6tWQuBNVmK8+nqPr0=
github.com/BurntSushi/toml v1.4.0/go.mod h1:ukJfTF/6rtPPRCnwkur4qwRxa8vTRFBF0uk2lLoLwho=
golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0=
golang.org/x/mod v0.20.0/go.mod h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=
"""


def _key(data: bytes, cache_name: str = "example.com/app") -> str:
    return cache_key(cache_name, (line.text for line in parse_gosum(data, "go.sum").lines)).text


def test_the_key_of_a_fixed_go_sum_never_changes() -> None:
    assert _key(GO_SUM) + "\n" == EXPECTED.read_text()


def test_the_recipe() -> None:
    """Prefix, 16 hex digits of the cache name, 64 of the lines; HMAC-SHA-256, keyed by the format version."""
    name = hmac.new(b"go-prefetch/1", b"example.com/app", hashlib.sha256).hexdigest()
    lines = hmac.new(b"go-prefetch/1", GO_SUM, hashlib.sha256).hexdigest()  # its lines are sorted already
    assert _key(GO_SUM) == f"go-prefetch-1-{name[:16]}-{lines}"


def test_its_parts_can_be_shown() -> None:
    key = cache_key("name", ["b", "a", "b"])
    assert (key.cache_name, key.lines, key.digest) == ("name", 2, cache_key("other", ["a", "b"]).digest)


@given(st.permutations(GO_SUM.splitlines(keepends=True)), st.sampled_from([b"\n", b"\r\n", b" \n\n"]), st.booleans())
@settings(deadline=None)
def test_order_line_ends_and_repetitions_do_not_matter(lines: list[bytes], newline: bytes, twice: bool) -> None:
    data = b"".join(lines * (1 + twice)).replace(b"\n", newline)
    assert _key(data) == _key(GO_SUM)


def test_one_changed_hash_is_another_key() -> None:
    assert _key(GO_SUM.replace(b"h1:u", b"h1:v", 1)) != _key(GO_SUM)


def test_one_line_less_is_another_key() -> None:
    assert _key(GO_SUM.partition(b"\n")[2]) != _key(GO_SUM)


def test_cache_name_changes_the_lineage_but_not_the_digest() -> None:
    one, other = _key(GO_SUM), _key(GO_SUM, "other")
    assert one != other
    assert one.rpartition("-")[2] == other.rpartition("-")[2]


def test_lines_are_not_run_together() -> None:
    assert cache_key("n", ["ab", "c"]).digest != cache_key("n", ["a", "bc"]).digest
