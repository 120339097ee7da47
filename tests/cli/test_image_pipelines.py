"""The example pipelines that build an image: GitHub's under act, GitLab's under gitlab-ci-local, as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cache_service_under_act import SETUP_GO
from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.gitlab import Pipeline, gitlab_ci_local
from tests.support.image_builders import was_cached
from tests.support.image_programs import buildx_program, storage_driver
from tests.support.image_site import Site, image_site
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network, pytest.mark.nightly]  # minutes of builders at work

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
LIB = FakeModule("example.com/lib", "v1.2.3", padding=100_000)
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16")
DOWNLOAD = "go mod download"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with image_site(tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((LIB, TOML)) as server:
        yield server


def write_sources(folder: Path, bench: Workbench, kind: str) -> None:
    """A project with the Dockerfile that is printed for it, as the examples' comments have it."""
    write_project(folder, [LIB, TOML])
    (folder / "Dockerfile").write_text(prefetch(bench, "docker", "--dockerfile", kind, cwd=folder).stdout)


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """The example, where one thing after another, each there once, is another."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def put_docker(folder: Path) -> Path:
    """A `docker` that knows its plugin buildx only: it builds with BuildKit without a Docker daemon."""
    folder.mkdir()
    program = folder / "docker"
    program.write_text(f'#!/bin/sh\ntest "$1" = buildx && shift && exec {buildx_program()} "$@" --progress plain\n')
    program.chmod(0o755)
    return folder


def test_github(bench: Workbench, proxy: ModuleProxy, site: Site) -> None:
    """The modules are downloaded once and by the action; the image is built from them; its layer serves again."""
    runner = ActRunner(bench, proxy, bench.folder / "repository")
    write_sources(runner.repository, bench, "buildkit")
    remote, action = "git+https://github.com/org/go-prefetch@v1", put_action(bench.folder / "action")
    runner.commit(replaced((EXAMPLES / "image-build.yml").read_text(), (remote, str(action))))
    bench.environ["PATH"] = os.pathsep.join([str(put_docker(bench.folder / "bin")), bench.environ["PATH"]])
    environ = site.buildkit.buildx_environ(bench.folder / "buildx")
    options = [
        f"--local-repository={SETUP_GO}={ROOT / 'tests/support/fakes/setup_go'}",
        f"--local-repository=org/go-prefetch@v1={action}",
        f"--env=STAND_IN_CACHE={bench.folder / 'stand-in'}",
        *(f"--env={name}={value}" for name, value in environ.items()),
    ]
    first = runner(*options)
    assert runner.asked == {"example.com/lib", "github.com/!burnt!sushi/toml"}
    assert f"{DOWNLOAD}\n" in first.text
    assert len(proxy.paths()) == len(set(proxy.paths())), "nothing is downloaded for the image again"
    second = runner(*options)
    assert runner.asked == set(), "from the cache service"
    plain = "\n".join(line.rpartition("| ")[2] for line in second.text.splitlines())
    assert was_cached(plain, DOWNLOAD)


def test_gitlab(bench: Workbench, proxy: ModuleProxy, site: Site) -> None:
    """One job fills the folder, which is cached and handed on; the next builds with buildah and pushes."""
    pipeline = Pipeline(bench, gitlab_ci_local())
    write_sources(pipeline.folder, bench, "plain")
    archive = "https://github.com/org/go-prefetch/archive/refs/tags/v1.tar.gz"
    source = put_action(bench.folder / "source")
    plain_http = [(f"buildah {verb} ", f"buildah {verb} --tls-verify=false ") for verb in ("login", "push")]
    text = replaced((EXAMPLES / "docker" / "gitlab-ci.yml").read_text(), (archive, str(source)), *plain_http)
    pipeline.write(text)
    venv = bench.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    bench.environ["PATH"] = os.pathsep.join([str(venv / "bin"), bench.environ["PATH"]])
    bench.environ |= buildah_environ(bench.folder, site)
    variables = {
        "GOPROXY": proxy.url, "GOSUMDB": "off", "CI_REGISTRY": site.registry.host, "CI_REGISTRY_USER": "job",
        "CI_REGISTRY_PASSWORD": "any", "CI_REGISTRY_IMAGE": f"{site.registry.host}/from-gitlab",
    }  # fmt: skip
    try:
        first = pipeline.run(**variables)
        assert first.status == 0, first.text
        assert "from-gitlab" in site.registry.repositories()
        proxy.clear()
        second = pipeline.run("modules", **variables)
        assert second.status == 0, second.text
        assert proxy.paths() == [], "from the runner's cache"
    finally:
        shutil.rmtree(bench.folder / "storage", ignore_errors=True)


def buildah_environ(folder: Path, site: Site) -> dict[str, str]:
    """The settings of buildah in a container of its own: where its images lie, and where others come from."""
    storage, registries = folder / "storage.conf", folder / "registries.conf"
    driver = storage_driver()
    storage.write_text(f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n')
    registries.write_text(site.registry.containers_config())
    return {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_REGISTRIES_CONF": str(registries)}
