"""How long `go-prefetch run` takes when the proxies are in trouble, beside the same run when they are not."""

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
import time
from pathlib import Path
from typing import TYPE_CHECKING

from commandline import add_cache_dir
from realproject import BenchError, Project, fetch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.fakes.dead_port import dead_port
from tests.support.fakes.module_proxy import Fault, ModuleProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = """\
parts:
  faults   both proxies of `P1|P2` fail a share of all requests, drawn anew for each seed: 403, 429, 5xx, resets,
           half bodies, web pages, silence, drips. Every run must succeed. --plain N: what plain Go does, first N seeds
  dead     P1 drops every packet; compared with both healthy

Seconds move with the machine; only ratios within one run of this program count.

--other SRC runs the go_prefetch of another checkout in turn with ours, with the same lots.

examples:
  bench/faults.py                                  viper, seeds 1 to 200
  bench/faults.py --seeds 1-20 --plain 20
  bench/faults.py --part dead --rounds 7
  bench/faults.py --alone --kinds STALL_BEFORE_HEADERS --share 0.02 --other /elsewhere/src
"""
# What ends the matter for Go (404) or only shows in a hash is no trouble of the network.
MIXED = tuple(fault for fault in Fault if fault not in (Fault.NOT_FOUND, Fault.GONE, Fault.WRONG_BYTES))
PLAIN_LIMIT = 10  # seconds after which plain Go is taken to hang
EVERY = 5  # seeds to one fault-free run


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("module", nargs="?", default="github.com/spf13/viper@v1.21.0", help="project, as PATH@VERSION (%(default)s)")
    add("--part", choices=("faults", "dead"), default="faults", help="what to measure (%(default)s)")
    add("--seeds", default="1-200", metavar="A-B", help="which lots to draw (%(default)s)")
    add("--share", type=float, default=0.2, help="of the requests that fail (%(default)s)")
    add("--kinds", metavar="NAMES", help="of tests/fakes' Fault, with commas, to draw from (all of the above)")
    add("--stall", type=float, metavar="SECONDS", help="how long a silent proxy is silent (for ever)")
    add("--alone", action="store_true", help="P1 alone is the list")
    add("--latency", type=float, default=0.03, metavar="SECONDS", help="before each response (%(default)s)")
    add("--plain", type=int, default=0, metavar="N", help="run plain `go mod download` with the first N seeds too")
    add("--rounds", type=int, default=5, metavar="N", help="of part dead (%(default)s)")
    add("--connect-timeout", type=float, default=5, metavar="SECONDS", help="of part dead (%(default)s)")
    add_cache_dir(parser)
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    add("--other", type=Path, metavar="SRC", help="run the go_prefetch in this folder in turn with ours")
    given = parser.parse_args(arguments)
    if given.other and not (given.other / "go_prefetch").is_dir():
        parser.error("--other: the src folder of another checkout")
    return given


class Runs:
    """Commands in a copy of the project, each with an empty module cache."""

    def __init__(self, project: Project, scratch: Path) -> None:
        self.files = {
            path.relative_to(project.proxy).as_posix(): path.read_bytes()
            for path in project.proxy.rglob("*")
            if path.suffix in (".info", ".mod", ".zip")
        }
        self._folder = project.folder
        self._scratch = scratch
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        go = {"GOENV": "off", "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw"}
        self._environ = {**kept, **go, "GOMODCACHE": str(scratch / "modcache")}

    @contextlib.contextmanager
    def proxy(self, options: argparse.Namespace, seed: int | None = None) -> Iterator[ModuleProxy]:
        """Return a proxy that has the project's modules; with a seed it fails a share of all requests."""
        with ModuleProxy(latency=options.latency) as proxy:
            proxy.files = self.files
            proxy.has_etags = True
            proxy.patience, proxy.goes_on = options.stall, True
            if seed is not None:
                kinds = [Fault[name] for name in options.kinds.split(",")] if options.kinds else MIXED
                proxy.random_faults(options.share, seed, kinds)
            yield proxy

    @contextlib.contextmanager
    def goproxy(self, options: argparse.Namespace, seed: int | None = None) -> Iterator[str]:
        """Return the list of two such proxies, or of one."""
        with self.proxy(options, seed) as one, self.proxy(options, None if seed is None else seed + 100_000) as two:
            yield one.url if options.alone else f"{one.url}|{two.url}"

    def prefetch(self, goproxy: str, *flags: str, source: Path | None = None) -> float:
        """Seconds of a run, of the go_prefetch in `source`. Raises BenchError unless it succeeds and Go finds all."""
        command = [sys.executable, "-m", "go_prefetch", "run", "--store", "none", "--quiet", *flags]
        seconds, said = self.timed(command, goproxy, limit=600, source=source)
        if said is not None:
            raise BenchError(f"a run failed:\n{said}")
        return seconds

    def timed(
        self, command: list[str], goproxy: str, limit: float, source: Path | None = None
    ) -> tuple[float, str | None]:
        """Seconds of a command, and what it said if it failed or did not end in time."""
        shutil.rmtree(self._scratch / "modcache", ignore_errors=True)
        environ = {**self._environ, "GOPROXY": goproxy}
        if source:
            environ["PYTHONPATH"] = os.pathsep.join([str(source.resolve()), environ.get("PYTHONPATH", "")])
        started = time.perf_counter()
        try:
            done = subprocess.run(
                command, cwd=self._folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=limit, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return time.perf_counter() - started, "hangs"
        return time.perf_counter() - started, None if done.returncode == 0 else f"{done.stdout}{done.stderr}"


def faults(options: argparse.Namespace, runs: Runs) -> dict[str, object]:
    """Run every seed; one in a few runs without faults, in between."""
    first_seed, _, last_seed = options.seeds.partition("-")
    seeds = range(int(first_seed), int(last_seed or first_seed) + 1)
    sources = {"": None, ", --other": options.other} if options.other else {"": None}
    healthy: dict[str, list[float]] = {name: [] for name in sources}
    faulty: dict[str, list[float]] = {name: [] for name in sources}
    plain = []
    for number, seed in enumerate(seeds):
        for name in list(sources) if number % 2 == 0 else reversed(sources):
            if number % EVERY == 0:
                with runs.goproxy(options) as goproxy:
                    healthy[name].append(runs.prefetch(goproxy, source=sources[name]))
            with runs.goproxy(options, seed) as goproxy:
                faulty[name].append(runs.prefetch(goproxy, source=sources[name]))
            print(f"seed {seed}{name}: {faulty[name][-1]:.2f} s", file=sys.stderr)
        if number < options.plain:
            with runs.goproxy(options, seed) as goproxy:
                _, said = runs.timed(["go", "mod", "download"], goproxy, PLAIN_LIMIT)
                plain.append("succeeded" if said is None else "hung" if said == "hangs" else "failed")
    figures: dict[str, object] = {"runs with faults": len(seeds), "succeeded": len(seeds)}
    for name in sources:
        figures |= {
            f"median without faults{name}": statistics.median(healthy[name]),
            f"median with faults{name}": statistics.median(faulty[name]),
            f"ratio of the medians{name}": statistics.median(faulty[name]) / statistics.median(healthy[name]),
            f"mean with faults{name}": statistics.mean(faulty[name]),
            f"slowest with faults{name}": max(faulty[name]),
        }
    return figures | {"plain go mod download": {how: plain.count(how) for how in sorted(set(plain))}}


def dead(options: argparse.Namespace, runs: Runs) -> dict[str, object]:
    """Both healthy, and the first one dead, in turns."""
    healthy, alone = [], []
    limit = f"{options.connect_timeout:g}s"
    for _ in range(options.rounds):
        with runs.proxy(options) as one, runs.proxy(options) as two, dead_port() as port:
            healthy.append(runs.prefetch(f"{one.url}|{two.url}", "--connect-timeout", limit))
            alone.append(runs.prefetch(f"http://127.0.0.1:{port}|{two.url}", "--connect-timeout", limit))
    allowed = 1.2 * statistics.median(healthy) + options.connect_timeout
    return {
        "median, both healthy": statistics.median(healthy),
        "median, the first one dead": statistics.median(alone),
        "1.2 of the healthy time and one connect timeout": allowed,
        "within": statistics.median(alone) <= allowed,
    }


def main() -> None:
    """Fetch the project, run what is asked for, report."""
    options = parse_arguments()
    try:
        fetched = fetch(options.module, options.cache_dir.expanduser().resolve())
        with tempfile.TemporaryDirectory(prefix="go-prefetch-bench-", dir="/dev/shm") as scratch:
            figures = {"faults": faults, "dead": dead}[options.part](options, Runs(fetched, Path(scratch)))
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/faults.py: {failed}")
    print(f"{options.module}, {fetched.count()[0]} zips, {options.latency * 1000:g} ms before each response")
    for name, value in figures.items():
        print(f"{name}: {value:.2f}" if isinstance(value, float) else f"{name}: {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
