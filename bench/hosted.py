"""go-prefetch on a hosted runner, compared with GitHub's own client: an exact hit, a partial hit, and saving."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable

import hosted_exact
import hosted_partial
import hosted_save
from commandline import add_parts, add_rounds, new_parser, parsed
from figures import print_tables, write_json
from hosted_rig import Part, Projects
from officialclient import OfficialClient, installed
from realproject import BenchError, fetch, fetch_changed

PARTS: dict[str, Callable[[argparse.Namespace, OfficialClient, Projects], Part]] = {
    "exact": hosted_exact.measure,
    "partial": hosted_partial.measure,
    "save": hosted_save.measure,
}

EPILOG = """\
What is compared, each into a fresh module cache, the order rotating from round to round:
  exact    the service has the entry of this very go.sum; no other network
    a  restoreCache of GitHub's own client (@actions/cache, as actions/cache and setup-go use it) for the whole module
       cache, tar + zstd, saved before by the same client; then go mod download
    b  go-prefetch run --store github, from an entry that a run with nothing cached has saved before
    c  go-prefetch run --store dir:POOL, POOL holding the very zips that b restores: b without a network
  partial  the service has the entry of the project's version, the go.sum is that of --newer
    a  restoreCache with a restore key, which matches the older version's module cache; then go mod download
    b  go-prefetch run --store github --save false
  save     a full entry after a miss, then a delta, where --change is the only difference to the entry
    a  saveCache of GitHub's own client for the whole module cache, which is full
    b  go-prefetch run --store github, nothing cached; c  the same with --save false; b-c is what saving costs
    d  go-prefetch run --store github, with the project's entry; e  the same with --save false
  with --other SRC, the go_prefetch of another checkout runs in turn: o for b, p for c, q for d, r for e

The service is the tests' own fake of GitHub's (tests/support/fakes/cache_service), in a process of its own and as slow
as GitHub's was measured: a wait before each answer, a rate for each request, a rate for all. The client gets blob URLs
of *.blob.core.windows.net, which a preloaded script maps to 127.0.0.1: from other hosts it would read one stream.
go-prefetch gets the same blobs at 127.0.0.1. The client checks nothing; after go-prefetch, Go has checked all.

Seconds move with the machine. Compare only what one run of this program has printed: the ratios. There is no table
unless each run was what it is compared as.

It needs node, npm, GNU tar and zstd besides Python and Go. The first run installs the official client as
bench/official/package-lock.json says, and fetches the project.

examples:
  bench/hosted.py                                   caddy, 220 ms, 23 MB/s a request, 100 MB/s in all, three rounds
  bench/hosted.py --parts partial,save --rounds 5 --json hosted.json
  bench/hosted.py --parts partial --other /elsewhere/src
  bench/hosted.py --link-rate 50
  bench/hosted.py --zstd python                     with the zstd module of Python 3.14 (here: backports.zstd)
  bench/hosted.py github.com/cli/cli/v2@v2.60.0 --newer v2.61.0
"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    caddy = "github.com/caddyserver/caddy/v2@v2.11.1"
    parser = new_parser(__doc__, EPILOG, caddy, latency="220ms", rates=(23, 100))
    add_rounds(parser)
    add_parts(parser, tuple(PARTS))
    add = parser.add_argument
    add("--newer", default="v2.11.4", help="the version with another go.sum, for a partial hit (%(default)s)")
    add("--change", default="golang.org/x/net@v0.51.0", help="the one changed dependency, for a delta (%(default)s)")
    add("--proxy-latency", default="50ms", help="the proxy's wait before each response (%(default)s)")
    add("--proxy-rate", type=float, default=30, metavar="MB/s", help="of one response; 0: no limit (%(default)s)")
    add("--zstd", choices=("program", "python"), default="program",
        help="what go-prefetch finds: the program, as on hosted runners, or a module too (%(default)s)")  # fmt: skip
    return parsed(parser, arguments)


def main() -> None:
    """Fetch both versions and the client, measure each part, report."""
    options = parse_arguments()
    cache = options.cache_dir.expanduser().resolve()
    path, _, _ = options.module.partition("@")
    written: dict[str, object] = {}
    try:
        client = installed(cache)
        older, newer = fetch(options.module, cache), fetch(f"{path}@{options.newer}", cache)
        projects = Projects(older, newer, fetch_changed(older, options.change, cache))
        for name in options.parts:
            part = PARTS[name](options, client, projects)
            print_tables({"part": name, **part.conditions}, part.tables)
            written[name] = {"conditions": part.conditions, "tables": part.tables, **part.notes}
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/hosted.py: {failed}")
    write_json(options.json, written)


if __name__ == "__main__":
    main()
