"""Seconds of the dependency RUN of an image build: from a slow proxy, and from the folder of `go-prefetch docker`.

Builds with BuildKit (as tests/support/image_builders.py starts it: Debian's runc and buildah, root), nothing cached.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commandline import conditions, new_parser
from figures import print_tables, ratios
from imagerig import FROM_FOLDER, FROM_PROXY, builder
from realproject import BenchError, Project, fetch
from rig import Rig, assembled

if TYPE_CHECKING:
    from tests.support.image_builders import BuildKit

PLAIN = "a  RUN go mod download"
FOLDER = "b  the same from the folder"
AS_THEY_CAME = "c  from a folder of zips as they came"

EPILOG = """\
examples:
  bench/docker.py --rounds 2              cli/cli, 50 ms, 30 MB/s a response, 100 MB/s in all
  bench/docker.py --scratch-dir /var/tmp  where there are 3 GB
"""

DOCKERFILE = """\
FROM gobase
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly
WORKDIR /src
COPY go.mod go.sum ./
RUN {mount} GOPROXY={goproxy} go mod download
"""


@dataclass(frozen=True)
class Build:
    """One contender: what its RUN is, and the folder of modules it is given."""

    label: str
    mount: str
    goproxy: str
    gomod: Path


def builds(rig: Rig) -> list[Build]:
    """Fill the folders, which is not timed, and return what is compared."""
    rewritten, as_they_came, empty = (rig.scratch / name for name in ("rewritten", "as-they-came", "empty"))
    prefetch = [sys.executable, "-m", "go_prefetch"]
    rig.run([*prefetch, "docker", "--output", str(rewritten), "--store", "none"], {"GOMODCACHE": str(empty)})
    rig.run([*prefetch, "fill", str(as_they_came)], {"GOMODCACHE": str(empty)})
    empty.mkdir(exist_ok=True)
    for name in (rewritten, as_they_came):
        size = sum(path.stat().st_size for path in name.rglob("*") if path.is_file())
        print(f"{name.name}: {size / 1e6:.1f} MB", file=sys.stderr)
    return [
        Build(PLAIN, FROM_PROXY, rig.url, empty),
        Build(FOLDER, FROM_FOLDER, "file:///gomod,off", rewritten),
        Build(AS_THEY_CAME, FROM_FOLDER, "file:///gomod,off", as_they_came),
    ]


def context_of(build: Build, rig: Rig) -> Path:
    """Make a build context with the module's files and the Dockerfile."""
    context = rig.scratch / f"context-{build.label[0]}"
    context.mkdir(exist_ok=True)
    for name in ("go.mod", "go.sum"):
        (context / name).write_bytes((rig.project / name).read_bytes())
    (context / "proxy.pem").write_bytes(Path(rig.environ["SSL_CERT_FILE"]).read_bytes())
    (context / "Dockerfile").write_text(DOCKERFILE.format(mount=build.mount, goproxy=build.goproxy))
    return context


def measured(options: argparse.Namespace, rig: Rig, buildkit: BuildKit) -> dict[str, list[float]]:
    """Build everything in every round, the order rotating; return the seconds of each dependency RUN."""
    compared = builds(rig)
    seconds: dict[str, list[float]] = {build.label: [] for build in compared}
    for number in range(options.rounds):
        shift = number % len(compared)
        for build in (*compared[shift:], *compared[:shift]):
            buildkit.forget()  # a layer of modules is a gigabyte
            steps = buildkit.build(context_of(build, rig), build.gomod, exports=False).seconds
            taken = next(value for step, value in steps.items() if "go mod download" in step)
            seconds[build.label].append(taken)
            print(f"round {number + 1}: {build.label}: {taken:.1f} s", file=sys.stderr)
    return seconds


def report(options: argparse.Namespace, fetched: Project, seconds: dict[str, list[float]]) -> None:
    """Print seconds and ratios."""
    tables = {"seconds": seconds, "ratio of each round": ratios(seconds, "b/a", "c/a")}
    print_tables(conditions(options, fetched), tables)


def main() -> None:
    """Fetch the project, start the builder, run, report."""
    parser = new_parser(__doc__, EPILOG, "github.com/cli/cli/v2@v2.60.0")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="times that each is built (%(default)s)")
    options = parser.parse_args()
    try:
        fetched = fetch(options.module, options.cache_dir.expanduser().resolve())
        with assembled(options, fetched) as rig, builder(options) as buildkit:
            report(options, fetched, measured(options, rig, buildkit))
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/docker.py: {failed}")


if __name__ == "__main__":
    main()
