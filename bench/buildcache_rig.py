"""Jobs with a build cache: their checkout, GOCACHE and module cache have the same path each time."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cacheservice import CacheService, Job, Traffic, running
from go_prefetch.config.kinds import duration
from history import go
from officialclient import OfficialClient
from rig import Contender, Rig, environment, hide_zstd_module, scratch_folder

HERE = Path(__file__).resolve().parent
ROOM = 1_000_000_000  # bytes that a part may need, over the factor of scratch_folder


@dataclass(frozen=True)
class Release:
    """One version of a project: its own files in the module cache, and what identifies its go.sum."""

    version: str
    folder: Path
    sums: str


@dataclass(frozen=True)
class Outcome:
    """What a build has left: the sha256 of each program, and what `go vet` has said."""

    programs: dict[str, str]
    vet: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where jobs run. The module cache is full."""

    rig: Rig
    modules: Path
    client: OfficialClient
    service: CacheService

    @property
    def build_cache(self) -> Path:
        """GOCACHE."""
        return Path(self.rig.environ["GOCACHE"])

    def clear(self) -> None:
        """Empty GOCACHE."""
        shutil.rmtree(self.build_cache, ignore_errors=True)
        self.build_cache.mkdir()

    def check_out(self, release: Release) -> None:
        """Replace the checkout by this version, with new mtimes."""
        target = self.rig.project
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(release.folder, target, copy_function=shutil.copyfile)
        shutil.rmtree(target / "vendor", ignore_errors=True)  # a module's zip has only a part of it

    def build(self, label: str, environ: dict[str, str], *, with_vet: bool = True) -> tuple[float, Outcome]:
        """Build all programs and packages of the checkout, vet them; return the seconds and what came of it."""
        programs, said = self.rig.scratch / "programs", self.rig.scratch / "vet"
        shutil.rmtree(programs, ignore_errors=True)
        said.write_text("")
        commands = [["go", "build", "-o", f"{programs}{os.sep}", "./..."]]
        if with_vet:
            commands.append(["sh", "-c", f"go vet ./... >{said} 2>&1; echo status $? >>{said}"])
        seconds = self.rig.measure(Contender(label, commands, environ), self.modules)
        digests = {file.name: sha256(file.read_bytes()).hexdigest() for file in sorted(programs.iterdir())}
        return seconds, Outcome(digests, tuple(sorted(said.read_text(encoding="utf-8").splitlines())))

    def ours(self, what: str, name: str, number: int) -> Contender:
        """Return `go-prefetch build-cache restore` or `save` in the job of this number."""
        runner = self.rig.scratch / "runner"
        environ = {
            **Job(runner, self.service.url, number).environ(),
            "GO_PREFETCH_JOB_STATUS": "success",  # otherwise what a job did not use stays in the set
            "GO_PREFETCH_BUILD_CACHE_STATE": str(runner / "build-cache-state.json"),
        }
        noting = [sys.executable, str(HERE / "peak.py"), str(self.rig.scratch / "peak.json"), "-m", "go_prefetch"]
        command = [*noting, "build-cache", what, "--store", "github", "--build-cache-name", name]
        return Contender(f"ours {what}", [command], environ)

    def official(self, label: str, *commands: list[str]) -> Contender:
        """Return commands of GitHub's client for GOCACHE: run them with GOCACHE as the module cache."""
        job = Job(self.rig.scratch / "runner", self.service.url_for_official)
        return Contender(label, list(commands), self.client.environ(job, self.service.authority))


def releases(module: str, versions: list[str], cache: Path) -> list[Release]:
    """Download these versions and all that their builds need into one module cache, unless they are there."""
    found = []
    for version in versions:
        folder = modules_of(cache) / f"{_escaped(module)}@{version}"
        whole = cache / "buildcache" / "complete" / f"{_escaped(module)}@{version}"
        if not whole.exists():
            told = json.loads(_go(cache, "mod", "download", "-json", f"{module}@{version}"))
            _go(cache, "-C", told["Dir"], "mod", "download")
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.touch()
            print(f"fetched {module}@{version}", file=sys.stderr)
        found.append(Release(version, folder, sha256((folder / "go.sum").read_bytes()).hexdigest()))
    return found


def modules_of(cache: Path) -> Path:
    """Return the module cache of all projects of this bench."""
    return cache / "buildcache" / "modcache"


@contextlib.contextmanager
def place(options: argparse.Namespace, client: OfficialClient) -> Iterator[Place]:
    """Start an empty service, and make folders for a checkout and for GOCACHE."""
    where = options.scratch_dir or scratch_folder(ROOM)
    with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as temporary:
        scratch = Path(temporary).resolve()
        (scratch / "blobs").mkdir()
        latency = 0 if options.latency in ("0", "0s") else duration(options.latency)
        traffic = Traffic(latency, options.stream_rate, options.link_rate)
        with running(scratch, traffic, folder=scratch / "blobs", has_limits=False) as service:
            environ = environment("off", service.authority)
            environ["GOCACHE"] = str(scratch / "gocache")
            environ["GOFLAGS"] = "-trimpath -buildvcs=false"
            environ["GOWORK"] = "off"
            hidden = str(hide_zstd_module(scratch))
            environ["PYTHONPATH"] = os.pathsep.join([hidden, environ.get("PYTHONPATH", "")])
            rig = Rig(scratch / "checkout", "", environ, scratch, scratch)
            yield Place(rig, modules_of(options.cache_dir.expanduser().resolve()), client, service)


def _go(cache: Path, *arguments: str) -> str:
    return go(*arguments, GOMODCACHE=str(modules_of(cache)), GOFLAGS="-modcacherw")


def _escaped(module: str) -> str:
    """Return a module's path as its folder is named."""
    return "".join(f"!{letter.lower()}" if letter.isupper() else letter for letter in module)
