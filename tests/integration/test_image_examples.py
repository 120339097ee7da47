"""The files of docs/examples/docker and examples/gitlab and the Dockerfiles of docs/docker.md, built as they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.documented import DOCKER, dockerfiles
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.image_builders import was_cached
from tests.support.image_programs import buildx_program
from tests.support.image_site import Site
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

pytestmark = [pytest.mark.system, pytest.mark.network, pytest.mark.nightly]  # minutes of builders at work

EXAMPLES = DOCKER.parent / "examples" / "docker"
LIB = FakeModule("example.com/lib", "v1.2.3", padding=100_000)
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16")
DOWNLOAD = "go mod download"


class Buildx:
    """`docker buildx` in a project whose Dockerfile is the printed one and whose folder of modules is full."""

    def __init__(self, bench: Workbench, site: Site) -> None:
        self.bench = bench
        self._environ = site.buildkit.buildx_environ(bench.folder / "buildx")
        bench.write_project((LIB, TOML))
        (bench.project / "Dockerfile").write_text(prefetch(bench, "docker", "--dockerfile").stdout)
        self.fill("docker", "--output", ".gomod")

    def fill(self, *command: str) -> None:
        """Make a folder of modules."""
        with ModuleProxy((LIB, TOML)) as proxy:
            assert prefetch(self.bench, *command, GOPROXY=proxy.url, GO_PREFETCH_STORE="none").status == 0

    def __call__(self, *arguments: str) -> Result:
        done = self.bench.program([str(buildx_program()), *arguments], **self._environ)
        assert done.status == 0, done.text
        return done


@pytest.fixture
def buildx(bench: Workbench, site: Site) -> Buildx:
    return Buildx(bench, site)


def example(bench: Workbench, name: str, site: Site) -> None:
    """Copy an example into the project, with this registry in place of the one it names."""
    text = (EXAMPLES / name).read_text()
    assert "registry.example/app" in text
    (bench.project / name).write_text(text.replace("registry.example/app", f"{site.registry.host}/{name.lower()}"))


@pytest.mark.parametrize("name", ["docker-bake.hcl", "compose.yaml"])
def test_bake_and_compose(buildx: Buildx, site: Site, name: str) -> None:
    """Read by buildx, and built: the folder is the context `gomod`, and the image is pushed under its tag."""
    example(buildx.bench, name, site)
    printed: dict[str, Any] = json.loads(buildx("bake", "-f", name, "--print").stdout)
    (target,) = printed["target"].values()
    assert {key: Path(value) for key, value in target["contexts"].items()} == {"gomod": Path(".gomod")}
    built = buildx("bake", "-f", name, "--progress", "plain", "--push", "--allow", f"fs.read={buildx.bench.project}")
    assert f"{DOWNLOAD}\n" in built.text
    assert name in site.registry.repositories()


def test_bake_with_a_layer_cache(buildx: Buildx, site: Site) -> None:
    """The target `cached`: a fresh builder has the dependency layer from the registry."""
    example(buildx.bench, "docker-bake.hcl", site)
    allowed = ("--progress", "plain", "--allow", f"fs.read={buildx.bench.project}")
    for expected in (False, True):
        site.buildkit.forget(but_cache_mounts=True)
        log = buildx("bake", "cached", *allowed, "--set", "cached.target=dependencies").text
        assert was_cached(log, DOWNLOAD) == expected


def test_the_first_dockerfile_of_the_documentation(buildx: Buildx) -> None:
    """With the two commands above it."""
    (buildx.bench.project / "Dockerfile").write_text(dockerfiles()[0])
    assert "docker build --build-context gomod=.gomod .\n" in DOCKER.read_text()
    assert f"{DOWNLOAD}\n" in buildx("build", "--progress", "plain", "--build-context", "gomod=.gomod", ".").text


def test_the_dockerfile_of_the_gitlab_example(buildx: Buildx) -> None:
    """No named context: the folder lies in the build context, and is in no layer."""
    shutil.copy(Path(__file__).parents[2] / "examples" / "gitlab" / "Dockerfile", buildx.bench.project)
    buildx.fill("fill", ".go-prefetch")
    image = buildx.bench.folder / "image.tar"
    buildx("build", "--output", f"type=tar,dest={image}", ".")
    listed = buildx.bench.program(["tar", "-tf", str(image)]).stdout.split()
    assert [name for name in listed if not name.endswith("/")] == ["service"]


def test_up_to_distroless(buildx: Buildx) -> None:
    """The printed Dockerfile: distroless is parsed and asked for; an image in its place is the final one."""
    outline = buildx("build", "--call", "outline,format=json", ".").stdout
    names = {row["name"]: row["value"] for row in json.loads(outline)["args"]}
    assert names["RUNTIME_IMAGE"] == "gcr.io/distroless/static-debian12:nonroot"
    image = buildx.bench.folder / "image.tar"
    log = buildx(
        "build", "--build-context", "gomod=.gomod", "--output", f"type=tar,dest={image}", "--progress", "plain", "."
    )
    assert "[stage-3 1/2] FROM gcr.io/distroless/static-debian12:nonroot" in log.text
    assert "app" in buildx.bench.program(["tar", "-tf", str(image)]).stdout.split()
