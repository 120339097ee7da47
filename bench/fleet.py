"""A pool in a bucket that many machines share: a warm job, layouts of the pool, cold jobs at once, and the start."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable

import fleet_warm
from commandline import add_parts, add_rounds, new_parser, parsed
from figures import print_tables, write_json
from hosted_rig import Part
from realproject import BenchError, Project, fetch

PARTS: dict[str, Callable[[argparse.Namespace, Project], Part]] = {
    "warm": fleet_warm.measure,
}

EPILOG = """\
What is compared, with one SeaweedFS and its S3 gateway:
  warm     all modules are in the bucket; each way into a fresh module cache, the order rotating from round to round;
           once over each link of --latencies and --bucket-rate, once without any limit
    a  the whole module cache, tar + zstd, one object: ranges of 8 MB, eight at once, to disk (bench/objectget.py);
       then tar, as actions/cache does; then go mod download
    b  the same object with curl in one stream, unpacked as it arrives; then go mod download
    c  go-prefetch run --store s3://BUCKET/go
    d  go-prefetch run --store dir:POOL, a pool on this disk: c without server and link
  with --other SRC, the go_prefetch of another checkout runs in turn: o for c

a and b check nothing; after c and d, Go has checked all. All requests are signed, and the server checks that.

Seconds move with the machine. Compare only what one run of this program has printed: the ratios. There is no table
unless each run was what it is compared as.

It needs GNU tar, zstd and curl besides Python and Go. The first run fetches the project.

examples:
  bench/fleet.py                                    caddy, 50 MB/s with 5 and 30 ms
  bench/fleet.py --parts warm --latencies 5 --rounds 5 --json fleet.json
  bench/fleet.py github.com/labstack/echo/v4@v4.13.3
"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    caddy = "github.com/caddyserver/caddy/v2@v2.11.1"
    parser = new_parser(__doc__, EPILOG, caddy)
    add_rounds(parser)
    add_parts(parser, tuple(PARTS))
    add = parser.add_argument
    add("--latencies", type=_numbers, default=[5, 30], metavar="MS", help="round trips to the bucket (5,30)")
    add("--bucket-rate", type=float, default=50, metavar="MB/s", help="of the link to the bucket (%(default)s)")
    return parsed(parser, arguments)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",") if number]


def main() -> None:
    """Fetch the project, measure each part, report."""
    options = parse_arguments()
    written: dict[str, object] = {}
    try:
        fetched = fetch(options.module, options.cache_dir.expanduser().resolve())
        for name in options.parts:
            part = PARTS[name](options, fetched)
            print_tables({"part": name, **part.conditions}, part.tables)
            written[name] = {"conditions": part.conditions, "tables": part.tables, **part.notes}
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/fleet.py: {failed}")
    write_json(options.json, written)


if __name__ == "__main__":
    main()
