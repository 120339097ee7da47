"""Which tools share a repository's cache: families of entries, their size and age, the cost, and who can read them.

The limit of 10 GiB and the price are those of
https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching and
https://docs.github.com/billing/concepts/product-billing/github-actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import takewhile

from go_prefetch.errors import Notice, notice
from go_prefetch.forge.access import FREE_CACHE_BYTES
from go_prefetch.prune.entries import Listed

# How the keys of a family begin, and its name.
_FAMILIES = tuple(
    (re.compile(prefix), name)
    for prefix, name in (
        ("go-prefetch-build-1-", "go-prefetch: build cache"),
        ("go-prefetch-1-", "go-prefetch: modules"),
        ("setup-go-", "setup-go"),
        (r"golangci-lint\.cache-", "golangci-lint"),
        ("codeql-", "CodeQL"),
        ("node-cache-", "setup-node"),
        ("setup-python-", "setup-python"),
        ("setup-java-", "setup-java"),
        ("dotnet-cache-", "setup-dotnet"),
        ("setup-ruby-", "setup-ruby"),
        ("setup-uv-", "setup-uv"),
        (r"v\d+-rust-", "rust-cache"),
        ("(?:workers/)?gradle-", "gradle"),
        ("buildkit-blob-|index-buildkit-", "BuildKit"),
        (r"pre-commit-\d+\|", "pre-commit"),
        ("cache-trivy-|trivy-binary-", "Trivy"),
    )
)
_WORD = re.compile(r"[^-_.|:/]+[-_.|:/]*|[-_.|:/]+")
_MOST_WORDS = 3
_LONGEST_NAME = 60  # characters
_MOST_FAMILIES = 20
_REST = "other keys"
_DOLLARS = 0.07  # for a GiB and month, where the limit was raised
_GIB = 1 << 30
_PULLS = ("refs/pull/", "refs/heads/gh-readonly-queue/")  # the scopes of pull requests and of the merge queue


@dataclass(frozen=True)
class Family:
    """The entries that one tool has saved."""

    name: str
    entries: int
    bytes: int
    idle_days: int  # since one of them was restored or saved
    on_default_branch: bool  # whether a run of the default branch has saved one, which every run may read
    on_pull_requests: bool  # whether a pull request or the merge queue has saved one


@dataclass(frozen=True)
class Inventory:
    """Everything that the cache of a repository holds."""

    repository: str
    branch: str  # the default branch
    families: tuple[Family, ...]  # the largest first
    limit: int  # bytes; 0 if only administrators may know

    @cached_property
    def bytes(self) -> int:
        """Return the size of all entries."""
        return sum(family.bytes for family in self.families)

    @property
    def entries(self) -> int:
        """Return their number."""
        return sum(family.entries for family in self.families)

    @property
    def dollars(self) -> float:
        """Return what a month of this costs where the limit was raised."""
        return max(0, self.bytes - FREE_CACHE_BYTES) / _GIB * _DOLLARS

    def notices(self) -> Iterator[Notice]:
        """Return what is wrong: too many bytes, and families that pull requests cannot read."""
        limit = self.limit or FREE_CACHE_BYTES
        case = "unknown" if not self.limit else "over" if self.bytes > limit else "cost"
        if self.bytes > min(limit, FREE_CACHE_BYTES):
            yield notice("cache-over-limit", case, bytes=self.bytes, limit=limit / _GIB, dollars=self.dollars)
        cold = tuple(one.name for one in self.families if one.on_pull_requests and not one.on_default_branch)
        if cold:
            yield notice("default-branch-unsaved", branch=self.branch, families=cold)


def take_inventory(listed: Iterable[Listed], repository: str, branch: str, limit: int, now: datetime) -> Inventory:
    """Return the families of these entries. The smallest become one if there are many."""
    groups: dict[str, list[Listed]] = {}
    for entry in listed:
        groups.setdefault(family_of(entry.key), []).append(entry)
    by_size = sorted(groups.items(), key=lambda group: (-sum(entry.bytes for entry in group[1]), group[0]))
    rest = [entry for _, group in by_size[_MOST_FAMILIES:] for entry in group]
    shown = [*by_size[:_MOST_FAMILIES], *([(_REST, rest)] if rest else [])]
    families = tuple(_family(name, group, f"refs/heads/{branch}", now) for name, group in shown)
    return Inventory(repository, branch, families, limit)


def family_of(key: str) -> str:
    """Return the family of a key. An unknown one is named after its first words, up to one with a digit."""
    known = next((name for prefix, name in _FAMILIES if prefix.match(key)), None)
    return known or _first_words(key)


def _first_words(key: str) -> str:
    begin = "".join(takewhile(str.isprintable, key[:_LONGEST_NAME]))
    words = _WORD.findall(begin)[:_MOST_WORDS]
    numbered = next((at for at, word in enumerate(words) if at and any(map(str.isdigit, word))), len(words))
    prefix = "".join(words[:numbered])
    return prefix if prefix == key else f"{prefix}…"


def _family(name: str, entries: Sequence[Listed], default_ref: str, now: datetime) -> Family:
    refs = {entry.ref for entry in entries}
    return Family(
        name=name,
        entries=len(entries),
        bytes=sum(entry.bytes for entry in entries),
        idle_days=max(0, min((now - entry.read).days for entry in entries)),
        on_default_branch=default_ref in refs,
        on_pull_requests=any(ref.startswith(_PULLS) for ref in refs),
    )
