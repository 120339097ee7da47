"""A pool in a bucket that many machines share: a warm job, layouts of the pool, cold jobs at once, and the start."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable

import fleet_cold
import fleet_layouts
import fleet_start
import fleet_warm
from commandline import add_parts, add_rounds, new_parser, parsed
from figures import print_tables, write_json
from hosted_rig import Part
from realproject import BenchError, Project, fetch

PARTS: dict[str, Callable[[argparse.Namespace, Project], Part]] = {
    "warm": fleet_warm.measure,
    "layouts": fleet_layouts.measure,
    "cold": fleet_cold.measure,
    "start": fleet_start.measure,
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
  layouts  clients of bench/fleet_client.py that each do --rounds jobs, each into an empty module cache: --clients at
           once without a limit of the link, and one over each link; all begin at the same moment. Three buckets:
    single objects alone   the pool without its bundle
    with a bundle          the pool as go-prefetch saves it: one object more, with all .mod and .info of the key
    one archive            one object for the key, an entry as `store: github` has it: all files, zips rewritten as
           stored ones, zstd; one stream, unpacked as it arrives
           A restore ends when all files have their names. A whole job ends with go mod download, as a run does.
  cold     --jobs of --cold-module with an empty bucket, all at once and without a lock: each must succeed. Then the
           same jobs again with new module caches: the module proxy must get no request. Then --jobs-apart jobs with
           another empty bucket, --apart seconds after each other. What is put again is an object that another job had
           put before, whether the server refused it or not: its bytes were sent. bench/noteputs.py counts them.
  start    a full module cache; --rounds times four runs
    p  nothing is missing, --store dir:POOL;  q  the same with s3://
    r  one module of median size is missing, dir:POOL;  s  the same with s3://
  with --other SRC, the go_prefetch of another checkout runs in turn: o for c

a and b check nothing; after c and d, Go has checked all. All requests are signed, and the server checks that.

Seconds move with the machine. Compare only what one run of this program has printed: the ratios. There is no table
unless each run was what it is compared as.

It needs GNU tar, zstd and curl besides Python and Go. The first run fetches the project.

examples:
  bench/fleet.py                                    caddy, 50 MB/s with 5 and 30 ms
  bench/fleet.py --parts warm --latencies 5 --rounds 5 --json fleet.json
  bench/fleet.py --parts layouts --rounds 5 --clients 1,16
  bench/fleet.py --parts cold --jobs 20 --apart 30 --jobs-apart 20
  bench/fleet.py github.com/labstack/echo/v4@v4.13.3 --cold-module github.com/labstack/echo/v4@v4.13.3
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
    add(
        "--cold-module",
        default="github.com/cli/cli/v2@v2.60.0",
        metavar="MODULE",
        help="project of `cold` (%(default)s)",
    )
    add("--clients", type=_whole_numbers, default=[1, 4, 16], metavar="N", help="of `layouts`, at once (1,4,16)")
    add("--jobs", type=int, default=20, metavar="N", help="cold jobs at once (%(default)s)")
    add("--apart", type=float, default=30, metavar="SECONDS", help="between the starts of later jobs (%(default)s)")
    add("--jobs-apart", type=int, default=3, metavar="N", help="that start so (%(default)s)")
    return parsed(parser, arguments)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",") if number]


def _whole_numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


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
