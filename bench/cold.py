"""How long `go-prefetch run` takes with nothing cached, beside Go alone, on a real project and a slow local proxy."""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

from realproject import BenchError, Project, fetch
from rig import (
    Contender,
    Rig,
    add_options,
    add_rounds,
    assembled,
    by_other,
    check_same,
    conditions,
    contents,
    parsed,
)

PLAIN, BASELINE, PREFETCH = "a  go mod download", "b  GOMAXPROCS=64 list, download", "c  go-prefetch run"
OTHER = "d  the same by --other"
DEFAULT_COMMAND = shlex.join([sys.executable, "-m", "go_prefetch", "run"])

EPILOG = """\
What is compared, each into a fresh module cache, the order rotating from round to round:
  a  go mod download
  b  GOMAXPROCS=64 go list -m all, then GOMAXPROCS=64 go mod download   (the honest baseline: Go alone, at its best)
  c  the --command, with --goproxy URL --store none --quiet

Seconds move with the machine. Compare only what one run of this program has printed: the ratios c/a and c/b.

examples:
  bench/cold.py                                        cli/cli, 50 ms, 30 MB/s a response, 100 MB/s in all
  bench/cold.py --latency 20ms --rounds 5 --json out.json
  bench/cold.py github.com/caddyserver/caddy/v2@v2.10.0
  bench/cold.py --command 'go-prefetch run --jobs 32'   another program, or other flags
  bench/cold.py --present                              what a run costs when nothing is missing
"""


def new_parser(description: str | None, epilog: str) -> argparse.ArgumentParser:
    """Return a command line that knows the project and the proxy."""
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawTextHelpFormatter
    )
    add_options(parser, module="github.com/cli/cli/v2@v2.60.0")
    add = parser.add_argument
    add("--latency", default="50ms", help="the proxy's wait before each response, as Go writes it (%(default)s)")
    add("--stream-rate", type=float, default=30, metavar="MB/s", help="of one response; 0: no limit (%(default)s)")
    add("--link-rate", type=float, default=100, metavar="MB/s", help="of all responses; 0: no limit (%(default)s)")
    return parser


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__, EPILOG)
    add_rounds(parser)
    add = parser.add_argument
    add("--command", default=DEFAULT_COMMAND, help="what to measure as go-prefetch (this Python, -m go_prefetch run)")
    add("--present", action="store_true", help="instead measure a run with nothing missing against `go env`")
    return parsed(parser, arguments)


def contenders(command: str, url: str) -> list[Contender]:
    """Return what is compared: a, b and c."""
    download = ["go", "mod", "download"]
    return [
        Contender(PLAIN, [download], {}),
        Contender(BASELINE, [["go", "list", "-m", "all"], download], {"GOMAXPROCS": "64"}),
        Contender(PREFETCH, [[*shlex.split(command), "--goproxy", url, "--store", "none", "--quiet"]], {}),
    ]


def cold(options: argparse.Namespace, rig: Rig) -> dict[str, list[float]]:
    """Time every contender in every round; check the first round's results against each other."""
    compared = contenders(options.command, rig.url)
    if options.other:
        compared.append(by_other(rig, compared[2], OTHER, options.other))
    held: dict[str, set[str]] = {}

    def look(contender: Contender, module_cache: Path, number: int) -> None:
        if number == 0:
            held[contender.label] = contents(module_cache)

    seconds = rig.take_turns(compared, options.rounds, look)
    check_same(compared[0], compared[2], held)
    return seconds


def present(options: argparse.Namespace, rig: Rig) -> dict[str, list[float]]:
    """Time go-prefetch with nothing missing, and `go env`, the least that it must call."""
    prefetch = contenders(options.command, rig.url)[2]
    asking = Contender("GOTOOLCHAIN=local go env", [["go", "env"]], {})
    seconds: dict[str, list[float]] = {asking.label: [], prefetch.label: []}
    with rig.module_cache() as module_cache:
        rig.measure(prefetch, module_cache)
        for _ in range(options.rounds):
            for contender in (asking, prefetch):
                seconds[contender.label].append(rig.measure(contender, module_cache))
    return seconds


def table(seconds: dict[str, list[float]]) -> str:
    """Lay the seconds out, a line for each contender."""
    rounds = len(next(iter(seconds.values())))
    width = max(map(len, seconds))
    heads = [*(f"round {number + 1}" for number in range(rounds)), "min", "median"]
    lines = [" ".join([" " * width, *(f"{head:>8}" for head in heads)])]
    for label, taken in seconds.items():
        figures = [*taken, min(taken), statistics.median(taken)]
        lines.append(" ".join([f"{label:<{width}}", *(f"{figure:8.2f}" for figure in figures)]))
    return "\n".join(lines)


def derived(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Return what the medians say: two ratios of the cold runs, or one difference of the present ones."""
    medians = [statistics.median(taken) for taken in seconds.values()]
    if len(medians) == 2:
        return {"difference in seconds": medians[1] - medians[0]}
    ratios = {"c/a": medians[2] / medians[0], "c/b": medians[2] / medians[1]}
    return ratios if len(medians) == 3 else {**ratios, "c/d": medians[2] / medians[3]}


def report(options: argparse.Namespace, fetched: Project, seconds: dict[str, list[float]]) -> None:
    """Print the table, and write the same as JSON if asked."""
    measured = conditions(options, fetched)
    if options.command != DEFAULT_COMMAND:
        measured["command"] = options.command
    print(", ".join(f"{name} {value}" for name, value in measured.items()), end="\n\n")
    print(table(seconds), end="\n\n")
    for name, value in derived(seconds).items():
        print(f"{name}: {value:.2f}")
    if options.json:
        medians = {label: statistics.median(taken) for label, taken in seconds.items()}
        figures = {"conditions": measured, "seconds": seconds, "medians": medians, "derived": derived(seconds)}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Fetch the project, run what is asked for, report."""
    options = parse_arguments()
    try:
        fetched = fetch(options.module, options.cache_dir.expanduser().resolve())
        with assembled(options, fetched) as rig:
            seconds = present(options, rig) if options.present else cold(options, rig)
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/cold.py: {failed}")
    report(options, fetched, seconds)


if __name__ == "__main__":
    main()
