"""A build cache over the versions of a project: none, setup-go's way, all of GOCACHE each time, and go-prefetch."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence

import buildcache_restore
import buildcache_same
import buildcache_versions
from buildcache_rig import Release, releases
from commandline import add_parts, add_rounds, new_parser, parsed
from figures import print_tables, write_json
from history import listed
from hosted_rig import Part
from officialclient import OfficialClient, installed
from realproject import BenchError

MODULE = "github.com/grpc-ecosystem/grpc-gateway/v2"
# As module proxies list them: some versions were never published there.
VERSIONS = (
    "v2.26.1", "v2.26.3", "v2.26.7", "v2.27.1", "v2.27.2", "v2.27.3",
    "v2.27.4", "v2.27.5", "v2.27.6", "v2.27.7", "v2.27.8", "v2.28.0",
)  # fmt: skip

Measure = Callable[[argparse.Namespace, OfficialClient, Sequence[Release]], Part]
PARTS: dict[str, Measure] = {
    "versions": buildcache_versions.measure,
    "restore": buildcache_restore.measure,
    "same": lambda options, client, _: buildcache_same.measure(options, client),
}

EPILOG = """\
Each job starts with a fresh checkout, an empty GOCACHE and a full module cache, always at the same paths. It runs
`go build ./...` and `go vet ./...` with -trimpath.

  versions  one job for each version of the project, each with
    none      an empty GOCACHE
    setup-go  GOCACHE under a key of go.sum, exact or nothing, saved once, by GitHub's own client (@actions/cache)
    whole     all of GOCACHE under a new key each time, the newest restored by a restore key, by the same client
    ours      go-prefetch build-cache restore and save
  restore   an entry of --stored MB into an empty GOCACHE: a by GitHub's client, b by go-prefetch, and with --other SRC
            o, which is b by the go_prefetch of another checkout. The entry is a real GOCACHE and more of its kind:
            copies of its files under other ids, whose bytes are exchanged one for one
  same      three projects, each plain, with -race and for Windows: an older version fills the cache, a newer one is
            built from it twice

The service is the tests' own fake of GitHub's (tests/support/fakes/cache_service), as slow as GitHub's was measured.
There is no table unless each run was what it is compared as, all ways have built the same programs (sha256), and
`go vet` has said the same. Seconds move with the machine: compare those of one run only.

It needs node, npm, GNU tar and zstd besides Python and Go, and a C compiler for -race. The first run fetches the
projects and their modules.

examples:
  bench/buildcache.py
  bench/buildcache.py --parts restore --stored 200 --rounds 5
  bench/buildcache.py github.com/gohugoio/hugo@v0.123.4 --parts versions      twelve versions from this one on
  bench/buildcache.py github.com/gohugoio/hugo@v0.123.4 --versions v0.123.4,v0.123.5
"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__, EPILOG, f"{MODULE}@{VERSIONS[0]}", latency="220ms", rates=(23, 100))
    add_rounds(parser)
    add_parts(parser, tuple(PARTS))
    add = parser.add_argument
    add("--releases", type=int, default=12, metavar="N", help="how many versions, in order (%(default)s)")
    add("--versions", type=lambda text: text.split(","), metavar="V,V,…", help="just these versions, oldest first")
    ways = tuple(buildcache_versions.WAYS)
    add("--ways", type=lambda text: [way for way in ways if way in text.split(",")], default=list(ways), metavar="LIST",
        help=f"some of {','.join(ways)}; ours is always measured (all)")  # fmt: skip
    add("--stored", type=float, default=200, metavar="MB", help="of the entry of `restore` (%(default)s)")
    return parsed(parser, arguments)


def chosen_versions(options: argparse.Namespace) -> list[str]:
    """Return the versions that were asked for. Only those of another project are looked up at the module proxy."""
    module, _, since = options.module.partition("@")
    known = list(VERSIONS) if module == MODULE and since == VERSIONS[0] else None
    return options.versions or (known or listed(module, since))[: options.releases]


def main() -> None:
    """Fetch the versions and the client, measure each part, report."""
    options = parse_arguments()
    cache = options.cache_dir.expanduser().resolve()
    written: dict[str, object] = {}
    try:
        client = installed(cache)
        chosen = releases(options.module.partition("@")[0], chosen_versions(options), cache)
        for name in options.parts:
            part = PARTS[name](options, client, chosen)
            print_tables({"part": name, **part.conditions}, part.tables)
            written[name] = {"conditions": part.conditions, "tables": part.tables, **part.notes}
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/buildcache.py: {failed}")
    write_json(options.json, written)


if __name__ == "__main__":
    main()
