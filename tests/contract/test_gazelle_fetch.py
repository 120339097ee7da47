"""docs/bazel.md: gazelle's program for one module finds what go-prefetch brings, and needs no proxy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.made_once import made_once
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.network, pytest.mark.nightly]

VERSION = "v0.54.0"  # which the page names
LIB = FakeModule("example.com/lib", "v1.0.0", padding=50_000)
UPPER = FakeModule("github.com/Upper/Letters", "v0.1.0")


@pytest.fixture(scope="module")
def fetch_repo() -> Path:
    """The program, built from its module."""
    program = f"github.com/bazelbuild/bazel-gazelle/cmd/fetch_repo@{VERSION}"
    with made_once("fetch-repo", program) as (folder, is_new):
        if is_new:
            subprocess.run(["env", f"GOBIN={folder}", "GOFLAGS=-mod=mod", "go", "install", program], check=True)
    return folder / "fetch_repo"


def fetched(program: Path, bench: Workbench, module: FakeModule, place: Path, **go: str) -> bool:
    """Whether it fetches a module, started as gazelle's go_repository starts it."""
    place.mkdir()
    sum_ = next(line.split()[2] for line in module.go_sum.splitlines() if "/go.mod " not in line)
    argv = [program, f"-dest={place}", f"-importpath={module.path}", f"-version={module.version}", f"-sum={sum_}"]
    environ = {**bench.environ, "GOSUMDB": "off", "GO111MODULE": "on", "GOTOOLCHAIN": "local", **go}
    done = subprocess.run(list(map(str, argv)), cwd=place, env=environ, capture_output=True, text=True, check=False)
    return done.returncode == 0 and (place / "go.mod").is_file()


def test_fetch_repo_finds_modules_of_a_run(bench: Workbench, fetch_repo: Path) -> None:
    bench.write_project([LIB, UPPER])
    with ModuleProxy([LIB, UPPER]) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    for number, module in enumerate((LIB, UPPER)):
        full = {"GOPROXY": "off", "GOMODCACHE": str(bench.modcache)}
        assert fetched(fetch_repo, bench, module, bench.folder / f"full-{number}", **full)
        empty = {"GOPROXY": "off", "GOMODCACHE": str(bench.folder / "empty")}
        assert not fetched(fetch_repo, bench, module, bench.folder / f"empty-{number}", **empty)
