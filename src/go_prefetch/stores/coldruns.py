"""What was measured of downloading the very files that a store has handed over."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from go_prefetch.results import ColdRun


def cold_seconds(runs: Iterable[ColdRun], restored: Collection[str]) -> float | None:
    """Seconds of the runs whose files are all among `restored` (names); None if they do not cover all its zips."""
    covered: set[str] = set()
    seconds = 0.0
    for run in sorted(runs, key=lambda run: len(run.files), reverse=True):
        if run.files <= set(restored) and covered.isdisjoint(run.files):  # what was paid for twice counts once
            covered |= run.files
            seconds += run.seconds
    zips = {name for name in restored if name.endswith(".zip")}
    return seconds if zips and zips <= covered else None
