"""`go-prefetch cache`: where the pool is, and what of it `clean` deletes."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from go_prefetch.errors import InputError
from go_prefetch.modfiles.managed_folder import own
from go_prefetch.prune.whole_pool import PoolContents, contents_of, delete
from tests.support.build_entries import build_key, save_entry
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

MODULES = [FakeModule("example.com/a", "v1.0.0"), FakeModule("example.com/B", "v1.2.0")]
NOT_EMPTY = os.strerror(errno.ENOTEMPTY)
NO_HOME = {"HOME": "", "XDG_CACHE_HOME": ""}


@pytest.fixture
def pool(bench: Workbench) -> Path:
    """A pool that a real run has filled."""
    with ModuleProxy(MODULES) as proxy:
        bench.write_project(MODULES)
        assert bench.prefetch(goproxy=proxy.url).status == 0
    return bench.pool


def clean(bench: Workbench, pool: Path, *flags: str) -> Result:
    return prefetch(bench, "cache", "clean", "--store", f"dir:{pool}", *flags)


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_clean_deletes_the_build_cache_too(bench: Workbench, pool: Path) -> None:
    save_entry(pool, build_key(1))
    assert clean(bench, pool).status == 0
    assert not pool.exists()


@pytest.mark.parametrize(
    ("flags", "variables", "path"),
    [
        ((), {}, "{cache}/go-prefetch/pool"),
        (("--store", "dir:x"), {}, "{project}/x"),
        ((), {"GO_PREFETCH_STORE": "dir:/srv/pool"}, "/srv/pool"),
    ],
)
def test_cache_dir_is_what_store_names(
    bench: Workbench, flags: tuple[str, ...], variables: dict[str, str], path: str
) -> None:
    bench.project.mkdir()
    cache = bench.folder / "cache"
    result = prefetch(bench, "cache", "dir", *flags, **{"XDG_CACHE_HOME": str(cache), **variables})
    assert (result.status, result.stdout) == (0, path.format(cache=cache, project=bench.project) + "\n")


@pytest.mark.parametrize("action", ["dir", "clean"])
@pytest.mark.parametrize(
    ("flags", "variables"), [(("--store", "none"), {}), (("--store", "github"), {}), ((), NO_HOME)]
)
def test_cache_without_a_folder_is_an_error(
    bench: Workbench, action: str, flags: tuple[str, ...], variables: dict[str, str]
) -> None:
    bench.project.mkdir()
    result = prefetch(bench, "cache", action, *flags, **variables)
    assert result.status == 2
    assert "[pool-unknown]" in result.stderr


def test_clean_deletes_the_pool_and_the_next_run_is_a_miss(bench: Workbench, pool: Path) -> None:
    modules = bench.module_files(bench.download_folder)
    found = files_below(pool)
    result = clean(bench, pool)
    assert result.status == 0, result.text
    assert f"{len(found)} files" in result.stdout
    assert not pool.exists()
    assert bench.module_files(bench.download_folder) == modules
    bench.forget_modcache()
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
    assert bench.outputs["cache-result"] == "miss"


def test_clean_twice_has_nothing_to_delete(bench: Workbench, pool: Path) -> None:
    assert clean(bench, pool).status == 0
    result = clean(bench, pool)
    assert (result.status, result.stderr) == (0, "")


def test_clean_takes_the_mark_and_what_killed_runs_left(bench: Workbench, pool: Path) -> None:
    (pool / "example.com/a/@v/1234567890123456789.tmp").write_bytes(b"half")
    (pool / ".go-prefetch" / "run-1234567890123456789").write_text("")
    managed = bench.folder / "managed"
    managed.mkdir()
    own(managed)
    shutil.copy(managed / ".gitignore", pool)
    assert clean(bench, pool, "-qq").text == ""
    assert not pool.exists()


def _other_file(pool: Path) -> None:
    (pool / "example.com" / "notes.txt").write_text("mine")


def _list_of_a_proxy(pool: Path) -> None:
    (pool / "example.com/a/@v/list").write_text("v1.0.0")


def _gitignore_of_a_project(pool: Path) -> None:
    (pool / ".gitignore").write_text("*")


def _link(pool: Path) -> None:
    (pool / "example.com/a/@v/v2.0.0.zip").symlink_to("v1.0.0.zip")


def _hash_of_a_module_cache(pool: Path) -> None:
    (pool / "example.com/a/@v/v1.0.0.ziphash").write_text("h1:x")


@pytest.mark.parametrize(
    "add", [_other_file, _list_of_a_proxy, _gitignore_of_a_project, _link, _hash_of_a_module_cache]
)
def test_clean_refuses_a_folder_with_other_files(bench: Workbench, pool: Path, add: Callable[[Path], None]) -> None:
    add(pool)
    before = files_below(pool)
    result = clean(bench, pool)
    assert result.status == 2
    assert "[folder-not-ours]" in result.stderr
    assert files_below(pool) == before


def test_clean_refuses_the_module_cache_and_a_file(bench: Workbench, pool: Path) -> None:
    before = files_below(bench.modcache)
    assert clean(bench, bench.download_folder).status == 2
    assert clean(bench, bench.modcache).status == 2
    assert clean(bench, bench.project / "go.mod").status == 2
    assert files_below(bench.modcache) == before


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")
def test_clean_of_a_linked_pool_leaves_the_link(bench: Workbench, pool: Path) -> None:
    link = bench.folder / "link"
    link.symlink_to(pool)
    result = clean(bench, link)
    assert result.status == 0, result.text
    assert link.is_symlink()
    assert files_below(pool) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")
def test_delete_does_not_follow_a_folder_that_became_a_link(bench: Workbench, pool: Path) -> None:
    contents = contents_of(pool)
    outside = bench.folder / "outside"
    shutil.copytree(pool / "example.com", outside)
    before = files_below(outside)
    shutil.rmtree(pool / "example.com")
    (pool / "example.com").symlink_to(outside)
    with pytest.raises(OSError, match=NOT_EMPTY):
        delete(pool, contents)
    assert files_below(outside) == before


def test_delete_keeps_what_came_after_the_look_and_says_so(bench: Workbench, pool: Path) -> None:
    contents = contents_of(pool)
    late = pool / "example.com/a/@v/v3.0.0.mod"
    late.write_text("module example.com/a")
    with pytest.raises(OSError, match=NOT_EMPTY):
        delete(pool, contents)
    assert list(files_below(pool)) == [late]


def test_contents_of_no_folder_are_empty(tmp_path: Path) -> None:
    assert contents_of(tmp_path / "nowhere") == PoolContents()
    (tmp_path / "file").touch()
    with pytest.raises(InputError):
        contents_of(tmp_path / "file")
