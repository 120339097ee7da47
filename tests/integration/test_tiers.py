"""A pool on the machine in front of one that machines share. Both are folders here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.cli import run_job
from go_prefetch.model.ports import CacheStore
from go_prefetch.stores.directory_pool import DirectoryPool
from go_prefetch.stores.tiered import TieredStore
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.pool_content import other_content
from tests.support.workbench import Workbench

MODULES = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=1000) for number in range(6)]


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


@pytest.fixture
def pools(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The front and the pool behind it. Every run of the bench uses them."""
    front, behind = bench.folder / "front", bench.folder / "behind"

    def tiered(*_: Any) -> CacheStore:
        return TieredStore(*(DirectoryPool(pool, proxies="", takes_files=True) for pool in (front, behind)))

    monkeypatch.setattr(run_job, "cache_store", tiered)
    bench.write_project(MODULES)
    return front, behind


def test_machine_with_an_empty_front_fills_it_from_behind(
    bench: Workbench, pools: tuple[Path, Path], proxy: ModuleProxy
) -> None:
    front, behind = pools
    assert bench.prefetch(goproxy=proxy.url).status == 0
    assert bench.module_files(front) == bench.module_files(behind)
    assert bench.report["save"]["files"] == 18

    shutil.rmtree(front)
    bench.forget_modcache()
    proxy.clear()
    assert bench.prefetch(goproxy=proxy.url).status == 0
    assert (bench.outputs["cache-result"], proxy.paths()) == ("exact", [])
    assert [part["files"] for part in bench.report["restore"]["parts"]] == [0, 18]
    assert bench.module_files(front) == bench.module_files(behind)

    shutil.rmtree(behind)
    bench.forget_modcache()
    assert bench.prefetch(goproxy="off").status == 0
    assert [part["files"] for part in bench.report["restore"]["parts"]] == [18, 0]
    assert bench.go("mod", "verify").stdout == "all modules verified\n"


def test_poison_behind_does_not_reach_the_front(bench: Workbench, pools: tuple[Path, Path], proxy: ModuleProxy) -> None:
    """Three wrong files make the pool behind distrusted, but not the front."""
    front, behind = pools
    assert bench.prefetch(goproxy=proxy.url).status == 0
    good = {name: (behind / name).read_bytes() for name in bench.module_files(behind)}
    for module in MODULES[:4]:
        stem = f"{module.path}/@v/{module.version}"
        for kind in ("info", "mod", "zip"):
            (front / f"{stem}.{kind}").unlink()
        (behind / f"{stem}.zip").write_bytes(other_content(module, f"{stem}.zip", None))
    bench.forget_modcache()
    proxy.clear()
    assert bench.prefetch(goproxy=proxy.url).status == 0
    assert bench.go("mod", "verify").stdout == "all modules verified\n"
    assert not any("/m4/" in path or "/m5/" in path for path in proxy.paths())
    for pool in (front, behind):
        assert {name: (pool / name).read_bytes() for name in bench.module_files(pool)} == good
