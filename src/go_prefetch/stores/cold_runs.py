"""What was measured of downloading the very files that a store has handed over."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from go_prefetch.model.machine import this_machine
from go_prefetch.model.results import ColdRun


def measured(seconds: float, files: Iterable[str]) -> ColdRun:
    """What was measured here and now of downloading `files` (names)."""
    return ColdRun(seconds, frozenset(files), *this_machine())


def runs_that_cover(runs: Iterable[ColdRun], restored: Collection[str]) -> tuple[ColdRun, ...]:
    """The runs whose files are all among `restored` (names); none if they do not cover all its zips."""
    every, covered = frozenset(restored), set[str]()
    counted: list[ColdRun] = []
    for run in sorted(runs, key=lambda run: len(run.files), reverse=True):
        if run.files <= every and covered.isdisjoint(run.files):  # what was paid for twice counts once
            covered |= run.files
            counted.append(run)
    zips = {name for name in every if name.endswith(".zip")}
    return tuple(counted) if zips and zips <= covered else ()
