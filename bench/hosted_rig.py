"""Jobs of a hosted runner: GitHub's own client and go-prefetch, the tests' cache service, and a slow module proxy."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cacheservice import CacheService, Job, Traffic, running
from figures import Rows
from go_prefetch.config.kinds import duration
from officialclient import OfficialClient
from realproject import BenchError, Project
from rig import (
    Contender,
    Rig,
    check_report,
    contents,
    environment,
    hide_zstd_module,
    nothing,
    scratch_folder,
    slow_proxy,
    taken,
)

HERE = Path(__file__).resolve().parent
DOWNLOAD = ["go", "mod", "download"]
NO_NETWORK = {"GOPROXY": "off"}
STEPS = {"verify": "admit", "go mod download": "complete"}  # where the report names a step in another way


@dataclass(frozen=True)
class Projects:
    """One project in three versions."""

    older: Project
    newer: Project  # much of it has changed
    changed: Project  # the older one with one other dependency


@dataclass(frozen=True)
class Part:
    """What a part has measured: tables by their titles, and what else goes into the JSON file."""

    conditions: dict[str, object]
    tables: dict[str, Rows]
    notes: dict[str, object]


@dataclass(frozen=True)
class Noted:
    """What was noted of each run, by label a value of each round."""

    asked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # the service's counts
    peaks: dict[str, list[float]] = field(default_factory=dict)  # MB of our Python
    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # our --report-file
    held: dict[str, set[str]] = field(default_factory=dict)  # zips and trees, after the first round

    def and_those_of(self, other: Noted) -> Noted:
        """Return both together; no label is in both."""
        return Noted(
            self.asked | other.asked, self.peaks | other.peaks, self.reports | other.reports, self.held | other.held
        )

    def calls(self, label: str) -> list[int]:
        """Return how many requests the service itself had in each round, not its blobs."""
        routes = [one["routes"] for one in self.asked[label]]
        return [sum(number for route, number in each.items() if not route.startswith("blob.")) for each in routes]

    def steps(self, label: str) -> dict[str, list[float]]:
        """Return the seconds of each step, as the reports of our run have them. Steps may overlap."""
        names = ("plan", "restore", "download", "verify", "go mod download", "save")
        return {name: [told[STEPS.get(name, name)]["seconds"] for told in self.reports[label]] for name in names}

    def check(self, label: str, result: str) -> None:
        """Fail unless each run of ours was one with this cache result. See check_report."""
        for told in self.reports[label]:
            check_report(label, told, result)

    def tables(self) -> dict[str, Rows]:
        """Return the tables of the service's counts and of memory, without rows that are 0 in each round."""
        return {
            "calls to the service": {label: calls for label in self.asked if any(calls := self.calls(label))},
            "MB from the service": self._counted("out", 1e6),
            "MB to the service": self._counted("in", 1e6),
            "ranges read": self._counted("ranges"),
            "most requests at once": self._counted("at-once"),
            "peak MB of our Python": self.peaks,
        }

    def _counted(self, what: str, unit: float = 1) -> dict[str, list[float]]:
        counted = {label: [one[what] / unit for one in rounds] for label, rounds in self.asked.items()}
        return {label: values for label, values in counted.items() if any(values)}


@dataclass(frozen=True)
class Hosted:
    """Where jobs run: `environ` is theirs, without GOPROXY."""

    scratch: Path
    client: OfficialClient
    service: CacheService
    proxy: Path  # what the proxy serves
    proxy_url: str
    environ: dict[str, str]

    def rig(self, fetched: Project) -> Rig:
        """Make a copy of the project; what runs in it gets its modules from the proxy."""
        folder = self.scratch / f"project-{fetched.folder.parent.name}"
        if not folder.exists():
            shutil.copytree(fetched.folder, folder)
        return Rig(folder, self.proxy_url, {**self.environ, "GOPROXY": self.proxy_url}, self.scratch, self.scratch)

    def official(self, label: str, *commands: list[str], before: Callable[[Path], None] = nothing) -> Contender:
        """Return commands of GitHub's client and of Go."""
        job = Job(self.scratch / "runner", self.service.url_for_official)
        return Contender(label, list(commands), self.client.environ(job, self.service.authority), before)

    def ours(
        self, label: str, *flags: str, number: int = 2, store: str = "github", before: Callable[[Path], None] = nothing
    ) -> Contender:
        """Return `go-prefetch run` in the job of this number. It notes its peak memory, and writes its report."""
        noting = [sys.executable, str(HERE / "peak.py"), str(self.scratch / "peak.json"), "-m", "go_prefetch"]
        run = [*noting, "run", "--store", store, "--report-file", str(self.scratch / "run.json"), *flags]
        return Contender(label, [run], Job(self.scratch / "runner", self.service.url, number).environ(), before)

    def fill_by_official(self, rig: Rig, key: str) -> None:
        """Let GitHub's client save the whole module cache of the project under a key."""
        with rig.module_cache() as module_cache:
            self.fill_by_go(rig, module_cache)
            rig.run_all(self.official("fill", self.client.command("save", key)), module_cache)

    def fill_by_go(self, rig: Rig, module_cache: Path) -> None:
        """Let Go fill a module cache with what the project needs, without the network."""
        rig.run(DOWNLOAD, {"GOMODCACHE": str(module_cache), "GOPROXY": f"file://{self.proxy}"})

    def fill_by_us(self, rig: Rig) -> None:
        """Let a run with nothing cached save the full entry of the project, in job 1."""
        with rig.module_cache() as module_cache:
            rig.run_all(self.ours("fill", "--goproxy", f"file://{self.proxy}", number=1), module_cache)
        told = taken(self.scratch / "run.json")
        if "-full-" not in told["save"]["key"]:
            raise BenchError(f"go-prefetch has saved no full entry: {told['save']}")

    def take_turns(self, rig: Rig, compared: Sequence[Contender], rounds: int) -> tuple[dict[str, list[float]], Noted]:
        """Time all; each must leave what `go mod download` finds complete without the network."""
        noted = Noted()
        self.service.counts(clear=True)
        taken(self.scratch / "run.json")  # of a run that has filled something

        def look(contender: Contender, module_cache: Path, number: int) -> None:
            label = contender.label
            noted.asked.setdefault(label, []).append(self.service.counts(clear=True))
            rig.run(DOWNLOAD, {"GOMODCACHE": str(module_cache), **NO_NETWORK})
            if number == 0:
                noted.held[label] = contents(module_cache)
            if told := taken(self.scratch / "run.json"):
                noted.reports.setdefault(label, []).append(told)
                noted.peaks.setdefault(label, []).append(taken(self.scratch / "peak.json")["python"])

        return rig.take_turns(compared, rounds, look), noted


@contextlib.contextmanager
def hosted(options: argparse.Namespace, client: OfficialClient, *fetched: Project) -> Iterator[Hosted]:
    """Start an empty service and a proxy that has what these projects need."""
    where = options.scratch_dir or scratch_folder(sum(one.count()[1] for one in fetched))
    with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as temporary:
        scratch = Path(temporary).resolve()
        proxy = scratch / "proxy"
        for one in fetched:
            shutil.copytree(one.proxy, proxy, dirs_exist_ok=True)
        latency = 0 if options.latency in ("0", "0s") else duration(options.latency)
        traffic = Traffic(latency, options.stream_rate, options.link_rate)
        with (
            running(scratch, traffic) as service,
            slow_proxy(proxy, options.proxy_latency, options.proxy_rate, options.link_rate) as server,
        ):
            trusted = scratch / "trusted.pem"
            trusted.write_bytes(server.certificate.read_bytes() + service.authority.read_bytes())
            environ = environment("off", trusted)
            if options.zstd == "program":
                hidden = str(hide_zstd_module(scratch))
                environ["PYTHONPATH"] = os.pathsep.join([hidden, environ.get("PYTHONPATH", "")])
            yield Hosted(scratch, client, service, proxy, server.url, environ)
