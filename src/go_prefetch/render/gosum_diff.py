"""Changes of go.sum since the matched entry was saved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from go_prefetch.golang import semver
from go_prefetch.golang.modcache import file_named
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.report import Report

_KINDS = ("upgraded", "downgraded", "added", "removed")


@dataclass(frozen=True)
class Change:
    """One module path: its versions in the entry, and those in the plan; either may be empty."""

    kind: str  # `upgraded`, `downgraded`, `added`, `removed`
    path: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """All changes, by kind, then by path."""

    all: tuple[Change, ...] = ()

    def __str__(self) -> str:
        counts = {kind: sum(change.kind == kind for change in self.all) for kind in _KINDS}
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def changes(report: Report) -> Changes:
    """Return the difference in zips; None if no entry of other go.sum lines was matched, or its contents are unknown.

    Private modules are left out. They are not in the entry, because they are not saved.
    """
    entry = report.restored.entry
    if entry is None or not entry.held or report.plan.key.digest in entry.key:
        return Changes()
    held = (file.module for file in map(file_named, entry.held) if file and file.kind == "zip")
    old = _versions(held)
    withheld = {file.module for file in report.withheld}
    new = _versions(module for module in report.plan.modules if module not in withheld)
    found = [_change(path, old.get(path, ()), new.get(path, ())) for path in old.keys() | new.keys()]
    differing = (change for change in found if change.old != change.new)
    return Changes(tuple(sorted(differing, key=lambda change: (_KINDS.index(change.kind), change.path))))


def _versions(modules: Iterable[ModuleVersion]) -> dict[str, tuple[str, ...]]:
    found = defaultdict(set)
    for module in modules:
        found[module.path].add(module.version)
    return {path: tuple(sorted(versions, key=semver.sort_key)) for path, versions in found.items()}


def _change(path: str, old: tuple[str, ...], new: tuple[str, ...]) -> Change:
    if not old or not new:
        return Change("removed" if old else "added", path, old, new)
    upwards = semver.sort_key(new[-1]) >= semver.sort_key(old[-1])
    return Change("upgraded" if upwards else "downgraded", path, old, new)
