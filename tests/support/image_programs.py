"""The programs that build and keep images: Debian's, and those that Go builds from the module proxy once a user."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUILDKIT = "v0.19.0"  # with Debian 12's runc
BUILDX = "v0.38.2"  # what `docker buildx` is; reads bake and compose files
REGISTRY = "v3.1.2"  # the registry that `docker run registry:3` is


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One worker of the test run at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kept() -> Path:
    """Where what takes minutes to make stays from one run of the tests to the next: nothing in it depends on us."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "go-prefetch-tests"


def missing_programs() -> str:
    """Which of the Debian programs are not there, as a reason to skip."""
    lacking = [name for name in ("buildah", "runc", "busybox", "unshare") if not shutil.which(name)]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def buildkit_programs() -> Path:
    """The folder of buildkitd and buildctl."""
    folder = kept() / f"buildkit-{BUILDKIT}"
    with alone(folder):
        if not (folder / "buildkitd").is_file():
            _from_source(f"github.com/moby/buildkit@{BUILDKIT}", ("buildctl", "buildkitd"), folder)
    return folder


def buildx_program() -> Path:
    """`buildx`, which the docker command starts as its plugin."""
    return _installed("github.com/docker/buildx/cmd/buildx", BUILDX)


def registry_program() -> Path:
    """The registry of the CNCF's distribution project."""
    return _installed("github.com/distribution/distribution/v3/cmd/registry", REGISTRY)


def _installed(package: str, version: str) -> Path:
    name = package.rpartition("/")[2]
    folder = kept() / f"{name}-{version}"
    with alone(folder):
        if not (folder / name).is_file():
            environ = _go_environ() | {"GOBIN": str(folder)}
            install = ["go", "install", "-ldflags=-s -w", f"{package}@{version}"]
            subprocess.run(install, cwd=folder, env=environ, check=True, timeout=900)
    return folder / name


def _from_source(module: str, commands: tuple[str, ...], folder: Path) -> None:
    """Build commands in a copy of the module: `go install` refuses one whose go.mod has exclude or replace lines."""
    environ = _go_environ() | {"GOFLAGS": "-mod=mod -buildvcs=false"}
    said = subprocess.run(["go", "mod", "download", "-json", module], capture_output=True, check=True, env=environ)
    source = folder / "source"
    shutil.copytree(json.loads(said.stdout)["Dir"], source, ignore=shutil.ignore_patterns("vendor"))
    for path in (source, *source.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    build = ["go", "build", "-ldflags=-s -w", "-o", f"{folder}/", *(f"./cmd/{name}" for name in commands)]
    subprocess.run(build, cwd=source, env=environ, check=True, timeout=900)
    shutil.rmtree(source)


def _go_environ() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}
