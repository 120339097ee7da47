"""The main job: a miss, then an exact hit that asks no proxy, then nothing to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from go_prefetch.base.trees import remove_trees
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.imports import HEAVY, imported_modules
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3", requires=(("github.com/BurntSushi/toml", "v1.4.0"),))
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", padding=100_000)
MAJOR = FakeModule("example.com/major/v2", "v2.0.1")
OLD = FakeModule("example.com/old", "v3.0.0+incompatible", has_gomod=False)
MODULES = (LIB, TOML, MAJOR, OLD)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


def test_first_run_is_a_miss_and_go_can_build_offline_afterwards(bench: Workbench, proxy: ModuleProxy) -> None:
    """A cold run downloads every planned file, Go accepts them, and nothing else is needed to build."""
    bench.write_project(MODULES)
    result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "miss"
    assert bench.outputs["modules"] == "4"
    assert bench.outputs["hit-rate"] == "0.000"
    assert len(set(proxy.paths())) == 12
    assert len(proxy.paths()) <= 13  # of ten one may get a rival, where the machine pauses
    assert bench.go("mod", "verify").stdout == "all modules verified\n"
    assert bench.go("build", "./...").status == 0


def test_second_run_is_exact_and_asks_no_proxy(bench: Workbench, proxy: ModuleProxy) -> None:
    """With an empty module cache and a filled pool no proxy hears of us, and the time saved is measured."""
    bench.write_project(MODULES)
    bench.prefetch(goproxy=proxy.url)
    cold = bench.report
    bench.forget_modcache()
    proxy.clear()
    result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert proxy.paths() == []
    assert bench.outputs["cache-result"] == "exact"
    assert bench.outputs["cache-hit"] == "true"
    assert bench.outputs["hit-rate"] == "1.000"
    assert bench.outputs["bytes-downloaded"] == "0"
    spent = bench.report["time_saved"]["cold_seconds"]
    assert 0 < spent <= cold["download"]["seconds"] + cold["download"]["overlapping_seconds"] + 0.001
    own = sum(bench.report[step]["seconds"] for step in ("restore", "download"))
    assert float(bench.outputs["seconds-saved"]) == pytest.approx(spent - own, abs=0.11)
    assert bench.go("build", "./...").status == 0


def test_third_run_has_nothing_to_do_and_asks_nobody(bench: Workbench, proxy: ModuleProxy) -> None:
    """With every file present neither proxy nor store is asked; no pool comes into being."""
    bench.write_project(MODULES)
    bench.prefetch("--store", "none", goproxy=proxy.url)
    proxy.clear()
    result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert proxy.paths() == []
    assert bench.outputs["cache-result"] == "present"
    assert bench.outputs["cache-hit"] == "true"
    assert bench.outputs["hit-rate"] == ""
    assert not bench.pool.exists()
    lines = [line for line in result.text.splitlines() if not line.startswith("go-prefetch-record/")]
    assert lines == ["go-prefetch: nothing to do: 4 modules already present"]


@pytest.mark.skipif(sys.platform == "win32", reason="processes are ended with ctypes there")
def test_run_with_nothing_to_do_imports_no_http(bench: Workbench, proxy: ModuleProxy) -> None:
    """Each of these takes some milliseconds, and all together as long as the rest of such a run."""
    bench.write_project(MODULES)
    bench.prefetch("--store", "none", goproxy=proxy.url)
    argv = [sys.executable, "-X", "importtime", *bench.command[1:], "run", "--store", "none"]
    result = bench.program(argv, GOPROXY=proxy.url)
    assert "nothing to do" in result.text, result.text
    imported = imported_modules(result.stderr)
    assert "go_prefetch.run.pipeline" in imported
    assert not imported & {*HEAVY, "go_prefetch.stores.directory_pool", "go_prefetch.run.steps.explain_failure"}


@pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")
def test_run_with_zips_that_are_not_unpacked_does_and_says_so(bench: Workbench, proxy: ModuleProxy) -> None:
    """As after a cache that carries no trees: they take the fast way, and are no "nothing to do"."""
    bench.write_project(MODULES)
    bench.prefetch("--store", "none", goproxy=proxy.url)
    for place in bench.modcache.iterdir():
        if place.name != "cache":
            remove_trees(place)
    proxy.clear()
    result = bench.prefetch(goproxy=proxy.url)
    assert (result.status, proxy.paths()) == (0, []), result.text
    assert bench.outputs["cache-result"] == "present"
    assert bench.report["admit"]["modules"] == 4
    assert "go-prefetch: 4 modules already present · 4 unpacked and verified in " in result.text
    assert bench.go("build", "./...").status == 0
    assert "nothing to do" in bench.prefetch(goproxy=proxy.url).text


def test_changed_go_sum_is_a_partial_hit_of_the_difference(bench: Workbench, proxy: ModuleProxy) -> None:
    """The pool serves what it has; only the new version comes from the proxy, and is added."""
    bench.write_project((LIB, TOML))
    bench.prefetch(goproxy=proxy.url)
    bench.forget_modcache()
    proxy.clear()
    bench.write_project((LIB, TOML, MAJOR))
    result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "partial"
    assert bench.outputs["modules-from-cache"] == "2"
    assert {path.partition("/@v/")[0] for path in proxy.paths()} == {"example.com/major/v2"}
    assert bench.outputs["seconds-saved"] == ""
    assert any("major" in name for name in bench.module_files(bench.pool))


def test_only_three_kinds_of_file_reach_the_pool(bench: Workbench, proxy: ModuleProxy) -> None:
    """The pool holds module files and its own ledger: no trees, no .ziphash, no locks."""
    bench.write_project(MODULES)
    bench.prefetch(goproxy=proxy.url)
    others = {
        path.relative_to(bench.pool).parts[0]
        for path in bench.pool.rglob("*")
        if path.is_file() and path.suffix not in (".info", ".mod", ".zip")
    }
    assert others == {".go-prefetch"}
    assert bench.module_files(bench.pool) == {f.replace("\\", "/") for f in proxy.files}


def test_verify_calls_an_interrupted_unpacking_not_unpacked(bench: Workbench, proxy: ModuleProxy) -> None:
    """Go leaves `.partial` next to a tree that it has not finished, and unpacks it again."""
    bench.write_project(MODULES)
    assert bench.prefetch("--store", "none", goproxy=proxy.url).status == 0
    gomod = bench.modcache / "github.com/!burnt!sushi/toml@v1.4.0/go.mod"
    gomod.chmod(0o644)  # Go makes files read-only
    gomod.write_text("half")
    (bench.download_folder / "github.com/!burnt!sushi/toml/@v/v1.4.0.partial").touch()
    result = bench.quickly("verify")
    assert result.status == 0, result.text
    assert result.verified == (3, 0, 0, 1)
