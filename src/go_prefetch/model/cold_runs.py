"""Cold runs: when each file was downloaded that a store returns later, and on what kind of machine.

A cold run downloads many files at once, so the seconds of its files do not add up. The time that was spent waiting for
some of them is the length of the union of their spans. Seconds of different kinds of machine are not comparable.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple


class Machine(NamedTuple):
    """What determines how long Go takes for the same files, as far as it is easy to find out."""

    cores: int = 0  # 0: not recorded
    os: str = ""  # as `sys.platform` spells it; empty: not recorded

    def __str__(self) -> str:
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}" if self.cores else "unknown cores"
        return f"{self.os or 'unknown system'} with {cores}"


def this_machine() -> Machine:
    """Return this machine."""
    return Machine(os.cpu_count() or 1, sys.platform)


class Span(NamedTuple):
    """The download of one file: its first request and its last byte, in seconds of its run, and its size."""

    began: float
    ended: float
    bytes: int


def length(spans: Iterable[Span], end: float = math.inf) -> float:
    """Return the seconds before `end` that at least one span covers."""
    seconds = until = 0.0
    for span in sorted(spans):
        seconds += max(0.0, min(span.ended, end) - max(span.began, until))
        until = max(until, span.ended)
    return seconds


@dataclass(frozen=True)
class ColdRun:
    """The measurement of a run that downloaded these files, and its machine."""

    files: Mapping[str, Span]  # by name in GOPROXY layout; perhaps not all that the run downloaded
    seconds: float  # of all files that the run downloaded
    bytes: int
    count: int
    machine: Machine
    verify_seconds: float | None = None  # of Go afterwards; None if other files were there too

    def only(self, names: Collection[str]) -> ColdRun:
        """Return what the run measured of these files."""
        return replace(self, files={name: span for name, span in self.files.items() if name in names})


def measured(files: Mapping[str, Span], verify_seconds: float | None = None) -> ColdRun:
    """Return the measurement of a run on this machine that downloaded `files`."""
    began = min((span.began for span in files.values()), default=0.0)
    moved = {name: Span(span.began - began, span.ended - began, span.bytes) for name, span in files.items()}
    size = sum(span.bytes for span in files.values())
    return ColdRun(moved, length(moved.values()), size, len(moved), this_machine(), verify_seconds)


@dataclass(frozen=True)
class Baseline:
    """What cold runs tell about downloading the files that a store returned."""

    seconds: float  # with at least one of the files on its way, as if the runs had begun at the same moment
    estimate: float  # in proportion to the bytes of the files
    modules: int  # whose zips were measured
    modules_restored: int
    is_minimum: bool  # whether downloading all of the files may have taken longer than `seconds`
    runs: int
    machines: tuple[Machine, ...]
    verify_seconds: float | None = None

    def plus(self, later: Baseline) -> Baseline:
        """Return what is known of two answers of a store together: at least the longer of the two."""
        return Baseline(
            seconds=max(self.seconds, later.seconds),
            estimate=max(self.estimate, later.estimate),
            modules=self.modules + later.modules,
            modules_restored=self.modules_restored + later.modules_restored,
            is_minimum=True,
            runs=max(self.runs, later.runs),
            machines=tuple(dict.fromkeys((*self.machines, *later.machines))),
        )


def not_measured(restored: Iterable[str]) -> Baseline:
    """Return that no cold run has measured the files of these names."""
    zips = sum(name.endswith(".zip") for name in restored)
    return Baseline(0.0, 0.0, modules=0, modules_restored=zips, is_minimum=True, runs=0, machines=())


def distinct(runs: Iterable[ColdRun], names: Iterable[str]) -> list[ColdRun]:
    """Return what the runs measured of the files of these names. Each counts once, in the first run that has it."""
    lacking, kept = set(names), list[ColdRun]()
    for run in runs:
        part = run.only(lacking)
        if part.files:
            kept.append(part)
            lacking -= part.files.keys()
    return kept


def baseline(runs: Iterable[ColdRun], restored: Collection[str]) -> Baseline | None:
    """Return what the runs tell about the files of these names; None if they measured none of their zips.

    A file that several runs downloaded counts once, in the run with more of the files.
    """
    lacking, spans, counted, estimate = set(restored), dict[str, Span](), list[ColdRun](), 0.0
    for run in sorted((run.only(lacking) for run in runs), key=lambda run: len(run.files), reverse=True):
        part = run.only(lacking)
        if part.files:
            counted.append(part)
            spans.update(part.files)
            lacking -= part.files.keys()
            share = sum(span.bytes for span in part.files.values()) / max(1, run.bytes)
            estimate = max(estimate, run.seconds * min(1.0, share))
    zips = {name for name in restored if name.endswith(".zip")}
    noted = len(zips & spans.keys())
    if not noted:
        return None
    is_minimum = noted < len(zips) or len(counted) > 1 or len(counted[0].files) < counted[0].count
    return Baseline(
        seconds=length(spans.values()),
        estimate=estimate,
        modules=noted,
        modules_restored=len(zips),
        is_minimum=is_minimum,
        runs=len(counted),
        machines=tuple(dict.fromkeys(run.machine for run in counted)),
        verify_seconds=None if is_minimum else counted[0].verify_seconds,
    )
