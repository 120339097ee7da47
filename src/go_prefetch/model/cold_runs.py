"""Cold runs: the cost of downloading the files that a store returns later, and on what kind of machine.

Seconds of different kinds of machine are not comparable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ColdRun:
    """The measurement of a run that downloaded exactly these files, and its machine."""

    seconds: float
    files: frozenset[str]  # names in GOPROXY layout
    cores: int = 0  # 0: not recorded
    os: str = ""

    @property
    def machine(self) -> Machine:
        """Return the machine that it was measured on."""
        return Machine(self.cores, self.os)


def measured(seconds: float, files: Iterable[str]) -> ColdRun:
    """Return a measurement on this machine, of downloading `files` (names)."""
    return ColdRun(seconds, frozenset(files), *this_machine())


def runs_that_cover(runs: Iterable[ColdRun], restored: Collection[str]) -> tuple[ColdRun, ...]:
    """Return the runs whose files are all in `restored` (names); none if they do not cover all its zips."""
    every, covered = frozenset(restored), set[str]()
    counted: list[ColdRun] = []
    for run in sorted(runs, key=lambda run: len(run.files), reverse=True):
        if run.files <= every and covered.isdisjoint(run.files):  # files that two runs downloaded count once
            covered |= run.files
            counted.append(run)
    zips = {name for name in every if name.endswith(".zip")}
    return tuple(counted) if zips and zips <= covered else ()
