"""Which entries of the build cache a job may use, as their keys say it.

    go-prefetch-build-1-<16 hex of the toolchain>-<16 hex of the job>-<id>[.<id> of each entry below]*-<run>

An id has 16 hex digits. A full entry has its own id only. A delta has its own id first, and then those of all entries
that it needs: the newest first, the full one last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "go-prefetch-build-1"

_HEX = "[0-9a-f]{16}"
_KEY = re.compile(rf"({PREFIX}-{_HEX}-{_HEX}-)({_HEX}(?:\.{_HEX}){{0,15}})-[0-9]{{1,20}}\.[0-9]{{1,20}}", re.ASCII)


@dataclass(frozen=True)
class BuildEntryName:
    """The parts of a key."""

    key: str
    lineage: str  # the prefix of the keys of all entries of its toolchain and job
    ids: tuple[str, ...]  # its own, and those of the entries below


def parse_build_key(key: str) -> BuildEntryName | None:
    """Parse the key of an entry of the build cache; return None if go-prefetch did not write it."""
    match = _KEY.fullmatch(key)
    return BuildEntryName(key, match[1], tuple(match[2].split("."))) if match else None
