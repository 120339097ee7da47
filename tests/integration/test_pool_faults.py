"""A pool that somebody meddled with: never read through a link, never trusted, healed by the run that notices."""

from __future__ import annotations

import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.ports import Wanted
from go_prefetch.stores.directory_pool import DirectoryPool
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged
from tests.support.service_shelf import KEY
from tests.support.workbench import Result, Workbench

LIB = FakeModule("example.com/lib", "v1.2.3", padding=5_000)
GOOD = FakeModule("example.com/good", "v1.0.0")
MODULES = (LIB, GOOD)
ZIP = "example.com/lib/@v/v1.2.3.zip"
MOD = "example.com/lib/@v/v1.2.3.mod"
INFO = "example.com/lib/@v/v1.2.3.info"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def exchange(path: Path, content: bytes) -> None:
    """Another file under this name (the old one may have a second name in the module cache)."""
    path.unlink()
    path.write_bytes(content)


def truncated(path: Path, outside: Path) -> None:
    exchange(path, path.read_bytes()[:-30])


def emptied(path: Path, outside: Path) -> None:
    exchange(path, b"")


def other_content(path: Path, outside: Path) -> None:
    exchange(path, damaged(path.name, path.read_bytes()))


def garbage(path: Path, outside: Path) -> None:
    exchange(path, b"\x00garbage\xff")


def link_to_outside(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(outside / path.name)


def dangling_link(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(outside / "nowhere")


def parent_linked_outside(path: Path, outside: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.symlink_to(outside, target_is_directory=True)


def grandparent_linked_outside(path: Path, outside: Path) -> None:
    shutil.rmtree(path.parent.parent)
    path.parent.parent.symlink_to(outside, target_is_directory=True)


def fifo(path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, outside: Path) -> None:
    path.unlink()
    (path / "below").mkdir(parents=True)


FAULTS = [
    *((fault, name) for fault in (truncated, emptied, other_content, garbage) for name in (ZIP, MOD)),
    (garbage, INFO),
    *(
        pytest.param(fault, name, marks=posix)
        for fault in (link_to_outside, dangling_link, parent_linked_outside, grandparent_linked_outside, fifo, folder)
        for name in (ZIP,)
    ),
    pytest.param(link_to_outside, INFO, marks=posix),
    pytest.param(fifo, INFO, marks=posix),
]


def warm_run(bench: Workbench, proxy: ModuleProxy) -> Result:
    bench.forget_modcache()
    proxy.clear()
    return bench.prefetch(goproxy=proxy.url)


@pytest.mark.parametrize(("fault", "name"), FAULTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_spoilt_pool_file_is_fetched_again_and_healed(
    bench: Workbench, tmp_path: Path, fault: Callable[[Path, Path], None], name: str
) -> None:
    """The run succeeds with the proxy's file, nothing outside the pool is read or changed, the next run is exact."""
    outside = tmp_path / "outside"
    (outside / "@v").mkdir(parents=True)
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        planted = {part: damaged(part, proxy.files[name]) for part in (Path(name).name, f"@v/{Path(name).name}")}
        for part, content in planted.items():
            (outside / part).write_bytes(content)
        assert bench.prefetch(goproxy=proxy.url).status == 0
        fault(bench.pool / name, outside)
        healing = warm_run(bench, proxy)
        assert healing.status == 0, healing.text
        assert name in proxy.paths()
        assert {path.relative_to(outside).as_posix() for path in outside.rglob("*") if path.is_file()} == set(planted)
        assert all((outside / part).read_bytes() == content for part, content in planted.items())
        assert bench.go("mod", "verify").status == 0
        assert {n: (bench.pool / n).read_bytes() for n in bench.module_files(bench.pool)} == proxy.files
        last = warm_run(bench, proxy)
        assert last.status == 0, last.text
        assert bench.outputs["cache-result"] == "exact"
        assert proxy.paths() == []
    assert bench.leftovers() == []


def test_a_pool_with_nothing_but_wrong_zips_costs_one_run(bench: Workbench) -> None:
    """After a few rejected zips no other of the pool is believed; one run heals them all."""
    modules = [FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(8)]
    bench.write_project(modules)
    with ModuleProxy(modules) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
        for name in bench.module_files(bench.pool):
            if name.endswith(".zip"):
                other_content(bench.pool / name, bench.folder)
        healing = warm_run(bench, proxy)
        assert healing.status == 0, healing.text
        assert bench.outputs["modules-from-cache"] == "0"
        assert {n: (bench.pool / n).read_bytes() for n in bench.module_files(bench.pool)} == proxy.files
        assert warm_run(bench, proxy).status == 0
        assert bench.outputs["cache-result"] == "exact"


def test_a_pool_that_cannot_be_a_folder_is_a_warning(bench: Workbench) -> None:
    """A store that takes nothing never fails the run."""
    (bench.folder / "pool").write_text("a file where the pool should be")
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch("--store", f"dir:{bench.pool}/below", goproxy=proxy.url)
    assert result.status == 0, result.text
    assert "warning: " in result.stderr
    assert "store-unwritable" in bench.warnings
    assert bench.outputs["cache-result"] == "miss"
    assert bench.pool.read_text() == "a file where the pool should be"


@pytest.mark.parametrize("warm", [False, True], ids=["empty pool", "filled pool"])
def test_unwritable_module_cache_is_one_short_error(bench: Workbench, warm: bool) -> None:
    """Whoever would have written first, the store or the proxies: exit 5, and at most three lines of it."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        if warm:
            assert bench.prefetch(goproxy=proxy.url).status == 0
            bench.forget_modcache()
        bench.modcache.write_text("a file where the module cache should be")
        result = bench.prefetch("--quiet", goproxy=proxy.url, GOMODCACHE=str(bench.modcache / "below"))
    assert result.status == 5, result.text
    assert "[folder-unwritable]" in result.stderr
    assert len(result.stderr.splitlines()) <= 3
    bench.modcache.unlink()


def rotted(zip_bytes: bytes) -> bytes:
    """The same central directory over data that cannot be inflated."""
    start = zip_bytes.index(b"PK\3\4", 4) if zip_bytes.count(b"PK\3\4") > 1 else 0
    name_length, extra_length = struct.unpack_from("<HH", zip_bytes, start + 26)
    data = start + 30 + name_length + extra_length
    return zip_bytes[:data] + b"\xff" * 8 + zip_bytes[data + 8 :]


def test_a_zip_whose_data_rotted_is_found_and_healed(bench: Workbench) -> None:
    """Go says only "flate: corrupt input" and names no module: the zip is found and replaced, and the pool healed."""
    big = FakeModule("example.com/big", "v1.0.0", padding=5_000)
    other = FakeModule("example.com/other", "v1.0.0")
    bench.write_project((big, other))
    with ModuleProxy((big, other)) as proxy:
        bench.prefetch(goproxy=proxy.url)
        bench.forget_modcache()
        pooled = bench.pool / "example.com/big/@v/v1.0.0.zip"
        pooled.unlink()
        pooled.write_bytes(rotted(big.zip))
        result = bench.prefetch(goproxy=proxy.url)
        assert result.status == 0, result.text
        assert bench.outputs["cache-result"] == "partial"
        bench.forget_modcache()
        proxy.clear()
        bench.prefetch(goproxy=proxy.url)
        assert bench.outputs["cache-result"] == "exact"
        assert proxy.paths() == []
    assert pooled.read_bytes() == big.zip


def test_file_removed_meanwhile_counts_as_missing_in_the_pool(tmp_path: Path) -> None:
    """No error of our own folder, which would end the run."""
    file = ModuleFile(ModuleVersion("example.com/lib", "v1.0.0"), "zip")
    store = DirectoryPool(tmp_path / "pool", proxies="", takes_files=False)
    restored = store.restore(
        Wanted(KEY, [file], ModuleFolder.at(tmp_path / "folder")), Deadline.after(60), lambda _: None
    )
    assert restored.files == frozenset()
    assert restored.warnings == ()
