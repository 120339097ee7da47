"""How seconds and memory of `go-prefetch plan` grow with the number of modules, go.mod files and workspace members."""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

EPILOG = """\
Each shape is measured in three sizes. Each size is twice as large as the one before. Everything that a module cache has
of a module is there: .info, .mod, .zip, .ziphash and a folder. The files are generated, and no module is real.
  modules    one go.mod and 1,000, 2,000, 4,000 modules
  scopes     25, 50, 100 go.mod files, each with the same 1,000 modules: 200,000 lines of go.sum
  workspace  a go.work with 25, 50, 100 members, each with 100 of 250, 500, 1,000 modules; the module graph is read

The bench fails if the largest size takes more than 1 s or 250 MB, or if a doubling costs more than 2.5 times, in the
mean of both. The cost is the processor time of Python and `go env`, above that of a plan with one module.

examples:
  bench/scale.py
  bench/scale.py --shapes scopes --rounds 5
  bench/scale.py --cores 1 2                    the largest size again, on so many cores
  bench/scale.py --other /elsewhere/src         and the go_prefetch of another checkout, in turn
"""
MOST_SECONDS, MOST_MEGABYTES, MOST_RATIO = 1.0, 250.0, 2.5
REQUIRED_BY_EACH = 20  # lines of a dependency's go.mod


class Size(NamedTuple):
    """How much there is to plan."""

    modules: int
    scopes: int


class Cost(NamedTuple):
    """What a plan took: seconds by the clock, seconds of processors, and the resident memory at its peak in MB."""

    seconds: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Shape:
    """A kind of repository, in sizes that double."""

    write: Callable[[Path, Size], None]
    sizes: tuple[Size, ...]


def name(number: int) -> str:
    """Return the path of a module."""
    return f"example.com/team{number % 40}/module{number:04d}"


def line(number: int, suffix: str = "") -> str:
    """Return a line of go.sum for a module. Nothing has this hash."""
    digest = base64.b64encode(f"{number}{suffix}".encode().rjust(32, b"-")).decode()
    return f"{name(number)} v1.{number % 7}.0{suffix} h1:{digest}\n"


def write_gomod(file: Path, module: str, requires: Iterator[int] | range) -> None:
    """Write a go.mod."""
    listed = "".join(f"\t{name(number)} v1.{number % 7}.0\n" for number in requires)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"module {module}\n\ngo 1.23\n\nrequire (\n{listed})\n")


def write_module(folder: Path, modules: range) -> None:
    """Write a main module that requires these modules."""
    write_gomod(folder / "go.mod", f"example.com/{folder.name}", modules)
    (folder / "go.sum").write_text("".join(line(number) + line(number, "/go.mod") for number in modules))


def write_scopes(project: Path, size: Size) -> None:
    """Write main modules that have all modules in common."""
    for number in range(size.scopes):
        write_module(project / f"scope{number:03d}", range(size.modules))


def write_workspace(project: Path, size: Size) -> None:
    """Write a go.work whose members require 100 modules each, and together all of them."""
    each = min(100, size.modules)
    starts = [number * (size.modules - each) // max(1, size.scopes - 1) for number in range(size.scopes)]
    for number, start in enumerate(starts):
        write_module(project / f"member{number:03d}", range(start, start + each))
    uses = "".join(f"\t./member{number:03d}\n" for number in range(size.scopes))
    (project / "go.work").write_text(f"go 1.23\n\nuse (\n{uses})\n")


SHAPES = {
    "modules": Shape(write_scopes, tuple(Size(count, 1) for count in (1000, 2000, 4000))),
    "scopes": Shape(write_scopes, tuple(Size(1000, count) for count in (25, 50, 100))),
    "workspace": Shape(write_workspace, tuple(Size(count, count // 10) for count in (250, 500, 1000))),
}


def fill_module_cache(folder: Path, modules: int) -> None:
    """Write what a module cache has of each module, as far as a plan looks at it."""
    for number in range(modules):
        versions = folder / "cache" / "download" / name(number) / "@v"
        versions.mkdir(parents=True)
        stem = f"v1.{number % 7}.0"
        write_gomod(
            versions / f"{stem}.mod", name(number), range(number + 1, min(number + 1 + REQUIRED_BY_EACH, modules))
        )
        for kind in ("info", "zip", "ziphash"):
            (versions / f"{stem}.{kind}").write_text("-")
        (folder / f"{name(number)}@{stem}").mkdir(parents=True)


def measured(project: Path, module_cache: Path, source: Path | None, cores: int = 0) -> Cost:
    """Return the cost of one plan. The bench ends if it fails."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    go = {"GOENV": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOPROXY": "off", "GOMODCACHE": str(module_cache)}
    if source:
        kept["PYTHONPATH"] = str(source.resolve())
    pinned = ["taskset", "-c", f"0-{cores - 1}"] if cores else []
    command = [*pinned, sys.executable, "-m", "go_prefetch", "plan", "--working-directory", "**"]
    started = os.times()
    process = subprocess.Popen(
        command, cwd=project, env={**kept, **go}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench/scale.py: {' '.join(command)} ended with status {process.returncode}")
    # On Linux, the peak is that of the largest process: Python, or a go that it has started.
    return Cost(os.times().elapsed - started.elapsed, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def least(project: Path, module_cache: Path, source: Path | None, rounds: int, cores: int = 0) -> Cost:
    """Return the least of each figure."""
    return Cost(*map(min, zip(*(measured(project, module_cache, source, cores) for _ in range(rounds)), strict=True)))


def look(label: str, shape: Shape, options: argparse.Namespace, scratch: Path) -> bool:
    """Print a line for each size of one shape; return whether it keeps to the limits."""
    sources = [None, *([options.other] if options.other else [])]
    module_cache, project = scratch / "modcache", scratch / "one"
    write_module(project, range(1))
    start = {source: least(project, module_cache, source, options.rounds).cpu for source in sources}
    above: dict[Path | None, list[float]] = {source: [] for source in sources}
    costs: list[Cost] = []
    for size in shape.sizes:
        project = scratch / f"{label}-{size.modules}-{size.scopes}"
        shape.write(project, size)
        for source in sources:
            cost = least(project, module_cache, source, options.rounds)
            figures = above[source]
            figures.append(cost.cpu - start[source])
            shown = f", {figures[-1] / figures[-2]:.2f} times the half" if len(figures) > 1 else ""
            print(
                f"{'other: ' if source else ''}{label}: {size.modules} modules, {size.scopes} go.mod: "
                f"{cost.seconds:.2f} s, {cost.cpu:.2f} s of processors, {cost.megabytes:.0f} MB{shown}",
                flush=True,
            )
            costs += [] if source else [cost]
    for cores in options.cores:
        if cores > (os.cpu_count() or 1):
            print(f"{label}: {cores} cores: this machine has {os.cpu_count()}")
            continue
        cost = least(project, module_cache, None, options.rounds, cores)
        print(f"{label}: {cores} cores: {cost.seconds:.2f} s", flush=True)
    cost, ratio = costs[-1], (above[None][-1] / above[None][0]) ** (1 / (len(shape.sizes) - 1))
    return cost.seconds <= MOST_SECONDS and cost.megabytes <= MOST_MEGABYTES and ratio <= MOST_RATIO


def main() -> None:
    """Measure every shape."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--shapes", nargs="+", choices=SHAPES, default=[*SHAPES], help="(all)")
    add("--rounds", type=int, default=3, metavar="N", help="the least of them counts (%(default)s)")
    add("--cores", type=int, nargs="*", default=[2, 4, 8], metavar="N", help="with taskset (%(default)s)")
    add("--other", type=Path, metavar="SRC", help="measure the go_prefetch in this folder in turn with ours")
    options = parser.parse_args()
    kept = True
    with tempfile.TemporaryDirectory(prefix="go-prefetch-bench-") as temporary:
        scratch = Path(temporary).resolve()
        fill_module_cache(scratch / "modcache", max(size.modules for shape in SHAPES.values() for size in shape.sizes))
        for label in options.shapes:
            kept &= look(label, SHAPES[label], options, scratch)
        shutil.rmtree(scratch / "modcache")
    if not kept:
        limits = f"{MOST_SECONDS:g} s, {MOST_MEGABYTES:g} MB, or {MOST_RATIO:g} times the half"
        sys.exit(f"bench/scale.py: more than {limits}")


if __name__ == "__main__":
    main()
