"""An exact hit on a hosted runner: GitHub's own client with the whole module cache, beside `go-prefetch run`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cacheservice import CacheService, Job, Traffic, running
from go_prefetch.config.kinds import duration
from officialclient import OfficialClient, installed
from realproject import BenchError, Project, fetch
from rig import (
    Contender,
    Rig,
    add_options,
    add_rounds,
    by_other,
    check_same,
    conditions,
    contents,
    environment,
    parsed,
    scratch_folder,
)

HERE = Path(__file__).resolve().parent
OFFICIAL, OURS = "a  official client, go mod download", "b  go-prefetch run, store github"
FROM_FOLDER = "c  go-prefetch run, store dir:"
OTHER = "d  b by --other"
DOWNLOAD = ["go", "mod", "download"]
NO_NETWORK = {"GOPROXY": "off"}
KEY = "whole-tree"
MOST_CALLS = 5  # of ours to the service, for an exact hit

EPILOG = """\
What is compared, each into a fresh module cache, the order rotating from round to round:
  a  restoreCache of GitHub's own client (@actions/cache, as actions/cache and setup-go use it) for the whole module
     cache, tar + zstd, saved before by the same client; then GOPROXY=off go mod download
  b  go-prefetch run --store github --goproxy off, from an entry that a run with nothing cached has saved before

To tell b's seconds apart, and compared with nothing:
  c  go-prefetch run --store dir:POOL, POOL holding the very zips that b restores: b without a network

a and b ask the tests' own fake of the service (tests/support/fakes/cache_service), in a process of its own and as slow
as GitHub's service was measured: a wait before each answer, a rate for each request, a rate for all. a gets blob URLs
of *.blob.core.windows.net, which a preloaded script maps to 127.0.0.1: from other hosts the official client would read
one stream. b gets the same blobs at 127.0.0.1. a checks nothing; after b Go has checked all.

Seconds move with the machine. Compare only what one run of this program has printed: the ratios.

It needs node, npm, GNU tar and zstd besides Python and Go. The first run installs the official client as
bench/official/package-lock.json says, and fetches the project.

examples:
  bench/hosted.py                                   caddy, 220 ms, 23 MB/s a request, 100 MB/s in all, three rounds
  bench/hosted.py --rounds 5 --json hosted.json
  bench/hosted.py --link-rate 50
  bench/hosted.py --zstd python                     with the zstd module of Python 3.14 (here: backports.zstd)
  bench/hosted.py github.com/cli/cli/v2@v2.60.0
"""


@dataclass
class Figures:
    """What was measured, by label a value of each round."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    asked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # the server's counts
    peaks: list[float] = field(default_factory=list)  # MB of our Python
    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # our --report-file
    entries: list[dict[str, Any]] = field(default_factory=list)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add_options(parser, module="github.com/caddyserver/caddy/v2@v2.11.1")
    add_rounds(parser)
    add = parser.add_argument
    add("--latency", default="220ms", help="the service's wait before each answer, as Go writes it (%(default)s)")
    add("--stream-rate", type=float, default=23, metavar="MB/s", help="of one request; 0: no limit (%(default)s)")
    add("--link-rate", type=float, default=100, metavar="MB/s", help="of all requests; 0: no limit (%(default)s)")
    add("--zstd", choices=("program", "python"), default="program",
        help="what go-prefetch finds: the program, as on hosted runners, or a module too (%(default)s)")  # fmt: skip
    return parsed(parser, arguments)


@contextlib.contextmanager
def assembled(options: argparse.Namespace, fetched: Project) -> Iterator[tuple[Rig, CacheService]]:
    """Put a copy of the project, the running service and the environment together."""
    where = options.scratch_dir or scratch_folder(fetched.count()[1])
    with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as temporary:
        scratch = Path(temporary).resolve()
        project = Path(shutil.copytree(fetched.folder, scratch / "project"))
        latency = 0 if options.latency in ("0", "0s") else duration(options.latency)
        traffic = Traffic(latency, options.stream_rate, options.link_rate)
        with running(scratch, traffic) as service:
            environ = environment("off", service.authority)
            if options.zstd == "program":
                environ["PYTHONPATH"] = os.pathsep.join([str(shadowed(scratch)), environ.get("PYTHONPATH", "")])
            yield Rig(project, service.url, environ, scratch, scratch), service


def shadowed(scratch: Path) -> Path:
    """Make a folder that hides backports.zstd: hosted runners do not have it."""
    package = scratch / "shadow" / "backports"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parent


def contenders(rig: Rig, service: CacheService, client: OfficialClient, other: Path | None) -> list[Contender]:
    """Return a, b and c, and d if there is another checkout."""
    theirs = client.environ(Job(rig.scratch / "runner", service.url_for_official), service.authority)
    ours = Job(rig.scratch / "runner", service.url, number=2).environ()
    by_us = Contender(OURS, [prefetch(rig, "off")], {**ours, **NO_NETWORK})
    return [
        Contender(OFFICIAL, [client.command("restore", KEY), DOWNLOAD], {**theirs, **NO_NETWORK}),
        by_us,
        Contender(FROM_FOLDER, [prefetch(rig, "off", store=f"dir:{rig.scratch / 'pool'}")], NO_NETWORK),
        *([by_other(rig, by_us, OTHER, other)] if other else []),
    ]


def prefetch(rig: Rig, goproxy: str, *, store: str = "github") -> list[str]:
    """`go-prefetch run` with this store, noting its peak memory and writing its report."""
    noting = [sys.executable, str(HERE / "peak.py"), str(rig.scratch / "peak.json"), "-m", "go_prefetch"]
    return [*noting, "run", "--store", store, "--goproxy", goproxy, "--report-file", str(rig.scratch / "run.json")]


def save(rig: Rig, service: CacheService, client: OfficialClient, proxy: Path) -> None:
    """Fill the service: with nothing cached, a run of ours, and then the official client for the same module cache.

    And the pool of c, with what a run of ours restores.
    """
    with rig.module_cache() as module_cache:
        folder = {"GOMODCACHE": str(module_cache)}
        ours = Job(rig.scratch / "runner", service.url).environ()
        rig.run(prefetch(rig, f"file://{proxy}"), {**ours, **folder})
        saved = json.loads((rig.scratch / "run.json").read_text(encoding="utf-8"))["save"]
        if not saved["key"]:
            raise BenchError(f"go-prefetch has saved nothing: {saved['skipped_reason']}")
    with rig.module_cache() as module_cache:
        folder = {"GOMODCACHE": str(module_cache)}
        rig.run(DOWNLOAD, {**folder, "GOPROXY": f"file://{proxy}"})
        theirs = client.environ(Job(rig.scratch / "runner", service.url_for_official), service.authority)
        rig.run(client.command("save", KEY), {**theirs, **folder})
    with rig.module_cache() as module_cache:
        rig.run(prefetch(rig, "off"), {**ours, "GOMODCACHE": str(module_cache)})
        shutil.copytree(module_cache / "cache" / "download", rig.scratch / "pool", copy_function=os.link)


def measure(options: argparse.Namespace, rig: Rig, service: CacheService, client: OfficialClient) -> Figures:
    """Time all; each must leave what `go mod download` finds complete, a and b the same zips and trees."""
    figures, held = Figures(entries=service.entries()), {}
    compared = contenders(rig, service, client, options.other)
    service.counts(clear=True)

    def look(contender: Contender, module_cache: Path, number: int) -> None:
        figures.asked.setdefault(contender.label, []).append(service.counts(clear=True))
        rig.run(DOWNLOAD, {"GOMODCACHE": str(module_cache), **NO_NETWORK})
        if number == 0:
            held[contender.label] = contents(module_cache)
        if contender.label == OURS:
            figures.peaks.append(json.loads((rig.scratch / "peak.json").read_text())["python"])
        if contender.label != OFFICIAL:
            told = json.loads((rig.scratch / "run.json").read_text(encoding="utf-8"))
            figures.reports.setdefault(contender.label, []).append(told)

    figures.seconds = rig.take_turns(compared, options.rounds, look)
    figures.cpu = rig.cpu
    check_same(compared[0], compared[1], held)
    check(figures)
    return figures


def check(figures: Figures) -> None:
    """Fail unless each run was what it is compared as: ranges for a, exact hits for b and c, for b with few calls."""
    for told in (*figures.reports[OURS], *figures.reports[FROM_FOLDER]):
        if told["outputs"]["cache-result"] != "exact" or told["warnings"]:
            raise BenchError(f"not an exact hit: {told['outputs']['cache-result']}, {told['warnings']}")
    for asked in figures.asked[OFFICIAL]:
        if asked["ranges"] < 2 or asked["at-once"] < 2:
            raise BenchError(f"the official client has not read parallel ranges: {asked}")
    for asked in figures.asked[OURS]:
        if calls(asked) > MOST_CALLS:
            raise BenchError(f"{calls(asked)} calls to the service for an exact hit: {asked['routes']}")


def calls(asked: dict[str, Any]) -> int:
    """How many requests the service itself had, not its blobs."""
    return sum(number for route, number in asked["routes"].items() if not route.startswith("blob."))


def spent(options: argparse.Namespace, figures: Figures) -> dict[str, list[float]]:
    """Return where the seconds of b went, as far as it can be told apart.

    Bytes: what the link needs for them at its best. Verification is counted in two ways. What is left of it when all of
    b's zips are there is what its report says of admission: Go's work before that then counts as overhead, where it has
    slowed down the unpacking of the archive. Alone, it is what c needs from its first zip to Go's verdict.
    """
    parts: dict[str, list[float]] = {}
    rounds = zip(figures.seconds[OURS], figures.reports[OURS], figures.reports[FROM_FOLDER], strict=True)
    for wall, told, alone in rounds:
        moved = told["restore"]["bytes"] / 1e6 / options.link_rate if options.link_rate else 0.0
        left = told["admit"]["seconds"]
        verified = alone["restore"]["seconds"] + alone["admit"]["seconds"]
        for name, value in (
            ("bytes at the link's rate", moved),
            ("verification left after the last byte", left),
            ("  overhead beyond bytes and that", wall - moved - left),
            ("verification alone, as in c", verified),
            ("  overhead beyond bytes and that one", wall - moved - verified),
        ):
            parts.setdefault(name, []).append(value)
    return parts


def row(label: str, values: list[float]) -> str:
    """Lay out one line: label, least, median, most, and how many."""
    shown = [min(values), statistics.median(values), max(values)]
    return " ".join([f"{label:<40}", *(f"{value:8.2f}" for value in shown), f"{len(values):6}"])


def _by_other(figures: Figures) -> dict[str, list[float]]:
    pairs = zip(figures.seconds[OURS], figures.seconds.get(OTHER, []), strict=False)
    ratios = [ours / others for ours, others in pairs]
    return {"b/d": ratios} if ratios else {}


def report(options: argparse.Namespace, fetched: Project, figures: Figures) -> None:
    """Print the tables; write them as JSON if asked."""
    told = {**conditions(options, fetched), "zstd": options.zstd}
    told |= {f"{kind} MB": round(entry["bytes"] / 1e6, 1)
             for kind, entry in zip(("ours", "whole tree"), figures.entries, strict=True)}  # fmt: skip
    pairs = zip(figures.seconds[OURS], figures.seconds[OFFICIAL], strict=True)
    tables: dict[str, dict[str, list[float]]] = {
        "seconds": figures.seconds,
        "ratio of each round": {"b/a": [ours / theirs for ours, theirs in pairs], **_by_other(figures)},
        "seconds of b": spent(options, figures),
        "CPU seconds, user and system": figures.cpu,
        "calls to the service": {label: [calls(one) for one in all_] for label, all_ in figures.asked.items()},
        "ranges read": {label: [one["ranges"] for one in all_] for label, all_ in figures.asked.items()},
        "most requests at once": {label: [one["at-once"] for one in all_] for label, all_ in figures.asked.items()},
        "peak MB of our Python": {OURS: figures.peaks},
    }
    print(", ".join(f"{name} {value}" for name, value in told.items()), end="\n\n")
    for title, rows in tables.items():
        print(" ".join([f"{title:<40}", *(f"{head:>8}" for head in ("min", "median", "max")), "rounds"]))
        print("\n".join(row(label, values) for label, values in rows.items()), end="\n\n")
    if options.json:
        written = {"conditions": told, "tables": tables, "asked": figures.asked, "reports": figures.reports}
        options.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Fetch the project and the client, fill the service, measure, report."""
    options = parse_arguments()
    cache = options.cache_dir.expanduser().resolve()
    try:
        client, fetched = installed(cache), fetch(options.module, cache)
        with assembled(options, fetched) as (rig, service):
            save(rig, service, client, fetched.proxy)
            figures = measure(options, rig, service, client)
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/hosted.py: {failed}")
    report(options, fetched, figures)


if __name__ == "__main__":
    main()
