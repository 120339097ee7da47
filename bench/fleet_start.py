"""What a pool in a bucket costs more than one on this disk, where little or nothing is missing."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

from commandline import conditions
from figures import Rows, differences
from fleet_rig import Fleet, fleet
from hosted_rig import Part
from realproject import BenchError, Project
from rig import Contender, nothing, taken

# By label: the cache result of the run, and how many files it has to get from the pool.
RESULTS = {
    "p  nothing missing, dir:": ("present", 0),
    "q  nothing missing, s3://": ("present", 0),
    "r  one module missing, dir:": ("exact", 3),
    "s  one module missing, s3://": ("exact", 3),
}
RUNS = 4  # for each of --rounds: these runs are short


def measure(options: argparse.Namespace, fetched: Project) -> Part:
    """Fill both pools and a module cache, then time runs with it in turns."""
    with fleet(options, fetched) as place, place.rig.module_cache() as module_cache:
        place.fill()
        pool = Path(shutil.copytree(fetched.proxy, place.rig.scratch / "pool"))
        place.rig.run_all(place.ours("fill", "--goproxy", "off", store=f"dir:{pool}"), module_cache)
        seconds = _turns(place, contenders(place, pool), module_cache, RUNS * options.rounds + 1)
    tables: dict[str, Rows] = {
        "seconds": seconds,
        "difference of each round": differences(seconds, "q-p", "s-r"),
        "CPU seconds": place.rig.cpu,
        "CPU difference of each round": differences(place.rig.cpu, "q-p", "s-r"),
    }
    return Part(conditions(options, fetched), tables, {})


def contenders(place: Fleet, pool: Path) -> list[Contender]:
    """Return p to s."""
    middle = _of_median_size(pool)

    def take_out(module_cache: Path) -> None:
        for file in (module_cache / "cache" / "download" / middle.parent).glob(f"{middle.stem}.*"):
            file.unlink()
        tree = module_cache / f"{middle.parent.parent}@{middle.stem}"
        subprocess.run(["chmod", "-R", "u+w", str(tree)], check=True)
        shutil.rmtree(tree)

    stores = {"dir:": f"dir:{pool}", "s3://": place.server.store}
    return [
        place.ours(label, "--goproxy", "off", store=stores[label.split()[-1]], before=take_out if files else nothing)
        for label, (_, files) in RESULTS.items()
    ]


def _of_median_size(pool: Path) -> Path:
    zips = sorted(pool.rglob("*.zip"), key=lambda file: (file.stat().st_size, file))
    return zips[len(zips) // 2].relative_to(pool)


def _turns(place: Fleet, compared: list[Contender], module_cache: Path, rounds: int) -> dict[str, list[float]]:
    """Time all in every round; the first round has filled the disk's cache, and does not count."""
    seconds: dict[str, list[float]] = {contender.label: [] for contender in compared}
    for number in range(rounds):
        for contender in compared:
            passed = place.rig.measure(contender, module_cache)
            _check(contender.label, taken(place.report))
            if number:
                seconds[contender.label].append(passed)
    for values in place.rig.cpu.values():
        del values[0]
    return seconds


def _check(label: str, told: dict[str, dict[str, object]]) -> None:
    found = (told["outputs"]["cache-result"], told["restore"]["files"])
    if found != RESULTS[label] or told["warnings"]:
        raise BenchError(f"{label!r} is no such run: {found}, warnings {told['warnings']}")
