"""Keys of entries: their form, and what a matched key says.

    go-prefetch-1-<16 hex of the cache name>-full-<digest>-<run>
    go-prefetch-1-<16 hex of the cache name>-delta-<digest>-<digest of its full entry>-<run>

Lower case, because some servers convert keys to it. `<run>` is `<run id>.<attempt>`. Entries cannot be overwritten, so
a key that a cancelled upload has locked, or a damaged entry, must not block the next run.
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
    """The keys and prefixes that one run uses for one cache key."""

    key: CacheKey
    run: str

    @property
    def lineage(self) -> str:
        """Return the prefix of the keys of all entries of this cache name."""
        return f"{self.key.text.removesuffix(self.key.digest)}"

    @property
    def same(self) -> tuple[str, str]:
        """Return the prefixes of the keys of entries for exactly these go.sum lines."""
        return f"{self.lineage}full-{self.key.digest}-", f"{self.lineage}delta-{self.key.digest}-"

    @property
    def full(self) -> str:
        """Return the key of a new full entry."""
        return f"{self.same[0]}{self.run}"

    def delta(self, digest_of_full: str) -> str:
        """Return the key of a new delta entry."""
        return f"{self.same[1]}{digest_of_full}-{self.run}"

    def full_of(self, digest: str) -> str:
        """Return the prefix of the keys of full entries for the go.sum lines of `digest`."""
        return f"{self.lineage}full-{digest}-"

    @property
    def any_full(self) -> str:
        """Return the prefix of the keys of all full entries of this cache name."""
        return f"{self.lineage}full-"

    def parsed(self, key: str) -> EntryName | None:
        """Parse a matched key; return None if it does not belong to this cache name."""
        name = parse_key(key)
        return name if name and name.lineage == self.lineage else None


@dataclass(frozen=True)
class EntryName:
    """The parts of a key."""

    key: str
    digest: str
    digest_of_full: str  # empty for a full entry
    lineage: str = ""  # the prefix of the keys of all entries of its cache name

    @property
    def is_delta(self) -> bool:
        """Return whether it needs its full entry."""
        return bool(self.digest_of_full)


def parse_key(key: str) -> EntryName | None:
    """Parse the key of an entry of any cache name; return None if go-prefetch did not write it."""
    match = _KEY.fullmatch(key)
    return EntryName(key, match[2] or match[3], match[4] or "", match[1]) if match else None
