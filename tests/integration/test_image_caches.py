"""Layer caches beside the folder of modules: a registry's and GitHub's, read by a builder that has never built."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Sequence

import pytest

from tests.support.fakes.cache_service import CacheService, Token
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.repacked_proxy import RepackedProxy
from tests.support.image_builders import BuildKit, Built
from tests.support.image_site import Site
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network, pytest.mark.nightly]  # minutes of builders at work

LIB = FakeModule("example.com/lib", "v1.2.3", padding=200_000)
NEWER_LIB = FakeModule("example.com/lib", "v1.3.0", padding=200_000)
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16")
DOWNLOAD = "go mod download"


class Project:
    """A project with the Dockerfile that is printed for it, built as a job on a new machine would."""

    def __init__(self, bench: Workbench, buildkit: BuildKit, cache: Sequence[str]) -> None:
        self._bench, self._buildkit, self._cache = bench, buildkit, cache
        self.gomod = bench.folder / "gomod"
        bench.write_project((LIB, TOML))
        text = prefetch(bench, "docker", "--dockerfile").stdout
        (bench.project / "Dockerfile").write_text(text)

    def fill(self, *command: str, goproxy: str) -> None:
        """Make the folder anew from this proxy alone."""
        shutil.rmtree(self.gomod, ignore_errors=True)
        done = prefetch(self._bench, *command, str(self.gomod), GOPROXY=goproxy, GO_PREFETCH_STORE="none")
        assert done.status == 0, done.text

    def build(self, target: str = "dependencies") -> Built:
        """Build on a fresh builder with the cache, as far as this stage."""
        self._buildkit.forget(but_cache_mounts=True)
        stage = ("--opt", f"target={target}")
        return self._buildkit.build(self._bench.project, self.gomod, *stage, *self._cache)


def both_ways(attributes: str, how: str = "") -> tuple[str, ...]:
    """The cache is read and written; `mode=max` keeps the stages before the last."""
    return ("--import-cache", attributes, "--export-cache", f"{attributes},mode=max{how}")


def in_registry(site: Site, name: str) -> tuple[str, ...]:
    """As an image of one manifest, not as an index of blobs, which this registry refuses."""
    return both_ways(f"type=registry,ref={site.registry.host}/{name}:cache", ",image-manifest=true,oci-mediatypes=true")


def test_registry(bench: Workbench, site: Site) -> None:
    """A fresh builder takes the dependency layer from the registry, whatever the folder's files came from."""
    project = Project(bench, site.buildkit, in_registry(site, "app"))
    with ModuleProxy((LIB, TOML, NEWER_LIB)) as proxy, RepackedProxy((LIB, TOML)) as other:
        project.fill("docker", "--output", goproxy=proxy.url)
        assert not project.build().was_cached(DOWNLOAD)
        (bench.project / "other.go").write_text("package main\n")
        project.fill("docker", "--output", goproxy=other.url)
        second = project.build("build")
        assert second.was_cached(DOWNLOAD)
        assert not second.was_cached("go build")
        bench.write_project((NEWER_LIB, TOML))
        project.fill("docker", "--output", goproxy=proxy.url)
        assert not project.build().was_cached(DOWNLOAD)


def test_registry_with_zips_as_they_came(bench: Workbench, site: Site) -> None:
    """What the rewriting is for: with the proxies' own zips another proxy is another layer."""
    project = Project(bench, site.buildkit, in_registry(site, "as-they-came"))
    with ModuleProxy((LIB, TOML)) as proxy, RepackedProxy((LIB, TOML)) as other:
        project.fill("fill", goproxy=proxy.url)
        assert not project.build().was_cached(DOWNLOAD)
        project.fill("fill", goproxy=other.url)
        assert not project.build().was_cached(DOWNLOAD)


def test_github(bench: Workbench, site: Site) -> None:
    """The same by the cache service, as far as this BuildKit goes: protocol v1, that of GHES and act."""
    scopes = json.dumps([{"Scope": "refs/heads/main", "Permission": 3}])
    token = _jwt({"ac": scopes, "nbf": 0, "exp": int(time.time()) + 3600})
    with CacheService(Token(token)) as service, ModuleProxy((LIB, TOML)) as proxy, RepackedProxy((LIB, TOML)) as other:
        cache = both_ways(f"type=gha,url={service.v1()['ACTIONS_CACHE_URL']},token={token}")
        project = Project(bench, site.buildkit, cache)
        project.fill("docker", "--output", goproxy=proxy.url)
        assert not project.build().was_cached(DOWNLOAD)
        assert any(key.startswith("buildkit-blob") for key in service.keys)
        project.fill("docker", "--output", goproxy=other.url)
        assert project.build().was_cached(DOWNLOAD)


def _jwt(claims: dict[str, object]) -> str:
    """A token that says what it may; nobody here asks who signed it."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, claims)
    ]
    return ".".join([*parts, "c2ln"])
