"""How long a full cache takes to become a module cache: as a whole tree, as zips, and as zips through go-prefetch."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from archives import DECOMPRESS, TREE, ZIPS, Archives, make
from chart import chart
from commandline import add_parts, add_rounds, conditions, new_parser, parsed
from figures import Rows, differences, print_tables, ratios, write_json
from realproject import BenchError, Project, fetch
from rig import Contender, Rig, assembled, by_other, check_report, check_same, contents, taken

HERE = Path(__file__).resolve().parent
PARTS = ("archive", "pool", "changed", "present")
DOWNLOAD = ["go", "mod", "download"]
NO_NETWORK = {"GOPROXY": "off"}
TO_DISK = "curl -sSf --http1.1 -o "
STREAMED = "curl -sSf --http1.1 "
RATIOS = ("d/a", "d/b", "d/c", "f/e", "f/o", "h/g")
RESULTS = {"f": "exact", "o": "exact", "h": "partial"}  # what a run has to be, by the letter of its label

EPILOG = """\
What is compared, each into a fresh module cache, the order rotating from round to round:
  archive  one response of the server, all modules in it
    a  the whole module cache, tar + zstd, to disk, then unpacked   (as actions/cache works; checks nothing)
    b  the same, unpacked as it arrives                             (checks nothing)
    c  a tar of .zip, .mod, .info, unpacked as it arrives, then go mod download
    d  the same tar through go-prefetch's quarantine as it arrives (bench/intake.py), then go mod download
  pool     a folder of module files on the same disk, no network
    e  GOPROXY=file://POOL go mod download
    f  go-prefetch run --store dir:POOL
    o  with --other: f by the code of another checkout
  changed  one module (of median size) is not in the pool but on the proxy
    g  GOPROXY=file://POOL,PROXY go mod download
    h  go-prefetch run --store dir:POOL --goproxy PROXY
  present  nothing is missing
    i  go env
    j  go mod download
    k  go-prefetch run

Seconds move with the machine. Compare only what one run of this program has printed: the ratios.

examples:
  bench/warm.py                                    caddy, 50 MB/s, 200 ms to the first byte, three rounds
  bench/warm.py --rounds 5 --json warm.json --svg warm.svg
  bench/warm.py --link-rate 0 --parts archive      no limit
  bench/warm.py github.com/cli/cli/v2@v2.60.0
"""


@dataclass
class Figures:
    """What was measured: by part and label seconds of each round; by label CPU seconds, peak MB of each round."""

    archives: Archives | None = None
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    peaks: dict[str, list[float]] = field(default_factory=dict)
    intakes: list[dict[str, object]] = field(default_factory=list)  # what intake.py tells of itself


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    caddy = "github.com/caddyserver/caddy/v2@v2.11.1"
    parser = new_parser(__doc__, EPILOG, caddy, latency="200ms", rates=(0, 50))
    add_rounds(parser)
    add_parts(parser, PARTS)
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the medians of the archive part there")
    return parsed(parser, arguments)


def shell(label: str, script: str, *then: list[str]) -> Contender:
    """Return a contender that is a line of shell, every part of its pipes to exit 0, and commands after it."""
    return Contender(label, [["bash", "-euo", "pipefail", "-c", script], *then], NO_NETWORK)


def measured(rig: Rig, *arguments: str) -> list[str]:
    """Return a command of Python that notes its peak memory."""
    return [sys.executable, str(HERE / "peak.py"), str(rig.scratch / "peak.json"), *arguments]


def prefetch(rig: Rig, pool: Path, goproxy: str) -> list[str]:
    """`go-prefetch run` with this pool, noting its peak memory and writing its report."""
    arguments = ["run", "--store", f"dir:{pool}", "--goproxy", goproxy, "--quiet"]
    arguments += ["--report-file", str(rig.scratch / "run.json")]
    return measured(rig, "-m", "go_prefetch", *arguments)


def archive_contenders(rig: Rig) -> list[Contender]:
    """Return a to d."""
    tree, zips = f"{rig.url}/-/{TREE}", f"{rig.url}/-/{ZIPS}"
    unpack, there, kept = f'tar -C "$GOMODCACHE" --use-compress-program="{DECOMPRESS}"', '"$GOMODCACHE/', "archive.tzst"
    downloads = f'{there}cache/download"'
    intake = measured(rig, str(HERE / "intake.py"), zips, str(rig.scratch / "intake.json"))
    return [
        shell(
            "a  whole tree to disk, untar",
            f'{TO_DISK}{there}{kept}" {tree}; {unpack} -xf {there}{kept}"; rm {there}{kept}"',
        ),
        shell("b  whole tree, streamed", f'{STREAMED}{tree} | {DECOMPRESS} | tar -C "$GOMODCACHE" -x'),
        shell("c  zips, go mod download", f"mkdir -p {downloads}; {STREAMED}{zips} | tar -C {downloads} -x", DOWNLOAD),
        Contender("d  zips through the quarantine", [intake], NO_NETWORK),
    ]


def pool_contenders(rig: Rig, pool: Path, other: Path | None) -> list[Contender]:
    """Return e and f, and o if there is another checkout."""
    ours = Contender("f  go-prefetch run, dir:POOL", [prefetch(rig, pool, "off")], {})
    return [
        Contender("e  go mod download, file://POOL", [DOWNLOAD], {"GOPROXY": f"file://{pool}"}),
        ours,
        *([by_other(rig, ours, "o  the same by --other", other)] if other else []),
    ]


def changed_contenders(rig: Rig, pool: Path) -> list[Contender]:
    """Return g and h; a run saves what was new, so it is taken out of the pool again before each."""
    zips = sorted(pool.rglob("*.zip"), key=lambda file: (file.stat().st_size, file))
    middle = zips[len(zips) // 2]

    def take_out(_: Path) -> None:
        for kind in (".zip", ".mod", ".info"):
            middle.with_suffix(kind).unlink(missing_ok=True)

    return [
        Contender("g  go mod download, POOL,PROXY", [DOWNLOAD], {"GOPROXY": f"file://{pool},{rig.url}"}, take_out),
        Contender("h  go-prefetch run, dir:POOL", [prefetch(rig, pool, rig.url)], {}, take_out),
    ]


def compare(rig: Rig, compared: list[Contender], rounds: int, figures: Figures) -> dict[str, list[float]]:
    """Time all; each must leave what `go mod download` finds complete, and in the first round the same as the first."""
    held: dict[str, set[str]] = {}

    def look(contender: Contender, module_cache: Path, number: int) -> None:
        rig.run(DOWNLOAD, {"GOMODCACHE": str(module_cache), **NO_NETWORK})
        if number == 0:
            held[contender.label] = contents(module_cache)
        if peak := taken(rig.scratch / "peak.json"):
            figures.peaks.setdefault(contender.label, []).append(peak["python"])
        if intake := taken(rig.scratch / "intake.json"):
            figures.intakes.append(intake)
        if told := taken(rig.scratch / "run.json"):
            check_report(contender.label, told, RESULTS[contender.label[0]])

    seconds = rig.take_turns(compared, rounds, look)
    figures.cpu |= rig.cpu
    for other in compared[1:]:
        check_same(compared[0], other, held)
    return seconds


def present(rig: Rig, pool: Path, rounds: int) -> dict[str, list[float]]:
    """Time what is called when nothing is missing: the least that a run must call, Go itself, the run."""
    run = [sys.executable, "-m", "go_prefetch", "run", "--store", f"dir:{pool}", "--goproxy", "off", "--quiet"]
    compared = [
        Contender("i  go env", [["go", "env"]], {}),
        Contender("j  go mod download", [DOWNLOAD], NO_NETWORK),
        Contender("k  go-prefetch run", [run], {}),
    ]
    seconds: dict[str, list[float]] = {contender.label: [] for contender in compared}
    with rig.module_cache() as module_cache:
        rig.run(DOWNLOAD, {"GOPROXY": f"file://{pool}", "GOMODCACHE": str(module_cache)})
        for _ in range(2 * rounds + 1):
            for contender in compared:
                seconds[contender.label].append(rig.measure(contender, module_cache))
    return {label: taken[1:] for label, taken in seconds.items()}  # the first has filled the disk's cache


def measure(options: argparse.Namespace, rig: Rig, proxy: Path) -> Figures:
    """Measure the parts that are asked for."""
    figures, wanted = Figures(), options.parts
    pool = Path(shutil.copytree(proxy, rig.scratch / "pool"))
    if "archive" in wanted:
        figures.archives = make(rig, proxy)
    fresh: dict[str, Callable[[], list[Contender]]] = {
        "archive": lambda: archive_contenders(rig),
        "pool": lambda: pool_contenders(rig, pool, options.other),
        "changed": lambda: changed_contenders(rig, pool),
    }
    if "present" in wanted:
        figures.seconds["present"] = present(rig, pool, options.rounds)
    for part in [part for part in fresh if part in wanted]:
        figures.seconds[part] = compare(rig, fresh[part](), options.rounds, figures)
    return figures


def report(options: argparse.Namespace, fetched: Project, figures: Figures) -> None:
    """Print the tables; write them as JSON and as a chart if asked."""
    told = conditions(options, fetched)
    if figures.archives:
        told |= {
            "whole tree MB": round(figures.archives.tree / 1e6, 1),
            "zips MB": round(figures.archives.zips / 1e6, 1),
        }
    every = {label: values for seconds in figures.seconds.values() for label, values in seconds.items()}
    tables: dict[str, Rows] = {
        **{f"{part}: seconds": seconds for part, seconds in figures.seconds.items()},
        "ratio of each round": ratios(every, *RATIOS),
        "difference of each round": differences(every, "k-i"),
        "CPU seconds, user and system": figures.cpu,
        "CPU ratio of each round": ratios(figures.cpu, *RATIOS),
        "peak MB of our Python": figures.peaks,
    }
    print_tables(told, tables)
    write_json(options.json, {"conditions": told, "tables": tables, "intakes": figures.intakes})
    if options.svg and "archive" in figures.seconds:
        options.svg.write_text(drawn(told, figures.seconds["archive"]), encoding="utf-8")


def drawn(told: dict[str, object], seconds: dict[str, list[float]]) -> str:
    """Return the chart of the archive part."""
    link = f"{told['link-rate']:g} MB/s" if told["link-rate"] else "a link without limit"
    project = f"{told['module']}: {told['zips']} modules, {told['megabytes']} MB of zips"
    place = f"{link}, {told['latency']} to the first byte, {told['cpus']} processors, {told['go']}"
    rounds = f"median, least and most of {len(next(iter(seconds.values())))} rounds"
    named = {label[3:]: taken for label, taken in seconds.items()}
    ours = frozenset(label[3:] for label in seconds if label.startswith("d"))
    return chart("From cache service to module cache", [project, f"{place}; {rounds}"], named, ours)


def main() -> None:
    """Fetch the project, measure, report."""
    options = parse_arguments()
    try:
        fetched = fetch(options.module, options.cache_dir.expanduser().resolve())
        with assembled(options, fetched) as rig:
            figures = measure(options, rig, fetched.proxy)
    except (BenchError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/warm.py: {failed}")
    report(options, fetched, figures)


if __name__ == "__main__":
    main()
