"""The programs that build and keep images: Debian's, and those that Go builds from the module proxy once a user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.made_once import made_once

BUILDKIT = "v0.19.0"  # with Debian 12's runc
BUILDX = "v0.38.2"  # what `docker buildx` is; reads bake and compose files
REGISTRY = "v3.1.2"  # the registry that `docker run registry:3` is


def missing_programs() -> str:
    """Which of the Debian programs are not there, as a reason to skip."""
    lacking = [name for name in ("buildah", "runc", "busybox", "unshare") if not shutil.which(name)]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def storage_driver() -> str:
    """Return how buildah can keep layers here: upon each other, else each as a copy of the whole tree."""
    with TemporaryDirectory() as folder:
        argv = [
            "buildah",
            "--storage-driver",
            "overlay",
            "--root",
            f"{folder}/root",
            "--runroot",
            f"{folder}/run",
            "info",
        ]
        return "overlay" if subprocess.run(argv, capture_output=True, check=False).returncode == 0 else "vfs"


def buildkit_programs() -> Path:
    """The folder of buildkitd and buildctl."""
    with made_once("buildkit", BUILDKIT) as (folder, is_new):
        if is_new:
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
    with made_once(name, version) as (folder, is_new):
        if is_new:
            environ = _go_environ() | {"GOBIN": str(folder)}
            install = ["go", "install", "-ldflags=-s -w", f"{package}@{version}"]
            subprocess.run(install, cwd=folder, env=environ, check=True)
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
    subprocess.run(build, cwd=source, env=environ, check=True)
    shutil.rmtree(source)


def _go_environ() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}
