"""The table of networks in docs/docker.md, row by row: what reaches a proxy on this machine, and what needs none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.image_site import Site
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network, pytest.mark.nightly]  # BuildKit is compiled first

LIB = FakeModule("example.com/lib", "v1.2.3")
DOWNLOAD = "go mod download"
ALLOWED = ("--allow", "network.host")


@pytest.fixture
def proxy(bench: Workbench) -> Iterator[ModuleProxy]:
    bench.write_project((LIB,))
    with ModuleProxy((LIB,)) as server:
        yield server


def write_dockerfile(bench: Workbench, network: str, goproxy: str) -> None:
    mount = "--mount=type=bind,from=gomod,target=/gomod"
    (bench.project / "Dockerfile").write_text(
        f"FROM scratch AS gomod\nFROM gobase\nWORKDIR /src\nCOPY go.mod go.sum ./\n"
        f"RUN --network={network} {mount} GOSUMDB=off GOPROXY={goproxy} {DOWNLOAD}\n"
    )


@pytest.fixture
def gomod(bench: Workbench, proxy: ModuleProxy) -> Path:
    """The folder of modules."""
    folder = bench.folder / "gomod"
    filled = prefetch(bench, "docker", "--output", str(folder), "--store", "none", GOPROXY=proxy.url)
    assert filled.status == 0, filled.text
    proxy.clear()
    return folder


@pytest.mark.parametrize("network", ["none", "host"])
def test_the_folder_needs_no_network(
    bench: Workbench, site: Site, proxy: ModuleProxy, gomod: Path, network: str
) -> None:
    """Every row, last column."""
    write_dockerfile(bench, network, "file:///gomod,off")
    built = site.buildkit.build(bench.project, gomod, *ALLOWED, exports=False)
    assert not built.was_cached(DOWNLOAD)
    assert proxy.paths() == []


def test_no_network_reaches_no_proxy(bench: Workbench, site: Site, proxy: ModuleProxy, gomod: Path) -> None:
    """`none`: not even the loopback of this machine."""
    write_dockerfile(bench, "none", proxy.url)
    assert "connect: " in site.buildkit.fails(bench.project, gomod)
    assert proxy.paths() == []


def test_the_host_s_network(bench: Workbench, site: Site, proxy: ModuleProxy, gomod: Path) -> None:
    """`host`: it reaches the proxy, once the build is allowed to."""
    write_dockerfile(bench, "host", proxy.url)
    assert "network.host is not allowed" in site.buildkit.fails(bench.project, gomod)
    site.buildkit.build(bench.project, gomod, *ALLOWED, exports=False)
    assert f"example.com/lib/@v/{LIB.version}.zip" in proxy.paths()


def test_what_is_not_in_the_folder(bench: Workbench, site: Site, gomod: Path) -> None:
    """A tool that go.mod does not name."""
    write_dockerfile(bench, "none", "file:///gomod,off")
    dockerfile = bench.project / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(DOWNLOAD, "go install example.com/tool@v1.0.0"))
    assert "module lookup disabled by GOPROXY=off" in site.buildkit.fails(bench.project, gomod)
