"""How long `go-prefetch run` takes with nothing cached, beside Go alone, on a real project and a slow local proxy."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from commandline import add_rounds, conditions, new_parser, parsed
from figures import Rows, differences, print_tables, ratios, write_json
from realproject import BenchError, Project, fetch
from rig import Contender, Rig, assembled, by_other, check_report, check_same, contents, taken

PLAIN, BASELINE, PREFETCH = "a  go mod download", "b  GOMAXPROCS=64 list, download", "c  go-prefetch run"
OTHER = "o  c by --other"
RATIOS = ("c/a", "c/b", "c/o")
MODULES = ("github.com/cli/cli/v2@v2.60.0", "github.com/aquasecurity/trivy@v0.74.0")
DEFAULT_COMMAND = shlex.join([sys.executable, "-m", "go_prefetch", "run"])

EPILOG = """\
What is compared, each into a fresh module cache, the order rotating from round to round:
  a  go mod download
  b  GOMAXPROCS=64 go list -m all, then GOMAXPROCS=64 go mod download   (the honest baseline: Go alone, at its best)
  c  the --command, with --goproxy URL --store none --quiet

Seconds move with the machine. Compare only what one run of this program has printed: the ratios. There is no table
unless c was a miss without a warning, and all have left the same zips and trees.

examples:
  bench/cold.py                                        cli/cli, then trivy: 50 ms, 30 MB/s a response, 100 MB/s in all
  bench/cold.py --latency 20ms --rounds 5 --json out.json
  bench/cold.py github.com/caddyserver/caddy/v2@v2.10.2   another project, or several
  bench/cold.py --command 'go-prefetch run --jobs 32'   another program, or other flags
  bench/cold.py --present                              what a run costs when nothing is missing
"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__, EPILOG, *MODULES)
    add_rounds(parser)
    add = parser.add_argument
    add("--command", default=DEFAULT_COMMAND, help="what to measure as go-prefetch (this Python, -m go_prefetch run)")
    add("--present", action="store_true", help="instead measure a run with nothing missing against `go env`")
    return parsed(parser, arguments)


def contenders(command: str, rig: Rig) -> list[Contender]:
    """Return what is compared: a, b and c. c writes its report."""
    download = ["go", "mod", "download"]
    flags = ["--store", "none", "--quiet", "--report-file", str(rig.scratch / "run.json")]
    return [
        Contender(PLAIN, [download], {}),
        Contender(BASELINE, [["go", "list", "-m", "all"], download], {"GOMAXPROCS": "64"}),
        Contender(PREFETCH, [[*shlex.split(command), "--goproxy", rig.url, *flags]], {}),
    ]


def cold(options: argparse.Namespace, rig: Rig) -> dict[str, list[float]]:
    """Time every contender in every round; check each run's report, and the first round's module caches."""
    compared = contenders(options.command, rig)
    if options.other:
        compared.append(by_other(rig, compared[2], OTHER, options.other))
    held: dict[str, set[str]] = {}

    def look(contender: Contender, module_cache: Path, number: int) -> None:
        if number == 0:
            held[contender.label] = contents(module_cache)
        if told := taken(rig.scratch / "run.json"):  # another --command may write none
            check_report(contender.label, told, "miss")

    seconds = rig.take_turns(compared, options.rounds, look)
    for contender in compared[1:]:
        check_same(compared[0], contender, held)
    return seconds


def present(options: argparse.Namespace, rig: Rig) -> dict[str, list[float]]:
    """Time go-prefetch with nothing missing, and `go env`, the least that it must call."""
    prefetch = replace(contenders(options.command, rig)[2], label="k  go-prefetch run")
    compared = [Contender("i  go env", [["go", "env"]], {}), prefetch]
    if options.other:
        compared.append(by_other(rig, prefetch, "o  k by --other", options.other))
    seconds: dict[str, list[float]] = {contender.label: [] for contender in compared}
    with rig.module_cache() as module_cache:
        rig.run_all(prefetch, module_cache)
        for _ in range(options.rounds):
            for contender in compared:
                seconds[contender.label].append(rig.measure(contender, module_cache))
    return seconds


def report(options: argparse.Namespace, fetched: Project, rig: Rig, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Print the tables; return what goes into the JSON file."""
    measured = conditions(options, fetched)
    if options.command != DEFAULT_COMMAND:
        measured["command"] = options.command
    tables: dict[str, Rows] = {
        "seconds": seconds,
        "ratio of each round": ratios(seconds, *RATIOS),
        "difference of each round": differences(seconds, "k-i", "o-i"),
        "CPU seconds, user and system": rig.cpu,
        "CPU ratio of each round": ratios(rig.cpu, *RATIOS),
    }
    print_tables(measured, tables)
    return {"conditions": measured, "tables": tables}


def main() -> None:
    """Fetch each project, run what is asked for, report."""
    options = parse_arguments()
    figures: dict[str, object] = {}
    try:
        for module in options.modules:
            fetched = fetch(module, options.cache_dir.expanduser().resolve())
            with assembled(options, fetched) as rig:
                seconds = present(options, rig) if options.present else cold(options, rig)
            figures[module] = report(options, fetched, rig, seconds)
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/cold.py: {failed}")
    write_json(options.json, figures)


if __name__ == "__main__":
    main()
