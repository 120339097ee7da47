"""`go-prefetch sync`: many projects fill one pool. Real Go, a proxy on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.workbench import Result, Workbench

SHARED = FakeModule("example.com/shared", "v1.0.0")
ONE = FakeModule("example.com/one", "v1.0.0")
TWO = FakeModule("example.com/Two", "v2.0.0+incompatible", has_gomod=False)
UNUSED = FakeModule("example.com/unused", "v1.0.0")
EVIL = FakeModule("example.com/evil", "v1.0.0")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy([SHARED, ONE, TWO, UNUSED, EVIL]) as server:
        yield server


@pytest.fixture
def projects(bench: Workbench) -> Path:
    """Three projects: `b` cannot be brought, because go.sum does not fit what the proxies have."""
    folder = bench.folder / "projects"
    write_project(folder / "a", [SHARED, ONE], path="example.com/a")
    write_project(folder / "b", [SHARED, EVIL], path="example.com/b")
    write_project(folder / "c", [SHARED, TWO, UNUSED], path="example.com/c", requires=[SHARED, TWO])
    wrong = FakeModule(EVIL.path, EVIL.version, padding=9)
    (folder / "b" / "go.sum").write_text(SHARED.go_sum + wrong.go_sum)
    return folder


def sync(bench: Workbench, projects: Path, goproxy: str, *flags: str, **variables: str) -> Result:
    from tests.support.same_process import prefetch

    where = "*" if projects.name == "projects" else "."
    command = ("sync", "-C", where, "--store", f"dir:{bench.pool}", *flags)
    return prefetch(bench, *command, cwd=projects, GOPROXY=goproxy, **variables)


def files_of(*modules: FakeModule) -> set[str]:
    """Return the names of the three files of each module."""
    escaped = (module.path.replace("T", "!t") for module in modules)
    stems = [f"{path}/@v/{module.version}" for path, module in zip(escaped, modules, strict=True)]
    return {f"{stem}.{kind}" for stem in stems for kind in ("info", "mod", "zip")}


def test_sync_goes_on_after_a_project_that_fails(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    synced = sync(bench, projects, proxy.url)
    assert synced.status == 5
    held = bench.module_files(bench.pool)
    assert held >= files_of(SHARED, ONE, TWO)
    assert {name for name in held if name.endswith(".zip")} == {
        name for name in files_of(SHARED, ONE, TWO) if name.endswith(".zip")
    }
    assert "Synced 2 of 3 projects, 1 failed" in synced.stdout
    assert synced.notice("checksum-mismatch")
    assert [proxy.paths().count(name) for name in files_of(SHARED)] == [1, 1, 1]  # by three projects
    assert not bench.modcache.exists()


def test_second_sync_asks_only_for_what_the_pool_lacks(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    sync(bench, projects, proxy.url)
    proxy.clear()
    (bench.pool / ONE.path / "@v" / f"{ONE.version}.zip").unlink()
    again = sync(bench, projects, proxy.url)
    assert {name for name in proxy.paths() if EVIL.path not in name} == {f"{ONE.path}/@v/{ONE.version}.zip"}
    assert "1 had all their files in the pool" in again.stdout
    assert bench.module_files(bench.pool) >= files_of(SHARED, ONE, TWO)


def test_sync_for_tidy_brings_all_that_go_sum_names(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    assert sync(bench, projects / "c", proxy.url, "--for-tidy").status == 0
    assert bench.module_files(bench.pool) == files_of(SHARED, TWO, UNUSED)


def test_sync_saves_private_modules_only_on_request(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    given = {"GOPRIVATE": ONE.path, "GONOPROXY": "none", "GITHUB_EVENT_NAME": "pull_request"}
    assert sync(bench, projects / "a", proxy.url, **given).status == 0
    assert bench.module_files(bench.pool) == files_of(SHARED)
    assert sync(bench, projects / "a", proxy.url, "--save-private=true", **given).status == 0
    assert bench.module_files(bench.pool) == files_of(SHARED, ONE)


def test_sync_into_a_pool_that_takes_nothing_fails(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    bench.pool.write_text("in the way")
    synced = sync(bench, projects / "a", proxy.url)
    assert synced.status == 1
    assert synced.notice("store-unwritable")


def test_sync_needs_a_pool(bench: Workbench, projects: Path) -> None:
    assert sync(bench, projects, "off", "--store", "none").status == 2
    assert sync(bench, projects, "off", "--store", "github").status == 2


def test_proxy_that_fails_is_an_error_of_its_projects(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    proxy.fault("*/!two/*", Fault.NOT_FOUND)
    synced = sync(bench, projects, proxy.url, "--attempts", "1")
    assert "Synced 1 of 3 projects, 2 failed" in synced.stdout
    assert bench.module_files(bench.pool) >= files_of(SHARED, ONE)
