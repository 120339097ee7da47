"""Where contenders run: a project, a slow proxy on loopback, the same small environment, fresh module caches."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realproject import BenchError, Project

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.fakes.go_proxy import GoProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "GOROOT", "PYTHONPATH", "VIRTUAL_ENV")
TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
RUN_LIMIT = 900  # seconds
SCRATCH_FACTOR = 16  # two module caches with their unpacked trees and archives of one, in sizes of its zips, generously


def nothing(module_cache: Path) -> None:
    """Leave all as it is."""


@dataclass(frozen=True)
class Contender:
    """One way to fill a module cache: commands run one after the other, timed together."""

    label: str
    commands: list[list[str]]
    environ: dict[str, str]
    before: Callable[[Path], None] = nothing  # brings about what it starts from, given its module cache; not timed


@dataclass(frozen=True)
class Rig:
    """Where the runs happen: a project, a proxy to download from, and a folder for module caches."""

    project: Path
    url: str
    environ: dict[str, str]
    scratch: Path
    files: Path  # what lies in here is served below URL/-/
    cpu: dict[str, list[float]] = field(
        default_factory=dict
    )  # user and system seconds by label: a busy machine's clock

    @contextlib.contextmanager
    def module_cache(self) -> Iterator[Path]:
        """Make an empty module cache; delete it afterwards as Go does, whose trees are read-only."""
        folder = Path(tempfile.mkdtemp(dir=self.scratch, prefix="modcache-"))
        try:
            yield folder
        finally:
            self.run(["go", "clean", "-modcache"], {"GOMODCACHE": str(folder)})
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, command: list[str], extra: dict[str, str]) -> None:
        """Run one command in the project; fail with all it has said unless it exits 0."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env={**self.environ, **extra},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"{shlex.join(command)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")

    def run_all(self, contender: Contender, module_cache: Path) -> None:
        """Run the contender's commands with this module cache."""
        for command in contender.commands:
            self.run(command, {**contender.environ, "GOMODCACHE": str(module_cache)})

    def measure(self, contender: Contender, module_cache: Path) -> float:
        """Return the seconds that the contender takes with this module cache."""
        contender.before(module_cache)
        start, used = time.perf_counter(), os.times()
        self.run_all(contender, module_cache)
        seconds, now = time.perf_counter() - start, os.times()
        worked = now.children_user + now.children_system - used.children_user - used.children_system
        self.cpu.setdefault(contender.label, []).append(worked)
        return seconds

    def take_turns(
        self, compared: Sequence[Contender], rounds: int, after: Callable[[Contender, Path, int], None]
    ) -> dict[str, list[float]]:
        """Time all in every round, each in a fresh module cache at which `after` looks, the order rotating."""
        seconds: dict[str, list[float]] = {contender.label: [] for contender in compared}
        for number in range(rounds):
            shift = number % len(compared)
            for contender in (*compared[shift:], *compared[:shift]):
                with self.module_cache() as module_cache:
                    taken = self.measure(contender, module_cache)
                    seconds[contender.label].append(taken)
                    load = f"load {os.getloadavg()[0]:.1f}"
                    print(f"round {number + 1}: {contender.label}: {taken:.2f} s ({load})", file=sys.stderr)
                    after(contender, module_cache, number)
        return seconds


def by_other(rig: Rig, contender: Contender, label: str, source: Path) -> Contender:
    """Return the same contender with the go_prefetch of another checkout."""
    path = os.pathsep.join([str(source.resolve()), rig.environ.get("PYTHONPATH", "")])
    return replace(contender, label=label, environ={**contender.environ, "PYTHONPATH": path})


def contents(module_cache: Path) -> set[str]:
    """Return the zips and the unpacked trees of a module cache: with both, a build needs no network."""
    downloads = module_cache / "cache" / "download"
    found = {f"zip {file.relative_to(downloads)}" for file in downloads.rglob("*.zip")}
    for folder, below, _ in os.walk(module_cache):
        if Path(folder) == module_cache and "cache" in below:
            below.remove("cache")
        found |= {f"tree {Path(folder, name).relative_to(module_cache)}" for name in below if "@" in name}
        below[:] = [name for name in below if "@" not in name]
    return found


def check_same(left: Contender, right: Contender, held: dict[str, set[str]]) -> None:
    """Fail unless both have left the same zips and trees."""
    differences = sorted(held[left.label] ^ held[right.label])
    if differences:
        listed = "\n".join(f"  {name}" for name in differences[:20])
        raise BenchError(f"{left.label!r} and {right.label!r} differ in {len(differences)} zips or trees:\n{listed}")


def taken(file: Path) -> Any:
    """Read what a run has written, and remove it; return None if it has written nothing."""
    if not file.exists():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return told


def check_report(label: str, report: dict[str, Any], result: str) -> None:
    """Fail unless a run of go-prefetch had this cache result and no warning, and left nothing to Go's downloads."""
    found, by_go = report["outputs"]["cache-result"], report["complete"]["files_by_go"]
    if found != result or report["warnings"] or by_go:
        raise BenchError(f"{label!r} is no {result} run: {found}, {by_go} files by Go, warnings {report['warnings']}")


def hide_zstd_module(scratch: Path) -> Path:
    """Make a folder that hides backports.zstd if Python looks there first: hosted runners do not have it."""
    package = scratch / "shadow" / "backports"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parent


def scratch_folder(zip_bytes: int) -> str | None:
    """Return the RAM disk if a module cache of that many bytes of zips fits well, else None: the temporary folder."""
    ram = Path("/dev/shm")
    if ram.is_dir() and os.access(ram, os.W_OK) and shutil.disk_usage(ram).free > SCRATCH_FACTOR * zip_bytes:
        return str(ram)
    return None


def slow_proxy(folder: Path, latency: str, stream_rate: float, link_rate: float, *flags: str) -> GoProxy:
    """Return the tests' proxy of a folder: its wait before each response as Go writes it, rates in MB/s, 0 for none."""
    rates = ["-stream-rate", str(int(stream_rate * 1e6)), "-link-rate", str(int(link_rate * 1e6))]
    return GoProxy(folder, "-latency", latency, *rates, *flags)


@contextlib.contextmanager
def assembled(options: argparse.Namespace, fetched: Project) -> Iterator[Rig]:
    """Put a copy of the project, the running proxy and its environment together."""
    where = options.scratch_dir or scratch_folder(fetched.count()[1])
    with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as temporary:
        scratch = Path(temporary).resolve()
        project = Path(shutil.copytree(fetched.folder, scratch / "project"))
        proxy = Path(shutil.copytree(fetched.proxy, scratch / "proxy"))
        files = scratch / "files"
        files.mkdir()
        slow = (options.latency, options.stream_rate, options.link_rate)
        with slow_proxy(proxy, *slow, "-files", str(files)) as server:
            yield Rig(project, server.url, environment(server.url, server.certificate), scratch, files)


def environment(url: str, certificate: Path) -> dict[str, str]:
    """Return the same small environment for every contender: no CI, no user's Go settings, no checksum database."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    go = {"GOENV": "off", "GOPROXY": url, "GOSUMDB": "off", "GOTOOLCHAIN": "local"}
    return {**kept, **go, **dict.fromkeys(TRUST_VARIABLES, str(certificate))}
