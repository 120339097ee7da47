"""Seconds and bytes of each step of an image build: modules from a slow proxy, with a cache mount, and from the folder.

Builds a whole program with BuildKit, four times a contender: on a new builder; with nothing changed; with a changed
source; with one changed dependency.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commandline import conditions, new_parser
from imagerig import FROM_FOLDER, FROM_PROXY, builder
from realproject import BenchError, Project, fetch, fetch_folder, with_another
from rig import Rig, assembled

if TYPE_CHECKING:
    import argparse

    from tests.support.image_builders import BuildKit, Built

EPILOG = """\
What is built, each on a builder without layers (base image and build cache are there: compiling is not compared):
  a  RUN go mod download
  b  the same with RUN --mount=type=cache,target=/go/pkg/mod, in the build too
  c  the same from the folder that `go-prefetch docker --output` fills, bound to a named context

examples:
  bench/layers.py                          cli/cli, 50 ms, 30 MB/s a response, 100 MB/s in all
  bench/layers.py examples/service --program . --change github.com/golang-jwt/jwt/v5@v5.3.0
"""

DOCKERFILE = """\
FROM gobase AS build
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOMODCACHE=/go/pkg/mod
WORKDIR /src
COPY go.mod go.sum ./
RUN {mount} GOPROXY={goproxy} go mod download
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build {kept} \\
    GOPROXY=off go build -trimpath -ldflags="-s -w" -o /out/app {program}
FROM scratch
COPY --from=build /out/app /app
"""
CACHE_MOUNT = "--mount=type=cache,target=/go/pkg/mod"
STEPS = {  # what is shown: what BuildKit calls it in the log, what in the list of its records
    "modules sent to the builder": ("[context gomod] load from client", ""),
    "RUN go mod download": ("go mod download", "go mod download"),
    "COPY . .": ("COPY . .", "COPY . ."),
    "RUN go build": ("go build", "go build"),
    "COPY --from=build": ("COPY --from=build", "COPY --from=build"),
}
CASES = ("new builder", "nothing changed", "source changed", "one dependency changed")
_SENT = re.compile(r"transferring gomod: ([\d.]+)([kMG]?)B(?: [\d.]+s)? done")
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Contender:
    """How the modules come into the build, and what is kept of them from one build to the next."""

    label: str
    mount: str
    goproxy: str
    kept: str = ""
    from_folder: bool = False


@dataclass(frozen=True)
class Cell:
    """One step of one build: its seconds and the bytes it left, or that it was not run."""

    seconds: float
    size: float
    cached: bool

    def __str__(self) -> str:
        return "cached" if self.cached else f"{self.seconds:.1f} s, {self.size / 1e6:.1f} MB"


@dataclass(frozen=True)
class Context:
    """A project's copies with the Dockerfile of one contender, and folders of modules for each."""

    project: Path
    changed: Path
    gomod: Path
    changed_gomod: Path


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__, EPILOG, "github.com/cli/cli/v2@v2.60.0")
    parser.add_argument("--program", default="./cmd/gh", help="the main package (%(default)s)")
    parser.add_argument(
        "--change", default="github.com/hashicorp/go-version@v1.7.0", help="the changed dependency (%(default)s)"
    )
    return parser.parse_args()


def contenders(rig: Rig) -> list[Contender]:
    """Return what is compared."""
    return [
        Contender("a  RUN go mod download", FROM_PROXY, rig.url),
        Contender("b  with a cache mount", f"{CACHE_MOUNT} {FROM_PROXY}", rig.url, CACHE_MOUNT),
        Contender("c  from the folder", FROM_FOLDER, "file:///gomod,off", from_folder=True),
    ]


def prepared(options: argparse.Namespace, rig: Rig) -> Context:
    """Change the dependency, fill the folders; none of it is timed."""
    changed = with_another(rig.project, options.change, rig.scratch / "proxy", rig.scratch)
    context = Context(rig.project, changed, rig.scratch / "gomod", rig.scratch / "gomod-changed")
    for project, folder in ((context.project, context.gomod), (context.changed, context.changed_gomod)):
        output = ["docker", "--output", str(folder), "--store", "none", "--working-directory", str(project)]
        rig.run([sys.executable, "-m", "go_prefetch", *output], {"GOMODCACHE": str(rig.scratch / "none")})
        (project / "proxy.pem").write_bytes(Path(rig.environ["SSL_CERT_FILE"]).read_bytes())
    return context


def compiled(options: argparse.Namespace, rig: Rig, context: Context) -> Path:
    """Return a build cache in which both versions of the program are compiled, kept from one run to the next."""
    folder: Path = options.cache_dir.expanduser().resolve() / f"compiled-{options.module.replace('/', '_')}"
    print(f"compiling into {folder}", file=sys.stderr)
    with rig.module_cache() as module_cache:
        environ = {"GOMODCACHE": str(module_cache), "GOCACHE": str(folder), "CGO_ENABLED": "0"}
        for project in (context.project, context.changed):
            build = ["go", "-C", str(project), "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w"]
            rig.run([*build, "-o", os.devnull, options.program], environ)
    return folder


def measured(
    options: argparse.Namespace, rig: Rig, buildkit: BuildKit, context: Context, seed: Path
) -> dict[str, list[dict[str, Cell]]]:
    """Build every case of every contender; return the cells by label, case and step."""
    empty = rig.scratch / "empty"
    empty.mkdir()
    found: dict[str, list[dict[str, Cell]]] = {}
    for contender in contenders(rig):
        text = DOCKERFILE.format(
            mount=contender.mount, goproxy=contender.goproxy, kept=contender.kept, program=options.program
        )
        project = Path(shutil.copytree(context.project, rig.scratch / f"built-{contender.label[0]}"))
        buildkit.forget()
        buildkit.seed(empty, seed)
        for case in CASES:
            is_changed = case == CASES[-1]
            if case == "source changed":
                _change_source(project, options.program)
            if is_changed:
                for name in ("go.mod", "go.sum"):
                    shutil.copy(context.changed / name, project)
            (project / "Dockerfile").write_text(text)
            folder = (context.changed_gomod if is_changed else context.gomod) if contender.from_folder else empty
            built = buildkit.build(project, folder, exports=False)
            found.setdefault(contender.label, []).append(_cells(built, buildkit.sizes()))
            print(f"{contender.label}: {case}: {sum(built.seconds.values()):.1f} s", file=sys.stderr)
    return found


def _change_source(project: Path, program: str) -> None:
    path = project / program / "main.go"
    path.write_text(f"{path.read_text()}\n// changed\n")


def _cells(built: Built, sizes: dict[str, int]) -> dict[str, Cell]:
    cells = {}
    for step, (in_log, in_records) in STEPS.items():
        seconds = next((value for name, value in built.seconds.items() if in_log in name), 0.0)
        size = next((float(size) for name, size in sizes.items() if in_records and _is_layer(name, in_records)), 0.0)
        cells[step] = Cell(seconds, size if in_records else _sent(built.log), built.was_cached(in_log))
    return cells


def _is_layer(description: str, step: str) -> bool:
    return step in description and not description.startswith("cached mount")


def _sent(log: str) -> float:
    """Return what was new in the folder. The builder asks for its .dockerignore first."""
    return max((float(number) * _UNITS[unit] for number, unit in _SENT.findall(log)), default=0.0)


def report(options: argparse.Namespace, fetched: Project, found: dict[str, list[dict[str, Cell]]]) -> None:
    """Print a table in Markdown."""
    print(", ".join(f"{name} {value}" for name, value in conditions(options, fetched).items()))
    print(f"changed: {options.change}\n")
    print(f"| | {' | '.join(CASES)} |\n|---|{'---|' * len(CASES)}")
    for label, cases in found.items():
        print(f"| **{label}** |{' |' * len(CASES)}")
        for step in STEPS:
            if any(case[step].size for case in cases):
                print(f"| {step} | {' | '.join(str(case[step]) for case in cases)} |")
        totals = [sum(cell.seconds for cell in case.values() if not cell.cached) for case in cases]
        print(f"| together | {' | '.join(f'**{total:.1f} s**' for total in totals)} |")


def main() -> None:
    """Fetch the project, start the builder, run, report."""
    options = parse_arguments()
    cache = options.cache_dir.expanduser().resolve()
    try:
        folder = Path(options.module)
        fetched = fetch_folder(folder, cache) if folder.is_dir() else fetch(options.module, cache)
        with assembled(options, fetched) as rig, builder(options) as buildkit:
            context = prepared(options, rig)
            seed = compiled(options, rig, context)
            report(options, fetched, measured(options, rig, buildkit, context, seed))
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/layers.py: {failed}")


if __name__ == "__main__":
    main()
