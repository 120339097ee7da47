"""The cache key: a digest of the go.sum lines of the planned files, and of nothing else.

The recipe is public interface, fixed by tests/unit/model/cache_key.txt: a change makes every stored entry unreachable.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

FORMAT = "go-prefetch/1"
PREFIX = "go-prefetch-1"


@dataclass(frozen=True)
class CacheKey:
    """The primary key and its parts."""

    cache_name: str
    digest: str
    lines: int

    @property
    def text(self) -> str:
        """Return `go-prefetch-1-<16 hex of the cache name>-<64 hex of the go.sum lines>`, or nothing."""
        if not self.digest:
            return ""
        return f"{PREFIX}-{hexadecimal(self.cache_name)[:16]}-{self.digest}"


def cache_key(cache_name: str, gosum_lines: Iterable[str]) -> CacheKey:
    """Return the key for these lines. Their order, repetitions and line endings do not matter."""
    unique = sorted(set(gosum_lines))
    return CacheKey(cache_name, hexadecimal("".join(f"{line}\n" for line in unique)), len(unique))


def toolchain_key(version: str) -> CacheKey:
    """Return the key of a toolchain, which has an entry of its own: its version names system and architecture."""
    return cache_key(version, [version])


def hexadecimal(text: str) -> str:
    """Return 64 hex digits that stand for `text` in this format version."""
    return hmac.digest(FORMAT.encode(), text.encode(), "sha256").hex()
