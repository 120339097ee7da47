"""Measure how a restored module cache is verified and unpacked: by the quarantine, by Go alone, or as a tree of tar.

python bench/quarantine.py                           examples/service, three rounds
python bench/quarantine.py MODULE@VERSION --rounds 5 --summary FILE

It runs on Linux, macOS and Windows, and needs Go, tar and zstd. The ways take turns. Each starts with an empty module
cache, and afterwards Go must find every module as go.sum says. Only the first fill needs the module proxy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from go_prefetch.base.trees import remove_trees, walk  # noqa: E402 - it may not be installed

GO = ("go", "mod", "download")
OFFLINE = {"GOPROXY": "off"}
COMMAND = (sys.executable, "-m", "go_prefetch", "run")


@dataclass
class Way:
    """One way to fill a module cache, and what it took in each round."""

    name: str
    fill: Callable[[], Mapping[str, Any]]
    seconds: list[float] = field(default_factory=list)
    reports: list[Mapping[str, Any]] = field(default_factory=list)


class Rig:
    """A project, a pool with its modules, and a module cache that is emptied for each way."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder, self.project = folder, project
        self.modcache, self.pool, self.report = folder / "mod", folder / "pool", folder / "report.json"
        self.archive = folder / "mod.tar.zst"
        self.environ = {
            **{name: text for name, text in os.environ.items() if not name.startswith(("GO_PREFETCH_", "INPUT_"))},
            "GOMODCACHE": str(self.modcache),
            "GOFLAGS": "-mod=mod",
            "GOWORK": "off",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", "")))),
        }

    def run(self, argv: Sequence[str], variables: Mapping[str, str], cwd: Path | None = None) -> None:
        """Run a program. Ends the bench if it fails."""
        environ = {**self.environ, **variables}
        done = subprocess.run(
            list(argv), cwd=cwd or self.project, env=environ, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            sys.exit(
                f"{' '.join(argv)}: status {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')}"
            )

    def prefetch(self, quarantine: str, variables: Mapping[str, str]) -> Mapping[str, Any]:
        """Run go-prefetch and return its report."""
        options = ("--store", f"dir:{self.pool}", "--quarantine", quarantine, "--report-file", str(self.report))
        self.run((*COMMAND, *options), variables)
        report: Mapping[str, Any] = json.loads(self.report.read_text(encoding="utf-8"))
        return report

    def plain(self) -> Mapping[str, Any]:
        """Let Go read the pool as a proxy, as it would after a restore of zips."""
        self.run(GO, {"GOPROXY": self.pool.as_uri(), "GOSUMDB": "off"})
        return {}

    def unpack(self) -> Mapping[str, Any]:
        """Unpack an archive of the whole module cache, as setup-go's cache does, and let Go look at it."""
        self.modcache.mkdir()
        self.run(("tar", "-xf", self.archive.name, "-C", self.modcache.name, "--zstd"), {}, self.folder)
        self.run(GO, OFFLINE)
        return {}

    def pack(self) -> None:
        """Pack the module cache."""
        self.run(("tar", "-cf", self.archive.name, "-C", self.modcache.name, "--zstd", "."), {}, self.folder)

    def empty(self) -> None:
        """Remove the module cache."""
        if self.modcache.exists():
            remove_trees(self.modcache)

    def check(self) -> None:
        """End the bench unless every module is there and as go.sum says, and nothing of a quarantine is left."""
        self.run(GO, OFFLINE)
        self.run(("go", "mod", "verify"), OFFLINE)
        left = [path.name for path in (self.modcache / "cache").glob("go-prefetch-*")]
        if left:
            sys.exit(f"left behind: {left}")

    def files(self) -> int:
        """Return the number of files of the unpacked modules."""
        cache = self.modcache / "cache"
        found = walk(self.modcache, enter=lambda path: path != cache)
        return sum(sum(not entry.is_dir(follow_symlinks=False) for entry in entries) for _, entries in found)


def project_of(module: str, folder: Path, environ: Mapping[str, str]) -> Path:
    """Download a module and return a copy of its go.mod and go.sum, as a project."""
    argv = ("go", "mod", "download", "-json", module)
    said = json.loads(subprocess.run(argv, cwd=folder, env=dict(environ), capture_output=True, check=True).stdout)
    project = folder / "project"
    project.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(Path(said["Dir"], name), project / name)
    return project


def measure(rig: Rig, rounds: int, *, with_tar: bool) -> list[Way]:
    """Fill the pool, then let the ways take turns."""
    rig.prefetch("false", {})
    rig.check()
    ways = [
        Way("go mod download from the pool", rig.plain),
        Way("go-prefetch without the quarantine", lambda: rig.prefetch("false", OFFLINE)),
        Way("go-prefetch with the quarantine", lambda: rig.prefetch("true", OFFLINE)),
    ]
    if with_tar:
        rig.pack()
        ways.append(Way("tar of the whole module cache, then go mod download", rig.unpack))
    for number in range(rounds):
        for way in (*ways[number % len(ways) :], *ways[: number % len(ways)]):
            rig.empty()
            began = time.monotonic()
            way.reports.append(way.fill())
            way.seconds.append(time.monotonic() - began)
            rig.check()
            print(f"round {number + 1}: {way.name}: {way.seconds[-1]:.2f} s", flush=True)
    return ways


def summary(rig: Rig, ways: Sequence[Way]) -> str:
    """Return the figures as Markdown."""
    off, on = ways[1], ways[2]
    ratios = [one / other for one, other in zip(on.seconds, off.seconds, strict=True)]
    admitted = [report["admit"]["modules"] for report in on.reports]
    modules = [report["outputs"]["modules"] for report in on.reports]
    deferred = [report["admit"]["left_to_go"] for report in on.reports]
    lines = [
        f"### Restored modules on {sys.platform}", "",
        f"{modules[0]} modules, {rig.files()} files unpacked, {os.cpu_count()} cores, {len(off.seconds)} rounds.", "",
        "| way | least | median | most |", "|---|--:|--:|--:|",
        *(f"| {way.name} | {_seconds(min(way.seconds))} | {_seconds(statistics.median(way.seconds))} "
          f"| {_seconds(max(way.seconds))} |" for way in ways),
        "",
        f"With the quarantine / without: {min(ratios):.2f}, {statistics.median(ratios):.2f}, {max(ratios):.2f}.",
        f"Modules verified in the quarantine: {admitted} of {modules}. Left to Go: {deferred}.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", nargs="?", help="MODULE@VERSION whose dependencies are restored")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where all files are; on Windows, the drive decides much")
    parser.add_argument("--json", type=Path, help="write the seconds of all rounds")
    parser.add_argument("--summary", type=Path, help="add the table to this file, such as a job summary")
    parser.add_argument("--no-tar", action="store_true", help="without tar and zstd")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-quarantine-", dir=given.folder)).resolve()
    rig = Rig(folder, ROOT / "examples" / "service")
    try:
        if given.module:
            rig.project = project_of(given.module, folder, rig.environ)
            rig.empty()
        ways = measure(rig, given.rounds, with_tar=not given.no_tar)
        text = summary(rig, ways)
    finally:
        remove_trees(folder, ignore_errors=True)
    print(f"\n{text}")
    if given.json:
        given.json.write_text(json.dumps({way.name: way.seconds for way in ways}), encoding="utf-8")
    if given.summary:
        with given.summary.open("a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
