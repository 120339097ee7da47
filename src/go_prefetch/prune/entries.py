"""Entries of GitHub's cache service: list all of them, and choose the own ones that no run will read again.

A run reads entries of its own scope (`ref`), of its pull request's base, and of the default branch. It takes the entry
for its go.sum lines, else the newest one; a delta only together with a full entry of the digest it names. Of a build
cache it takes the newest entry, and all entries below that one, which its key names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from go_prefetch.base.untrusted_json import integer, moment, text
from go_prefetch.errors import Notice
from go_prefetch.model.build_lineage import BuildEntryName, parse_build_key
from go_prefetch.stores.cache_service.keys import EntryName, parse_key

if TYPE_CHECKING:
    from go_prefetch.forge.github import GitHub

_PULL = re.compile(r"refs/pull/([0-9]{1,15})/(?:merge|head)")


Name = TypeVar("Name", EntryName, BuildEntryName)


@dataclass(frozen=True)
class Listed:
    """An entry of any tool as GitHub lists it. `read` is when it was last restored, or else saved."""

    id: int
    key: str
    ref: str
    version: str
    bytes: int
    created: datetime
    read: datetime


@dataclass(frozen=True)
class Entry(Listed, Generic[Name]):
    """An entry whose key go-prefetch wrote."""

    name: Name

    @property
    def place(self) -> tuple[str, str, str]:
        """Entries of one place can stand in for each other: same scope, same encoding, same lineage."""
        return self.ref, self.version, self.name.lineage

    @property
    def is_delta(self) -> bool:
        """Return whether it needs others."""
        return len(self.name.ids) > 1 if isinstance(self.name, BuildEntryName) else self.name.is_delta


ModuleEntry = Entry[EntryName]
BuildEntry = Entry[BuildEntryName]
AnyEntry = Entry[Any]


@dataclass(frozen=True)
class Removal:
    """An entry to remove, and why."""

    entry: AnyEntry
    reason: Notice


def list_entries(github: GitHub) -> list[Listed]:
    """Return the entries of all tools, each once: the pages move when entries are saved meanwhile."""
    found = (parse_listed(values) for values in github.caches())
    return list({entry.id: entry for entry in found if entry}.values())


def parse_listed(values: object) -> Listed | None:
    """Return the entry in an element of GitHub's list; None if it makes no sense."""
    key, created = text(values, "key"), moment(values, "created_at")
    if created is None or not key or not integer(values, "id") or not text(values, "ref"):
        return None
    return Listed(
        id=integer(values, "id"),
        key=key,
        ref=text(values, "ref"),
        version=text(values, "version"),
        bytes=integer(values, "size_in_bytes"),
        created=created,
        read=moment(values, "last_accessed_at") or created,
    )


def own_entries(listed: Iterable[Listed]) -> list[AnyEntry]:
    """Return the entries whose keys go-prefetch wrote. No other may ever be deleted."""
    return [
        Entry(**vars(entry), name=name)
        for entry in listed
        if (name := parse_key(entry.key) or parse_build_key(entry.key))
    ]


def _why(case: str, **facts: object) -> Notice:
    return Notice("entry-unused", case, tuple(facts.items()))


def gone_scopes(github: GitHub, refs: Iterable[str]) -> dict[str, Notice]:
    """Return the scopes that no run can have any more, with the reason."""
    return {ref: reason for ref in sorted(set(refs)) if (reason := _gone(github, ref))}


def _gone(github: GitHub, ref: str) -> Notice | None:
    """Return why this scope is no more; None if it is, or if that is unknown."""
    pull = _PULL.fullmatch(ref)
    if pull:
        return _why("pull-closed", number=pull[1]) if github.is_pull_closed(int(pull[1])) else None
    branch = ref.removeprefix("refs/heads/")
    return None if branch == ref or github.has_branch(branch) else _why("branch-gone", branch=branch)


def choose_removals(
    entries: Sequence[AnyEntry], gone: Mapping[str, Notice], default_ref: str, since: datetime
) -> list[Removal]:
    """Return the entries to remove: those of the scopes in `gone` (with the reason), and idle ones, not read since."""
    reasons = _of_gone_scopes(entries, gone, default_ref, since)
    left = [entry for entry in entries if entry.id not in reasons]
    modules: list[ModuleEntry] = [entry for entry in left if isinstance(entry.name, EntryName)]
    reasons.update(_duplicates(modules))
    reasons.update(_useless_deltas(modules, reasons))
    reasons.update(_replaced_fulls(modules, reasons))
    reasons.update(_replaced_builds([entry for entry in left if isinstance(entry.name, BuildEntryName)]))
    return [Removal(entry, reasons[entry.id]) for entry in entries if entry.id in reasons]


def _of_gone_scopes(
    entries: Sequence[AnyEntry], gone: Mapping[str, Notice], default_ref: str, since: datetime
) -> dict[int, Notice]:
    """Return all entries of scopes that are gone or idle. Those of the default branch serve every scope, and stay."""
    last: dict[str, datetime] = {}
    for entry in entries:
        last[entry.ref] = max(entry.read, entry.created, last.get(entry.ref, entry.created))
    idle = {ref: _why("idle", read=read) for ref, read in last.items() if read < since and ref != default_ref}
    reasons = {**idle, **gone}
    return {entry.id: reasons[entry.ref] for entry in entries if entry.ref in reasons}


def _duplicates(entries: Sequence[ModuleEntry]) -> dict[int, Notice]:
    """Return all but the newest of entries with the same contents: a look-up takes that one."""
    newest: dict[object, ModuleEntry] = {}
    found = {}
    for entry in sorted(entries, key=_age, reverse=True):
        same = (entry.place, entry.name.digest, entry.name.digest_of_full)
        if same in newest:
            found[entry.id] = _why("saved-again")
        newest.setdefault(same, entry)
    return found


def _useless_deltas(entries: Sequence[ModuleEntry], reasons: Mapping[int, Notice]) -> dict[int, Notice]:
    """Return the deltas without their full entry, or with one that a newer one has replaced."""
    fulls = [entry for entry in entries if not entry.name.is_delta and entry.id not in reasons]
    held = {(full.version, full.name.lineage, full.name.digest) for full in fulls}
    found = {}
    for delta in entries:
        if not delta.name.is_delta or delta.id in reasons:
            continue
        newer = _newer_full(delta, fulls, delta.name.digest_of_full)
        if any(full.place == delta.place and full.name.digest == delta.name.digest for full in fulls):
            found[delta.id] = _why("covered")
        elif (delta.version, delta.name.lineage, delta.name.digest_of_full) not in held:
            found[delta.id] = _why("orphan")
        elif newer and delta.read <= newer.created:
            found[delta.id] = _why("delta-replaced")
    return found


def _replaced_fulls(entries: Sequence[ModuleEntry], reasons: Mapping[int, Notice]) -> dict[int, Notice]:
    """Return the full entries that were not read since a newer one came, and that no other delta needs."""
    fulls = [entry for entry in entries if not entry.name.is_delta and entry.id not in reasons]
    needed = {
        (entry.version, entry.name.lineage, entry.name.digest_of_full)
        for entry in entries
        if entry.name.is_delta and entry.id not in reasons
    }
    found = {}
    for full in fulls:
        newer = _newer_full(full, fulls, full.name.digest)
        if newer and full.read <= newer.created and (full.version, full.name.lineage, full.name.digest) not in needed:
            found[full.id] = _why("full-replaced")
    return found


def _newer_full(entry: ModuleEntry, fulls: Iterable[ModuleEntry], digest: str) -> ModuleEntry | None:
    """Return the first full entry for other go.sum lines that came after this entry, at its place."""
    later = [f for f in fulls if f.place == entry.place and f.name.digest != digest and f.created > entry.created]
    return min(later, key=_age, default=None)


def _replaced_builds(entries: Sequence[BuildEntry]) -> dict[int, Notice]:
    """Return the entries of build caches that were not read since a newer one came, and that none that stays needs."""
    newest: dict[object, BuildEntry] = {}
    same: dict[object, BuildEntry] = {}  # the newest of those with one id
    replaced = []
    for entry in sorted(entries, key=_age, reverse=True):
        newer = newest.get(entry.place)
        if newer and entry.read <= newer.created:
            replaced.append(entry)
        newest[entry.place] = entry
        same.setdefault((entry.place, entry.name.ids[0]), entry)
    stay = [entry for entry in entries if entry not in replaced]
    needed = {(entry.version, entry.name.lineage, one) for entry in stay for one in entry.name.ids}
    return {
        entry.id: _why("build-replaced")
        for entry in replaced
        if (entry.version, entry.name.lineage, entry.name.ids[0]) not in needed
        or same[entry.place, entry.name.ids[0]] != entry
    }


def _age(entry: AnyEntry) -> tuple[datetime, int]:
    return entry.created, entry.id
