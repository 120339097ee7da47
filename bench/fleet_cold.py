"""Many cold jobs at once with one pool in a bucket, without any lock between them, and then the same jobs again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from commandline import conditions
from figures import Rows
from fleet_rig import HERE, Fleet, fleet
from hosted_rig import Part
from realproject import BenchError, Project, fetch
from rig import TRUST_VARIABLES, slow_proxy, taken

# The cache results that a job may have: which one depends on what earlier jobs have saved by then.
ANY, EXACT = ("miss", "partial", "exact"), ("exact",)


@dataclass
class Wave:
    """What jobs that started one after the other did."""

    seconds: list[float] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    puts: list[tuple[str, int, bool]] = field(default_factory=list)  # name, bytes, whether it was taken
    warnings: list[str] = field(default_factory=list)
    asked: int = 0  # requests to the module proxy

    def told(self) -> str:
        """Return how many jobs had which result."""
        return " + ".join(f"{self.results.count(one)} {one}" for one in ANY if one in self.results)

    def sums(self) -> dict[str, float]:
        """Return the sums of all jobs. What was put again is a refused object, or one in place of an equal one."""
        kept = {name: size for name, size, is_taken in self.puts if is_taken}
        extra = len(self.puts) - len(kept)
        extra_bytes = sum(size for _, size, _ in self.puts) - sum(kept.values())
        return {
            "warnings": len(self.warnings),
            "requests to the module proxy": self.asked,
            "objects": len(kept),
            "MB": sum(kept.values()) / 1e6,
            "objects put again": extra,
            "MB put again": extra_bytes / 1e6,
            "MB put again, in % of MB": 100 * extra_bytes / max(1, sum(kept.values())),
        }


def measure(options: argparse.Namespace, _: Project) -> Part:
    """Run the waves: at once, again, and with a distance into another bucket."""
    fetched = fetch(options.cold_module, options.cache_dir.expanduser().resolve())
    waves: dict[str, Wave] = {}
    with fleet(options, fetched) as place:
        waves["at once"] = run_wave(place, options, options.jobs, 0, ANY)
        waves["second wave"] = run_wave(place, options, options.jobs, 0, EXACT)
        if asked := waves["second wave"].asked:
            raise BenchError(f"the second wave has asked the module proxy {asked} times")
        apart = Fleet(place.rig, place.server.new_bucket())
        label = f"{options.apart:g} s apart"
        waves[label] = run_wave(apart, options, options.jobs_apart, options.apart, ANY)
    sums = {label: wave.sums() for label, wave in waves.items()}
    tables: dict[str, Rows] = {
        "seconds of a job": {label: wave.seconds for label, wave in waves.items()},
        **{label: {name: [value] for name, value in each.items()} for label, each in sums.items()},
    }
    told = {label: wave.told() for label, wave in waves.items()}
    return Part({**conditions(options, fetched), **told}, tables, {})


def run_wave(place: Fleet, options: argparse.Namespace, jobs: int, apart: float, results: Sequence[str]) -> Wave:
    """Start the jobs, each this many seconds after the one before; all must succeed with one of these results."""
    wave = Wave()
    slow = (options.latency, options.stream_rate, options.link_rate)
    with slow_proxy(place.rig.scratch / "proxy", *slow, "-log") as proxy, ThreadPoolExecutor(jobs) as threads:
        environ = {"GOPROXY": proxy.url, **dict.fromkeys(TRUST_VARIABLES, str(proxy.certificate))}

        def job(number: int) -> tuple[float, dict[str, Any], list[tuple[str, int, bool]]]:
            time.sleep(apart * number)
            return run_job(place, number, environ)

        for seconds, report, puts in threads.map(job, range(jobs)):
            wave.seconds.append(seconds)
            wave.results.append(report["outputs"]["cache-result"])
            wave.puts += puts
            wave.warnings += report["warnings"]
            by_go = report["complete"]["files_by_go"]
            if wave.results[-1] not in results or (by_go and results is EXACT):
                raise BenchError(
                    f"a job had the result {wave.results[-1]}, {by_go} files by Go, warnings {report['warnings']}"
                )
    wave.asked = len(proxy.requests)
    print(
        f"{jobs} jobs, {apart:g} s apart: {wave.told()}, {wave.sums()} (load {os.getloadavg()[0]:.1f})", file=sys.stderr
    )
    return wave


def run_job(
    place: Fleet, number: int, environ: dict[str, str]
) -> tuple[float, dict[str, Any], list[tuple[str, int, bool]]]:
    """Run one job with a module cache of its own. Return its seconds, its report, and what it has put."""
    report, puts = (place.rig.scratch / f"{name}-{number}.json" for name in ("report", "puts"))
    run = ["run", "--store", place.server.store, "--report-file", str(report), "--quiet"]
    command = [sys.executable, str(HERE / "noteputs.py"), str(puts), *run]
    with place.rig.module_cache() as module_cache:
        started = time.perf_counter()
        place.rig.run(command, {**place.server.environ(), **environ, "GOMODCACHE": str(module_cache)})
        return time.perf_counter() - started, taken(report), taken(puts)
