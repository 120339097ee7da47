"""The options that benches share, and what their figures depend on."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from realproject import Project


def new_parser(
    description: str | None, epilog: str, *modules: str, latency: str = "50ms", rates: tuple[float, float] = (30, 100)
) -> argparse.ArgumentParser:
    """Return a command line that knows the project and a slow server: MB/s of one response, and of all; 0: no limit.

    With several modules, any number of them can be given.
    """
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawTextHelpFormatter
    )
    add_project(parser, *modules)
    add = parser.add_argument
    add("--latency", default=latency, help="the server's wait before each response, as Go writes it (%(default)s)")
    one, all_ = rates
    add("--stream-rate", type=float, default=one, metavar="MB/s", help="of one response; 0: no limit (%(default)s)")
    add("--link-rate", type=float, default=all_, metavar="MB/s", help="of all responses; 0: no limit (%(default)s)")
    return parser


def add_project(parser: argparse.ArgumentParser, *modules: str) -> None:
    """Add what every comparison has: of which project, or projects if there are several, and where."""
    add = parser.add_argument
    if len(modules) > 1:
        shown = f"projects, as PATH@VERSION ({', '.join(modules)})"
        add("modules", nargs="*", default=list(modules), metavar="MODULE", help=shown)
    else:
        add("module", nargs="?", default=modules[0], help="project, as PATH@VERSION (%(default)s)")
    add_cache_dir(parser)
    add("--scratch-dir", type=Path, help="where module caches are made (/dev/shm with room, else temporary)")


def add_cache_dir(parser: argparse.ArgumentParser) -> None:
    """Add where projects stay between runs of a bench."""
    cache = os.environ.get("GO_PREFETCH_BENCH_CACHE") or "~/.cache/go-prefetch-bench"
    shown = f"where projects stay ({cache}; GO_PREFETCH_BENCH_CACHE)"
    parser.add_argument("--cache-dir", type=Path, default=cache, help=shown)


def add_rounds(parser: argparse.ArgumentParser) -> None:
    """Add the options of those that run commands in turn: how often, and what to write."""
    add = parser.add_argument
    add("--rounds", type=int, default=3, metavar="N", help="times that each command runs (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    add("--other", type=Path, metavar="SRC", help="run the go_prefetch in this folder in turn with ours")


def add_parts(parser: argparse.ArgumentParser, parts: Sequence[str]) -> None:
    """Add the option that chooses among parts of a bench. All are measured if it is not given."""

    def chosen(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(parts):
            raise argparse.ArgumentTypeError(f"not one of {','.join(parts)}: {', '.join(sorted(unknown))}")
        return [part for part in parts if part in text.split(",")]

    shown = ",".join(parts)
    parser.add_argument("--parts", type=chosen, default=list(parts), metavar="LIST", help=f"some of {shown} (all)")


def parsed(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """Return what was given, as far as these options go. The program ends if it makes no sense."""
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("--rounds: at least 1")
    if not all("@" in module for module in getattr(given, "modules", None) or [given.module]):
        parser.error("module: PATH@VERSION, for example github.com/cli/cli/v2@v2.60.0")
    if given.other and not (given.other / "go_prefetch").is_dir():
        parser.error("--other: the src folder of another checkout")
    return given


def conditions(options: argparse.Namespace, fetched: Project) -> dict[str, object]:
    """Return what the figures depend on."""
    zips, size = fetched.count()
    return {
        "module": fetched.module,
        "zips": zips,
        "megabytes": round(size / 1e6, 1),
        "latency": options.latency,
        "stream-rate": options.stream_rate,
        "link-rate": options.link_rate,
        **machine(),
    }


def machine() -> dict[str, object]:
    """Return what runs where."""
    describe = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
    asked = {"commit": describe, "go": ["go", "env", "GOVERSION"]}
    answers = {
        name: subprocess.run(command, capture_output=True, text=True, check=name == "go").stdout.strip()
        for name, command in asked.items()
    }
    return {"cpus": os.cpu_count(), "python": platform.python_version(), **answers}
