"""`go-prefetch docker --output` where there is a Go: nothing wrong gets into the folder of an image build."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_docker_output import state
from tests.support.fakes.go_on_path import go_with_another_root
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for go")

TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16", padding=100_000)
LIB = FakeModule("example.com/lib", "v1.2.3", requires=((TOML.path, TOML.version),))
MODULES = (TOML, LIB)
ZIP, MOD = "example.com/lib/@v/v1.2.3.zip", "example.com/lib/@v/v1.2.3.mod"
LOCAL = "the module cache or the pool"


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


@pytest.fixture
def project(bench: Workbench) -> Workbench:
    bench.write_project(MODULES)
    return bench


def output(bench: Workbench, goproxy: str, folder: str = "gomod", *arguments: str, **variables: str) -> Result:
    store = ("--store", f"dir:{bench.pool}")
    return prefetch(bench, "docker", "--output", folder, *store, *arguments, GOPROXY=goproxy, **variables)


def poison(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(damaged(path.name, content))


def assert_go_is_content(bench: Workbench, folder: str = "gomod") -> None:
    done = bench.go(
        "mod", "download", GOPROXY=f"{(bench.project / folder).as_uri()},off", GOMODCACHE=str(bench.folder / "m")
    )
    assert done.status == 0, done.text


def test_right_files_are_verified_as_they_lie_there(project: Workbench, proxy: ModuleProxy) -> None:
    """The zips are hashed after they were packed alike; the folder is the same as without a Go."""
    done = output(project, proxy.url)
    assert done.status == 0, done.text
    assert re.search(r"verified: 4 \w+ by go1\.", done.stdout)
    bare = output(project, proxy.url, "bare", PATH=str(project.folder / "home"))
    assert "verified: no: " in bare.stdout
    assert bare.notice("go-not-found")
    assert state(project.project / "gomod") == state(project.project / "bare")


@pytest.mark.parametrize("name", [ZIP, MOD])
@pytest.mark.parametrize("place", ["module cache", "pool", "folder"])
def test_wrong_file_on_this_machine_is_replaced(project: Workbench, proxy: ModuleProxy, place: str, name: str) -> None:
    """Whoever had it: the folder is healed, and is the same as one that was filled from the proxy."""
    assert output(project, proxy.url, "expected").status == 0
    if place == "module cache":
        assert project.go("mod", "download", GOPROXY=proxy.url).status == 0
        poison(project.download_folder / name)
    elif place == "pool":
        assert project.prefetch(goproxy=proxy.url).status == 0
        project.forget_modcache()
        poison(project.pool / name)
    else:
        assert output(project, proxy.url).status == 0
        poison(project.project / "gomod" / name)
    proxy.clear()
    done = output(project, proxy.url)
    assert done.status == 0, done.text
    assert proxy.paths() == [name]
    assert state(project.project / "gomod") == state(project.project / "expected")
    assert_go_is_content(project)
    if place != "folder" and name == ZIP:  # a .mod that is not that of its zip is noticed without Go
        rejected = done.notice("files-rejected")
        assert (rejected.case, facts(rejected)) == ("replaced", {"count": 1, "source": LOCAL})


def test_wrong_bytes_everywhere_are_a_security_error(project: Workbench, proxy: ModuleProxy) -> None:
    proxy.fault(ZIP, Fault.WRONG_BYTES)
    done = output(project, proxy.url, "gomod", "--on-failure", "warn")
    assert done.status == 5, done.text
    assert "[checksum-mismatch]" in done.stderr
    assert not (project.project / "gomod" / ZIP).exists()


def test_go_that_does_not_prove_itself_is_a_warning(project: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    go = go_with_another_root(tmp_path / "bin", "exit 3")
    done = output(project, proxy.url, PATH=go.path)
    assert done.status == 0, done.text
    cause = done.notice("inconclusive")
    assert facts(done.notice("folder-not-verified")) == {"cause": cause}
    assert (cause.case, facts(cause)["command"], facts(cause)["status"]) == ("output", "go mod verify", 3)
    assert_go_is_content(project)
