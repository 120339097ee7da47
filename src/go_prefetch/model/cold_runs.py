"""Cold runs: what it cost to download the files that a store hands over later, and on what kind of machine.

Seconds of another kind of machine are no measure.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Machine(NamedTuple):
    """What decides how long Go takes over the same files, as far as it is easily told."""

    cores: int = 0  # 0: not noted
    os: str = ""  # as `sys.platform` spells it; empty: not noted

    def __str__(self) -> str:
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}" if self.cores else "unknown cores"
        return f"{self.os or 'unknown system'} with {cores}"


def this_machine() -> Machine:
    """The one we run on."""
    return Machine(os.cpu_count() or 1, sys.platform)


@dataclass(frozen=True)
class ColdRun:
    """What a run measured that downloaded exactly these files, and on what machine."""

    seconds: float
    files: frozenset[str]  # names in GOPROXY layout
    cores: int = 0  # 0: not noted
    os: str = ""

    @property
    def machine(self) -> Machine:
        """What it was measured on."""
        return Machine(self.cores, self.os)


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
