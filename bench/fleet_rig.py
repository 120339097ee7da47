"""Jobs of a fleet: a project, a slow module proxy, one SeaweedFS, and go-prefetch with its pool there."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bucketserver import BucketServer, bucket_server
from figures import Rows
from hosted_rig import STEPS
from realproject import BenchError, Project
from rig import Contender, Rig, assembled, check_report, contents, nothing, taken

HERE = Path(__file__).resolve().parent
DOWNLOAD = ["go", "mod", "download"]
NO_NETWORK = {"GOPROXY": "off"}


@dataclass(frozen=True)
class Noted:
    """What was noted of each run, by label a value of each round."""

    requests: dict[str, list[float]] = field(default_factory=dict)
    megabytes: dict[str, list[float]] = field(default_factory=dict)  # of objects that the server sent
    peaks: dict[str, list[float]] = field(default_factory=dict)  # MB of our Python
    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # our --report-file
    held: dict[str, set[str]] = field(default_factory=dict)  # zips and trees, after the first round

    def check(self, label: str, result: str) -> None:
        """Fail unless each run of ours was one with this cache result. See check_report."""
        for told in self.reports[label]:
            check_report(label, told, result)

    def steps(self, label: str) -> dict[str, list[float]]:
        """Return the seconds of each step, as the reports of our run have them. Steps may overlap."""
        names = ("plan", "restore", "verify", "go mod download")
        return {name: [told[STEPS.get(name, name)]["seconds"] for told in self.reports[label]] for name in names}

    def tables(self) -> dict[str, Rows]:
        """Return the tables of what the server has counted, and of memory."""
        return {
            "requests to the server": self.requests,
            "MB from the server": self.megabytes,
            "peak MB of our Python": self.peaks,
        }


@dataclass(frozen=True)
class Fleet:
    """Where jobs run."""

    rig: Rig
    server: BucketServer

    @property
    def report(self) -> Path:
        """Where a run of go-prefetch writes its report."""
        return self.rig.scratch / "run.json"

    def ours(
        self, label: str, *flags: str, store: str = "", url: str = "", before: Callable[[Path], None] = nothing
    ) -> Contender:
        """Return `go-prefetch run` with the pool, reached at `url`. It notes its peak memory, and writes its report."""
        noting = [sys.executable, str(HERE / "peak.py"), str(self.rig.scratch / "peak.json"), "-m", "go_prefetch"]
        run = [*noting, "run", "--store", store or self.server.store, "--report-file", str(self.report), "--quiet"]
        return Contender(label, [[*run, *flags]], self.server.environ(url), before)

    def fill(self) -> None:
        """Let a job with nothing cached save all modules to the pool, past any link."""
        with self.rig.module_cache() as module_cache:
            self.rig.run_all(self.ours("fill", "--goproxy", f"file://{self.rig.scratch / 'proxy'}"), module_cache)
        told = taken(self.report)
        check_report("fill", told, "miss")
        if told["save"]["files"] != told["download"]["files"]:
            raise BenchError(f"the pool was not filled: {told['save']}")

    def take_turns(self, compared: Sequence[Contender], rounds: int) -> tuple[dict[str, list[float]], Noted]:
        """Time all. Each must leave what `go mod download` finds complete without the network, and the same."""
        noted, before = Noted(), [self.server.counts()]
        taken(self.rig.scratch / "peak.json")  # of a run that has filled something

        def look(contender: Contender, module_cache: Path, number: int) -> None:
            label, counts = contender.label, self.server.counts()
            asked, before[0] = counts - before[0], counts
            noted.requests.setdefault(label, []).append(asked.requests.total())
            noted.megabytes.setdefault(label, []).append(asked.sent / 1e6)
            self.rig.run(DOWNLOAD, {"GOMODCACHE": str(module_cache), **NO_NETWORK})
            if number == 0:
                noted.held[label] = contents(module_cache)
            if told := taken(self.report):
                noted.reports.setdefault(label, []).append(told)
                noted.peaks.setdefault(label, []).append(taken(self.rig.scratch / "peak.json")["python"])

        return self.rig.take_turns(compared, rounds, look), noted


@contextlib.contextmanager
def fleet(options: argparse.Namespace, fetched: Project) -> Iterator[Fleet]:
    """Start a server with an empty bucket, and a proxy that has what the project needs."""
    with assembled(options, fetched) as rig, bucket_server(rig.scratch) as server:
        yield Fleet(rig, server)
