"""Keys of entries: what they are called, and what a key that was matched says.

    go-prefetch-1-<16 hex of the cache name>-full-<digest>-<run>
    go-prefetch-1-<16 hex of the cache name>-delta-<digest>-<digest of its full entry>-<run>

Lower case, because some servers make them so. `<run>` is `<run id>.<attempt>`: entries cannot be overwritten, so a key
that a cancelled upload has locked, or an entry that turned out damaged, must not stand in the way of the next run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from go_prefetch.model.cache_key import PREFIX, CacheKey

_DIGEST = "[0-9a-f]{64}"
_KEY = re.compile(
    rf"({PREFIX}-[0-9a-f]{{16}}-)(?:full-({_DIGEST})|delta-({_DIGEST})-({_DIGEST}))-[0-9]{{1,20}}\.[0-9]{{1,20}}",
    re.ASCII,
)


@dataclass(frozen=True)
class Names:
    """Everything that is looked up or saved for one cache key by one run."""

    key: CacheKey
    run: str

    @property
    def lineage(self) -> str:
        """What the keys of all entries of this cache name begin with."""
        return f"{self.key.text.removesuffix(self.key.digest)}"

    @property
    def same(self) -> tuple[str, str]:
        """What the keys of entries for just these go.sum lines begin with."""
        return f"{self.lineage}full-{self.key.digest}-", f"{self.lineage}delta-{self.key.digest}-"

    @property
    def full(self) -> str:
        """The key of a new full entry."""
        return f"{self.same[0]}{self.run}"

    def delta(self, digest_of_full: str) -> str:
        """The key of a new delta entry."""
        return f"{self.same[1]}{digest_of_full}-{self.run}"

    def full_of(self, digest: str) -> str:
        """What the keys of full entries for the go.sum lines of `digest` begin with."""
        return f"{self.lineage}full-{digest}-"

    @property
    def any_full(self) -> str:
        """What the keys of all full entries of this cache name begin with."""
        return f"{self.lineage}full-"

    def parsed(self, key: str) -> EntryName | None:
        """What a matched key says; None if it is none of this cache name."""
        name = parse_key(key)
        return name if name and name.lineage == self.lineage else None


@dataclass(frozen=True)
class EntryName:
    """A key, taken apart."""

    key: str
    digest: str
    digest_of_full: str  # empty: it is a full entry itself
    lineage: str = ""  # what the keys of all entries of its cache name begin with

    @property
    def is_delta(self) -> bool:
        """Whether it is of use only with its full entry."""
        return bool(self.digest_of_full)


def parse_key(key: str) -> EntryName | None:
    """What the key of an entry of any cache name says; None if it is none of ours."""
    match = _KEY.fullmatch(key)
    return EntryName(key, match[2] or match[3], match[4] or "", match[1]) if match else None
