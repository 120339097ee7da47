"""A real Go project, and all that its modules need as a folder in GOPROXY layout, fetched from a module proxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

_AS_ARGUMENT = "{{if .Replace}}{{.Replace.Path}}@{{.Replace.Version}}{{else}}{{.Path}}@{{.Version}}{{end}}"


class BenchError(Exception):
    """Something that the benchmark cannot go on without has failed."""


@dataclass(frozen=True)
class Project:
    """A module's own files, writable, and what a proxy must serve to download its dependencies."""

    module: str
    folder: Path
    proxy: Path

    def count(self) -> tuple[int, int]:
        """Return how many zips the proxy has, and how many bytes they are."""
        sizes = [file.stat().st_size for file in self.proxy.rglob("*.zip")]
        return len(sizes), sum(sizes)

    def zips(self) -> set[Path]:
        """Return the names of the zips below the proxy's folder."""
        return {file.relative_to(self.proxy) for file in self.proxy.rglob("*.zip")}


def fetch(module: str, cache: Path) -> Project:
    """Return the project of `PATH@VERSION`, from the cache folder if an earlier call has left it there."""
    kept = cache / module.replace("/", "_")
    if not kept.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as temporary:
            _assemble(module, Path(temporary))
            (Path(temporary) / "done").rename(kept)
    return Project(module, kept / "project", kept / "proxy")


def fetch_folder(folder: Path, cache: Path) -> Project:
    """Return a copy of the project in a folder with what a proxy must serve; fetched anew, for it may have changed."""
    kept = cache / folder.resolve().name
    shutil.rmtree(kept, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as temporary:
        project = Path(temporary) / "done" / "project"
        project.parent.mkdir()
        shutil.copytree(folder, project)
        _gather(Path(temporary))
        project.parent.rename(kept)
    return Project(str(folder), kept / "project", kept / "proxy")


def fetch_changed(project: Project, change: str, cache: Path) -> Project:
    """Return the project with another dependency, a PATH@VERSION, from the cache folder if an earlier call left it."""
    kept = cache / f"{project.module}+{change}".replace("/", "_")
    if not kept.is_dir():
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as temporary:
            done = Path(temporary) / "done"
            shutil.copytree(project.proxy, done / "proxy")
            with_another(project.folder, change, done / "proxy", done).rename(done / "project")
            done.rename(kept)
    return Project(f"{project.module} with {change}", kept / "project", kept / "proxy")


def with_another(project: Path, module: str, proxy: Path, scratch: Path) -> Path:
    """Return a copy of the project that needs this PATH@VERSION, which the proxy has from then on."""
    changed, module_cache = scratch / "changed", scratch / "changed-modcache"
    shutil.copytree(project, changed)
    _go(["get", module], changed, module_cache)
    _go(["mod", "download"], changed, module_cache)
    shutil.rmtree(module_cache / "cache" / "download" / "sumdb", ignore_errors=True)
    shutil.copytree(module_cache / "cache" / "download", proxy, dirs_exist_ok=True)
    shutil.rmtree(module_cache)
    return changed


def _assemble(module: str, temporary: Path) -> None:
    project = temporary / "done" / "project"
    project.parent.mkdir()
    _extract(module, _download(module, temporary, temporary / "own"), project)
    _gather(temporary)


def _gather(temporary: Path) -> None:
    """Make `done/proxy` of what `done/project` needs."""
    project, done = temporary / "done" / "project", temporary / "done" / "proxy"
    module_cache = temporary / "modcache"
    _go(["list", "-m", "all"], project, module_cache)
    _go(["mod", "download"], project, module_cache)
    _complete(project / "go.sum", temporary, module_cache)
    (module_cache / "cache" / "download").rename(done)
    shutil.rmtree(done / "sumdb", ignore_errors=True)


def _download(module: str, folder: Path, module_cache: Path) -> Path:
    answer = json.loads(_go(["mod", "download", "-json", module], folder, module_cache))
    return Path(answer["Zip"])


def _extract(module: str, archive: Path, project: Path) -> None:
    unpacked = project.with_name("unpacked")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(unpacked)
    (unpacked / module).rename(project)
    shutil.rmtree(unpacked)
    # What would change which modules are needed: neither is complete in a module's zip.
    shutil.rmtree(project / "vendor", ignore_errors=True)
    for name in ("go.work", "go.work.sum"):
        (project / name).unlink(missing_ok=True)
    if not (project / "go.sum").is_file():
        raise BenchError(f"{module} has no go.sum: nothing to check the downloads against")


def _complete(go_sum: Path, folder: Path, module_cache: Path) -> None:
    """Fetch the .info and .mod that go.sum names beyond the module graph: a real proxy has those as well."""
    wanted = set()
    for line in go_sum.read_text(encoding="utf-8").splitlines():
        path, version, _ = line.split()
        if version.endswith("/go.mod"):
            wanted.add(f"{path}@{version.removesuffix('/go.mod')}")
    known = set(_go(["list", "-m", "-f", _AS_ARGUMENT, "all"], go_sum.parent, module_cache).split())
    if missing := sorted(wanted - known):
        _go(["list", "-m", "-e", "-json", *missing], folder, module_cache)


def _go(arguments: list[str], folder: Path, module_cache: Path) -> str:
    """Run go with the user's own settings and 64 requests at a time; return its standard output."""
    ours = {"GOMODCACHE": str(module_cache), "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run(
        ["go", *arguments],
        cwd=folder,
        env={**os.environ, **ours, "GOMAXPROCS": "64"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(
            f"go {' '.join(arguments[:4])} ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout
