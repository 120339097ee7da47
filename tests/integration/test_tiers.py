"""A pool on the machine in front of one that machines share. Most of them are folders here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.cli import run_job
from go_prefetch.model.ports import CacheStore
from go_prefetch.stores.cache_service.compression import best_encoding
from go_prefetch.stores.directory_pool import DirectoryPool
from go_prefetch.stores.objects.restore import LEAST_BUNDLED
from go_prefetch.stores.tiered import TieredStore
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, layout
from tests.support.pool_content import other_content
from tests.support.servers.process import request
from tests.support.servers.seaweedfs import READER, WRITER, SeaweedFS
from tests.support.workbench import Workbench

MODULES = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=1000) for number in range(9)]
FILES = 3 * len(MODULES)


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
    assert bench.report["save"]["files"] == FILES

    shutil.rmtree(front)
    bench.forget_modcache()
    proxy.clear()
    assert bench.prefetch(goproxy=proxy.url).status == 0
    assert (bench.outputs["cache-result"], proxy.paths()) == ("exact", [])
    assert [part["files"] for part in bench.report["restore"]["parts"]] == [0, FILES]
    assert bench.module_files(front) == bench.module_files(behind)

    shutil.rmtree(behind)
    bench.forget_modcache()
    assert bench.prefetch(goproxy="off").status == 0
    assert [part["files"] for part in bench.report["restore"]["parts"]] == [FILES, 0]
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


@pytest.mark.slow
def test_twenty_jobs_at_once_share_one_front(tmp_path: Path, gocache: Path, seaweedfs: SeaweedFS) -> None:
    """Each is a process and needs half of the modules. Half of them may trim the front to nothing meanwhile."""
    modules = [FakeModule(f"example.com/n{number}", "v1.0.0", padding=50_000) for number in range(12)]
    front, store = tmp_path / "front", f"dir:{tmp_path / 'front'} s3://{seaweedfs.new_bucket()}/go"
    jobs = [Workbench(tmp_path / f"job{number}", gocache) for number in range(20)]
    with ModuleProxy(modules) as proxy:
        running = []
        for number, job in enumerate(jobs):
            job.write_project([modules[(number + step) % 12] for step in range(6)])
            limit = ("--pool-max-size", "0") if number % 2 else ()
            arguments = ("run", "--store", store, "--report-file", str(job.report_file), *limit)
            running.append(job.start(*arguments, GOPROXY=proxy.url, **seaweedfs.variables(WRITER)))
        for run, job in zip(running, jobs, strict=True):
            output, errors = run.communicate(timeout=300)
            assert run.returncode == 0, output + errors
            assert job.warnings == []
    good = layout(modules)
    assert jobs[0].module_files(front)
    for name in jobs[0].module_files(front):
        assert (front / name).read_bytes() == good[name], name
    others = {path.relative_to(front).as_posix() for path in front.rglob("*") if path.is_file()} - good.keys()
    assert {name.rpartition("/")[0] for name in others} <= {".go-prefetch", ".go-prefetch/runs"}
    assert ".go-prefetch/trimmed" in others
    assert not any("run-" in name or ".tmp" in name for name in others)
    for job in jobs:
        assert job.go("mod", "verify").stdout == "all modules verified\n"


def test_bucket_behind_a_front_gets_a_bundle_and_notes(
    bench: Workbench, seaweedfs: SeaweedFS, proxy: ModuleProxy
) -> None:
    """On the first machine, on a second one whose front is empty, and there once more."""
    bench.write_project(MODULES)
    bucket = seaweedfs.new_bucket()
    for machine, results in (("one", ["miss"]), ("two", ["exact", "exact"])):
        store = f"dir:{bench.folder / machine} s3://{bucket}/go"
        for result in results:
            bench.forget_modcache()
            done = bench.prefetch("--store", store, goproxy=proxy.url, **seaweedfs.variables(WRITER))
            assert (done.status, bench.outputs["cache-result"], bench.warnings) == (0, result, [])
            assert (bench.outputs["seconds-saved"] != "") == (result == "exact")
            proxy.clear()
    assert [part["files"] for part in bench.report["restore"]["parts"]] == [FILES, 0]
    assert len(MODULES) * 2 >= LEAST_BUNDLED
    bundle = f".go-prefetch/bundles/{bench.outputs['cache-key']}.{best_encoding(bench.environ).name}"
    assert request("GET", seaweedfs.object_path(bucket, f"go/{bundle}"))[0] == 200


def test_bucket_gets_what_an_earlier_job_could_not_save(
    bench: Workbench, seaweedfs: SeaweedFS, proxy: ModuleProxy
) -> None:
    """The first job on the machine has a login that only reads. The second one finds all files in the front."""
    bench.write_project(MODULES)
    bucket = seaweedfs.new_bucket()
    store = ("--store", f"dir:{bench.folder / 'front'} s3://{bucket}/go")
    assert bench.prefetch(*store, goproxy=proxy.url, **seaweedfs.variables(READER)).status == 0
    assert bench.warnings == ["store-denied"]
    for parts in ([FILES, 0], [0, FILES]):
        bench.forget_modcache()
        assert bench.prefetch(*store, goproxy="off", **seaweedfs.variables(WRITER)).status == 0
        assert [part["files"] for part in bench.report["restore"]["parts"]] == parts
        shutil.rmtree(bench.folder / "front")
