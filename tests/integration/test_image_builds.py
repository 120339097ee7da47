"""Real image builds of examples/service from the folder of modules, with no network at all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.image_builders import Buildah, BuildKit
from tests.support.made_once import alone, kept
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network]

SERVICE = Path(__file__).parents[2] / "examples" / "service"
DOWNLOAD = "go mod download"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build cache in which the service's dependencies are compiled: what is tested is not Go's compiler."""
    folder = kept() / "compiled"
    environ = Workbench(tmp_path_factory.mktemp("compiling"), folder).environ
    build = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", os.devnull, "."]
    with alone(folder):
        subprocess.run(build, cwd=SERVICE, env={**environ, "CGO_ENABLED": "0"}, check=True, timeout=900)
    return folder


@pytest.fixture
def service(bench: Workbench) -> Workbench:
    """A workbench whose project is a copy of examples/service."""
    shutil.copytree(SERVICE, bench.project)
    return bench


def written(bench: Workbench, kind: str) -> None:
    """The Dockerfile that is printed."""
    text = prefetch(bench, "docker", "--dockerfile", kind).stdout
    (bench.project / "Dockerfile").write_text(text)
    assert prefetch(bench, "docker", "--check", "Dockerfile").status == 0


def change(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n// changed\n")


def test_buildah(service: Workbench, buildah: Buildah, compiled: Path) -> None:
    """Built offline from a folder of the context; after a change of sources the dependency layer is the cached one."""
    assert service.run("docker", "--output", "gomod").status == 0
    written(service, "plain")
    first = buildah.build(service.project, compiled)
    assert not first.was_cached(f"RUN {DOWNLOAD}")
    assert "app" in buildah.files()
    change(service.project / "main.go")
    shutil.rmtree(service.project / "gomod")
    assert service.run("docker", "--output", "gomod").status == 0
    second = buildah.build(service.project, compiled)
    assert second.was_cached("COPY gomod/ /gomod/"), "another folder with the same bytes is the same layer"
    assert second.was_cached(f"RUN {DOWNLOAD}")
    assert not second.was_cached("COPY . /src/")


@pytest.mark.nightly  # BuildKit is compiled first, for minutes
def test_buildkit(service: Workbench, builders: tuple[Buildah, BuildKit], compiled: Path) -> None:
    """The same with a named context, and RUN --network=none; after one dependency has changed, one is downloaded."""
    _, buildkit = builders
    gomod = service.folder / "gomod"
    assert service.run("docker", "--output", str(gomod)).status == 0
    written(service, "buildkit")
    buildkit.seed(service.project, compiled)
    assert not buildkit.build(service.project, gomod).was_cached(DOWNLOAD)
    assert "app" in buildkit.files()
    change(service.project / "main.go")
    shutil.rmtree(gomod)
    assert service.run("docker", "--output", str(gomod)).status == 0
    second = buildkit.build(service.project, gomod)
    assert second.was_cached(DOWNLOAD)
    assert not second.was_cached("COPY . /src/")
    other = {"GOPROXY": "https://proxy.golang.org", "GOMODCACHE": str(service.folder / "other")}
    assert service.go("get", "github.com/golang-jwt/jwt/v5@v5.3.0", **other).status == 0
    third = service.run("docker", "--output", str(gomod))
    # There, from the module cache or the pool, downloaded.
    assert re.search(r": 181 [^,]+, 0 [^,]+, 3 ", third.stdout), third.stdout
    assert not buildkit.build(service.project, gomod).was_cached(DOWNLOAD)


@pytest.mark.nightly
def test_secret_proxy(service: Workbench, builders: tuple[Buildah, BuildKit]) -> None:
    """GOPROXY as a secret: Go is given it, no layer is made anew for another one, and the log does not have it."""
    _, buildkit = builders
    gomod, secret = service.folder / "gomod", service.folder / "secret"
    assert service.run("docker", "--output", str(gomod)).status == 0
    (service.project / "Dockerfile").write_text(
        "FROM gobase\nWORKDIR /src\nCOPY go.mod go.sum ./\n"
        "RUN --mount=type=bind,from=gomod,target=/gomod --mount=type=secret,id=goproxy,env=GOPROXY go mod download\n"
    )
    for text, cached in (("file:///gomod,off", False), ("file:///gomod,https://me:hidden@proxy.example", True)):
        secret.write_text(text)
        built = buildkit.build(service.project, gomod, "--secret", f"id=goproxy,src={secret}")
        assert built.was_cached(DOWNLOAD) == cached
        assert "hidden" not in built.log
