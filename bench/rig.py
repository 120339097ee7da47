"""Where contenders run: a project, a slow proxy on loopback, the same small environment, fresh module caches."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realproject import BenchError, Project

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "GOROOT", "PYTHONPATH", "VIRTUAL_ENV")
RUN_LIMIT = 900  # seconds
MODULE_CACHE_FACTOR = 10  # a module cache with its unpacked trees, in sizes of its zips, generously


@dataclass(frozen=True)
class Contender:
    """One way to fill a module cache: commands run one after the other, timed together."""

    label: str
    commands: list[list[str]]
    environ: dict[str, str]


@dataclass(frozen=True)
class Rig:
    """Where the runs happen: a project, a proxy to download from, and a folder for module caches."""

    project: Path
    url: str
    environ: dict[str, str]
    scratch: Path

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

    def measure(self, contender: Contender, module_cache: Path) -> float:
        """Return the seconds that the contender takes with this module cache."""
        start = time.perf_counter()
        for command in contender.commands:
            self.run(command, {**contender.environ, "GOMODCACHE": str(module_cache)})
        return time.perf_counter() - start


def scratch_folder(zip_bytes: int) -> str | None:
    """Return the RAM disk if a module cache of that many bytes of zips fits well, else None: the temporary folder."""
    ram = Path("/dev/shm")
    if ram.is_dir() and os.access(ram, os.W_OK) and shutil.disk_usage(ram).free > MODULE_CACHE_FACTOR * zip_bytes:
        return str(ram)
    return None


@contextlib.contextmanager
def served(options: argparse.Namespace, folder: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Serve the folder with the wanted latency and rates; give the URL and the file of the certificate."""
    program, certificate = scratch / "modproxy", scratch / "modproxy.pem"
    plain = {"GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    subprocess.run(
        ["go", "build", "-o", str(program), "."],
        cwd=Path(__file__).resolve().parent / "modproxy",
        env={**os.environ, **plain},
        check=True,
    )
    command = [str(program), "-dir", str(folder), "-cert-out", str(certificate), "-latency", options.latency]
    command += ["-stream-rate", str(int(options.stream_rate * 1e6)), "-link-rate", str(int(options.link_rate * 1e6))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = (server.stdout.readline() if server.stdout else "").strip()
            if not url:
                raise BenchError("the proxy did not start; what it said is above")
            yield url, certificate
        finally:
            server.terminate()


@contextlib.contextmanager
def assembled(options: argparse.Namespace, fetched: Project) -> Iterator[Rig]:
    """Put a copy of the project, the running proxy and its environment together."""
    where = options.scratch_dir or scratch_folder(fetched.count()[1])
    with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as temporary:
        scratch = Path(temporary).resolve()
        project = Path(shutil.copytree(fetched.folder, scratch / "project"))
        proxy = Path(shutil.copytree(fetched.proxy, scratch / "proxy"))
        with served(options, proxy, scratch) as (url, certificate):
            yield Rig(project, url, environment(url, certificate), scratch)


def environment(url: str, certificate: Path) -> dict[str, str]:
    """Return the same small environment for every contender: no CI, no user's Go settings, no checksum database."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    go = {"GOENV": "off", "GOPROXY": url, "GOSUMDB": "off", "GOTOOLCHAIN": "local"}
    return {**kept, **go, "SSL_CERT_FILE": str(certificate), "REQUESTS_CA_BUNDLE": str(certificate)}
