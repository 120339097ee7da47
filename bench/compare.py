"""Three jobs of a project, one after the other, with plain Go, with setup-go's cache and with go-prefetch."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cacheservice import CacheService, Job, Traffic, running
from commandline import add_project, machine
from officialclient import OfficialClient, installed
from realproject import BenchError, Project, fetch
from rig import (
    Contender,
    Rig,
    check_report,
    contents,
    environment,
    hide_zstd_module,
    scratch_folder,
    slow_proxy,
)

if TYPE_CHECKING:
    from tests.support.fakes.go_proxy import GoProxy

PLAIN, SETUP_GO, PREFETCH = "plain Go", "setup-go's cache", "go-prefetch"
NOTHING, UNCHANGED, FULL, CHANGED = "nothing cached", "go.sum unchanged", "module cache full", "go.sum changed"
RESULTS = {NOTHING: "miss", UNCHANGED: "exact", FULL: "present", CHANGED: "partial"}
DOWNLOAD = ["go", "mod", "download"]

EPILOG = """\
Each way runs these jobs in order, all with one cache service, empty at first:
  nothing cached     the older version of the project, with an empty module cache
  go.sum unchanged   the same again
  module cache full  the same again, on a machine that has kept the module cache of the job before
  go.sum changed     the newer version, with an empty module cache

Each way ends with a full module cache:
  plain Go           go mod download
  setup-go's cache   what actions/setup-go does for modules with `cache: true`: its client (@actions/cache) restores the
                     whole module cache under a key of the dependency file, exact or nothing; go mod download; the
                     client saves the module cache if the key was not found
  go-prefetch        go-prefetch run --store github

Seconds include restoring and saving. Megabytes are those that the proxy and the service sent and received. The ways
take turns, and the order rotates from round to round. At last the first two jobs run over a link without any limit of
bytes, of which the second is printed.

The proxy and the service are the tests' own, on this machine. Seconds move with the machine; ratios of one run count.
It needs node, npm, GNU tar and zstd besides Python and Go.

examples:
  bench/compare.py                     caddy v2.11.2, then v2.11.3: 59 of 166 zips are other ones
  bench/compare.py --rounds 5 --json compare.json
  bench/compare.py github.com/cli/cli/v2@v2.60.0 --newer v2.61.0
"""


@dataclass(frozen=True)
class Network:
    """What proxy and service take to answer, and millions of bytes per second; 0: no limit."""

    proxy_latency: int  # milliseconds
    proxy_rate: float  # of one response
    service_latency: int
    service_rate: float
    link_rate: float  # of all responses of one of them

    def proxy(self, folder: Path) -> GoProxy:
        """Return a proxy of the folder, which counts what it sends."""
        return slow_proxy(folder, f"{self.proxy_latency}ms", self.proxy_rate, self.link_rate, "-log")

    def traffic(self) -> Traffic:
        """Return what makes the fake service slow."""
        return Traffic(self.service_latency / 1000, self.service_rate, self.link_rate)


@dataclass(frozen=True)
class Cost:
    """What one job cost."""

    seconds: float
    cpu: float
    megabytes: float
    held: frozenset[str]  # zips and trees


@dataclass(frozen=True)
class Stage:
    """What all stories of a run share."""

    scratch: Path
    proxy: Path  # all modules of both versions
    older: Path
    newer: Path
    client: OfficialClient


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add_project(parser, "github.com/caddyserver/caddy/v2@v2.11.2")
    add = parser.add_argument
    add("--newer", default="v2.11.3", help="the version of the last job (%(default)s)")
    add("--rounds", type=int, default=3, metavar="N", help="times that each story runs (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    add("--proxy-latency", type=int, default=50, metavar="MS", help="the proxy's wait before a response (%(default)s)")
    add("--proxy-rate", type=float, default=30, metavar="MB/s", help="of one response of the proxy (%(default)s)")
    add("--service-latency", type=int, default=220, metavar="MS", help="the same of the service (%(default)s)")
    add("--service-rate", type=float, default=23, metavar="MB/s", help="of one request to the service (%(default)s)")
    add("--link-rate", type=float, default=100, metavar="MB/s", help="of all requests together (%(default)s)")
    return parser.parse_args()


@dataclass(frozen=True)
class Story:
    """The jobs of one way, with a cache service of their own."""

    way: str
    stage: Stage
    network: Network
    service: CacheService
    costs: dict[str, Cost] = field(default_factory=dict)

    def run(self, *jobs: str) -> None:
        """Run jobs one after the other on one machine, whose module cache is empty at first."""
        project = self.stage.newer if CHANGED in jobs else self.stage.older
        nowhere = Rig(project, "", environment("off", self.service.authority), self.stage.scratch, self.stage.scratch)
        with nowhere.module_cache() as module_cache:
            for job in jobs:
                with self.network.proxy(self.stage.proxy) as proxy:
                    seconds, cpu = self._measured(job, replace(nowhere, environ=self._environ(proxy)), module_cache)
                held = frozenset(contents(module_cache))
                self.costs[job] = Cost(seconds, cpu, self._moved(proxy) / 1e6, held)
                print(f"{self.way}, {job}: {seconds:.2f} s (load {os.getloadavg()[0]:.1f})", file=sys.stderr)

    def _environ(self, proxy: GoProxy) -> dict[str, str]:
        trusted = self.stage.scratch / "trusted.pem"
        trusted.write_bytes(proxy.certificate.read_bytes() + self.service.authority.read_bytes())
        environ = environment(proxy.url, trusted)
        environ["PYTHONPATH"] = os.pathsep.join([str(self.stage.scratch / "shadow"), environ.get("PYTHONPATH", "")])
        url = self.service.url_for_official if self.way == SETUP_GO else self.service.url
        runner = Job(self.stage.scratch / "runner", url, number=len(self.costs) + 1)
        return environ if self.way == PLAIN else {**environ, **self.stage.client.environ(runner, trusted)}

    def _measured(self, job: str, rig: Rig, module_cache: Path) -> tuple[float, float]:
        """Return the seconds of a job and of its processors; fail if it is not what it is there to show."""
        self.service.counts(clear=True)
        seconds = rig.measure(Contender(self.way, self._commands(job), {}), module_cache)
        rig.run(DOWNLOAD, {"GOMODCACHE": str(module_cache), "GOPROXY": "off"})
        if self.way == PREFETCH:
            told = json.loads((self.stage.scratch / "run.json").read_text(encoding="utf-8"))
            check_report(job, told, RESULTS[job])
        return seconds, rig.cpu[self.way][-1]

    def _commands(self, job: str) -> list[list[str]]:
        if self.way == PLAIN:
            return [DOWNLOAD]
        if self.way == PREFETCH:
            report = str(self.stage.scratch / "run.json")
            return [[sys.executable, "-m", "go_prefetch", "run", "--store", "github", "--report-file", report]]
        key = "newer" if job == CHANGED else "older"
        restore = self.stage.client.command("restore", key)
        if job in (UNCHANGED, FULL):
            return [restore, DOWNLOAD]
        return [["sh", "-c", f"! {shlex.join(restore)}"], DOWNLOAD, self.stage.client.command("save", key)]

    def _moved(self, proxy: GoProxy) -> int:
        """Return the bytes that the service and the proxy have sent and received."""
        asked = self.service.counts()
        return int(asked["in"] + asked["out"]) + sum(sent(self.stage.proxy, path) for _, path in proxy.requests)


def story(way: str, stage: Stage, network: Network, *, whole: bool) -> dict[str, Cost]:
    """Run all jobs of one way, or the first two; return what each cost."""
    with running(stage.scratch, network.traffic()) as service:
        told = Story(way, stage, network, service)
        told.run(NOTHING)
        told.run(UNCHANGED, *([FULL] if whole else []))
        if whole:
            told.run(CHANGED)
    return told.costs


def sent(proxy: Path, path: str) -> int:
    """Return the size of what the proxy sends for a path."""
    file = proxy / unquote(path).lstrip("/")
    return file.stat().st_size if file.is_file() else 0


def check_same(costs: dict[str, dict[str, Cost]]) -> None:
    """Fail unless all ways have left the same zips and trees."""
    for job in costs[PREFETCH]:
        if len({of_way[job].held for of_way in costs.values()}) > 1:
            raise BenchError(f"{job}: the ways differ in zips or trees")


def measure(stage: Stage, network: Network, rounds: int, *, whole: bool = True) -> list[dict[str, dict[str, Cost]]]:
    """Return for each round what each job of each way cost."""
    ways, measured = [PLAIN, SETUP_GO, PREFETCH], []
    for number in range(rounds):
        shift = number % len(ways)
        costs = {way: story(way, stage, network, whole=whole) for way in (*ways[shift:], *ways[:shift])}
        check_same(costs)
        measured.append(costs)
    return measured


def table(rows: dict[str, list[dict[str, Cost]]]) -> str:
    """Lay out the medians, a line for each job: seconds, and megabytes moved."""
    lines = [f"| | {PLAIN} | {SETUP_GO} | {PREFETCH} |", "|---|---:|---:|---:|"]
    for label, measured in rows.items():
        cells = []
        for way in (PLAIN, SETUP_GO, PREFETCH):
            seconds = statistics.median(costs[way].seconds for costs in measured)
            megabytes = statistics.median(costs[way].megabytes for costs in measured)
            cells.append(f"{seconds:.1f} s, {megabytes:.0f} MB")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(rows: dict[str, list[dict[str, Cost]]]) -> str:
    """Lay out least and most seconds, CPU seconds, and the ratio to the other ways in each round."""
    lines = []
    for label, measured in rows.items():
        for way in (PLAIN, SETUP_GO, PREFETCH):
            seconds = [costs[way].seconds for costs in measured]
            ratios = [costs[PREFETCH].seconds / costs[way].seconds for costs in measured]
            cpu = statistics.median(costs[way].cpu for costs in measured)
            lines.append(
                f"{label:<38}{way:<18}{min(seconds):6.2f} to {max(seconds):6.2f} s, {cpu:6.2f} s of processors, "
                f"go-prefetch takes {statistics.median(ratios):.2f} of it"
            )
    return "\n".join(lines)


def prepared(fetched: list[Project], client: OfficialClient, scratch: Path) -> Stage:
    """Copy the projects and put the modules of both into one proxy."""
    older, newer = (Path(shutil.copytree(one.folder, scratch / name)) for name, one in zip("ab", fetched, strict=True))
    for one in fetched:
        shutil.copytree(one.proxy, scratch / "proxy", dirs_exist_ok=True)
    hide_zstd_module(scratch)
    return Stage(scratch, scratch / "proxy", older, newer, client)


def main() -> None:
    """Fetch both versions and the client, measure, report."""
    options = parse_arguments()
    cache = options.cache_dir.expanduser().resolve()
    limited = Network(
        options.proxy_latency, options.proxy_rate, options.service_latency, options.service_rate, options.link_rate
    )
    path, _, _ = options.module.partition("@")
    try:
        client = installed(cache)
        fetched = [fetch(options.module, cache), fetch(f"{path}@{options.newer}", cache)]
        where = options.scratch_dir or scratch_folder(2 * fetched[0].count()[1])
        with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as scratch:
            stage = prepared(fetched, client, Path(scratch).resolve())
            measured = measure(stage, limited, options.rounds)
            no_limit = replace(limited, proxy_rate=0, service_rate=0, link_rate=0)
            unlimited = measure(stage, no_limit, options.rounds, whole=False)
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/compare.py: {failed}")
    stories = {job: [{way: of_way[job] for way, of_way in costs.items()} for costs in measured] for job in RESULTS}
    free = [{way: of_way[UNCHANGED] for way, of_way in costs.items()} for costs in unlimited]
    report(options, limited, fetched, {**stories, f"{UNCHANGED}, link without limit": free})


def report(
    options: argparse.Namespace, network: Network, fetched: list[Project], rows: dict[str, list[dict[str, Cost]]]
) -> None:
    """Print conditions, table and spread; write them as JSON if asked."""
    zips = [one.zips() for one in fetched]
    told = {
        "module": f"{options.module}, {options.newer}", "zips": len(zips[1]), "changed": len(zips[1] - zips[0]),
        "megabytes": round(fetched[1].count()[1] / 1e6, 1), **asdict(network), "rounds": options.rounds,
        **machine(),
    }  # fmt: skip
    print(", ".join(f"{name} {value}" for name, value in told.items()), end="\n\n")
    print(table(rows), spread(rows), sep="\n\n")
    if options.json:
        figures = {
            label: [
                {way: {"seconds": c.seconds, "cpu": c.cpu, "megabytes": c.megabytes} for way, c in costs.items()}
                for costs in measured
            ]
            for label, measured in rows.items()
        }
        options.json.write_text(json.dumps({"conditions": told, "rounds": figures}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
