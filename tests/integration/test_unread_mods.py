"""`.mod` files that `go mod download` does not read: a later go command would refuse a wrong one, so none stays."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from go_prefetch.golang.modcache import ModuleFolder, file_named
from go_prefetch.stores.cache_service.module_archive import write_archive
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.go_on_path import go_with_another_root
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, escape, write_proxy_folder
from tests.support.notices import facts
from tests.support.service_job import MAIN
from tests.support.service_shelf import ENCODINGS
from tests.support.workbench import Workbench

# The main module requires LIB; what LIB's requirement requires is pruned, and go.sum has its /go.mod line only.
DEEP = FakeModule("example.com/Deep", "v1.0.0")
OLDER = FakeModule("example.com/Deep", "v0.9.0+incompatible", has_gomod=False)
MORE = [FakeModule(f"example.com/more{number}", "v1.0.0") for number in range(5)]
LIB = FakeModule("example.com/lib", "v1.2.3")
UNREAD = (DEEP, OLDER, *MORE)
MODULES = (LIB, *UNREAD)
MOD = "example.com/!deep/@v/v1.0.0.mod"


def mod_line(module: FakeModule, digest: str = "") -> str:
    return f"{module.path} {module.version}/go.mod {digest or module.h1_mod}\n"


@pytest.fixture
def pruned(bench: Workbench) -> Workbench:
    """A project whose go.sum has `/go.mod` lines that Go never asks for; the pool is whole."""
    bench.write_project([LIB], extra_go_sum="".join(map(mod_line, UNREAD)))
    write_proxy_folder(bench.pool, MODULES)
    return bench


def place(folder: Path, module: FakeModule) -> Path:
    return folder / f"{escape(module.path)}/@v/{module.version}.mod"


def poison(folder: Path, *modules: FakeModule) -> None:
    for module in modules:
        place(folder, module).write_bytes(damaged("x.mod", module.mod))


def test_go_mod_download_does_not_read_them(pruned: Workbench) -> None:
    """What all this is about: Go alone is content, and a later command is not."""
    poison(pruned.pool, DEEP)
    shutil.copytree(pruned.pool, pruned.download_folder)
    assert pruned.go("mod", "download").status == 0
    assert "SECURITY ERROR" in pruned.go("list", "-m", "example.com/Deep@v1.0.0").text


def test_the_honest_case_says_nothing_and_keeps_all(pruned: Workbench) -> None:
    """No warning, cold or warm, and all are saved."""
    shutil.rmtree(pruned.pool)
    with ModuleProxy(MODULES) as proxy:
        cold = pruned.prefetch(goproxy=proxy.url)
    assert cold.status == 0, cold.text
    assert pruned.report["warnings"] == []
    mods = {name for name in pruned.module_files(pruned.pool) if name.endswith(".mod")}
    assert len(mods) == len(MODULES)
    pruned.forget_modcache()
    assert pruned.prefetch(goproxy="off").status == 0
    assert pruned.report["warnings"] == []
    assert pruned.outputs["cache-result"] == "exact"


def assert_healed(bench: Workbench) -> None:
    for folder in (bench.pool, bench.download_folder):
        assert all(place(folder, module).read_bytes() == module.mod for module in MODULES)


@pytest.mark.parametrize("bad", [(DEEP,), (DEEP, *MORE)], ids=["one", "many"])
def test_a_poisoned_pool_is_healed(pruned: Workbench, bad: tuple[FakeModule, ...]) -> None:
    """Replaced from the proxy, in the module cache and in the pool; after three the store's others go too."""
    poison(pruned.pool, *bad)
    with ModuleProxy(MODULES) as proxy:
        result = pruned.prefetch(goproxy=proxy.url)
        assert result.status == 0, result.text
        assert MOD in proxy.paths()
    assert_healed(pruned)
    told = [rejected["file"] for rejected in pruned.report["complete"]["rejected"]]
    assert MOD in told


def test_a_poisoned_entry_of_the_cache_service_is_healed(pruned: Workbench) -> None:
    """The next entry is without the poison, and the run after that has an exact hit."""
    with CacheService(MAIN) as service, ModuleProxy(MODULES) as proxy:

        def job(number: int) -> None:
            pruned.forget_modcache()
            proxy.clear()
            arguments = ("run", "--store", "github", "--report-file", str(pruned.report_file))
            done = pruned.run(*arguments, GOPROXY=proxy.url, **service.v2(MAIN.text, run=str(number)))
            assert done.status == 0, done.text

        job(1)
        (entry,) = service.entries
        kept = shutil.copytree(pruned.download_folder, pruned.folder / "kept")
        poison(kept, DEEP)
        files = [file for file in map(file_named, sorted(pruned.module_files(kept))) if file]
        with (pruned.folder / "poisoned").open("wb") as archive:
            write_archive(archive, ModuleFolder.at(kept), files, ENCODINGS["zstd"])
        entry.data = (pruned.folder / "poisoned").read_bytes()
        job(2)
        assert [rejected["file"] for rejected in pruned.report["complete"]["rejected"]] == [MOD]
        assert proxy.paths() == [MOD]
        assert place(pruned.download_folder, DEEP).read_bytes() == DEEP.mod
        job(3)
        assert pruned.outputs["cache-result"] == "exact"
        assert pruned.report["warnings"] == []
        assert proxy.paths() == []
        assert place(pruned.download_folder, DEEP).read_bytes() == DEEP.mod


def test_a_poisoned_proxy_is_gone_around(pruned: Workbench) -> None:
    """What the first proxy served is taken from the second."""
    shutil.rmtree(pruned.pool)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault(MOD, Fault.WRONG_BYTES)
        result = pruned.prefetch(goproxy=f"{first.url}|{second.url}")
        assert result.status == 0, result.text
        assert second.paths() == [MOD]
        assert pruned.warnings == ["files-rejected"]
        warning = result.notice("files-rejected")
        assert (warning.case, facts(warning)) == ("replaced", {"count": 1, "source": first.url})
    assert_healed(pruned)


def test_one_that_is_wrong_everywhere_is_taken_away(pruned: Workbench) -> None:
    """The run does not fail, for plain Go would not; the file is in neither folder, and a warning tells."""
    with ModuleProxy(MODULES) as proxy:
        (pruned.pool / MOD).unlink()
        proxy.fault(MOD, Fault.WRONG_BYTES)
        result = pruned.prefetch(goproxy=proxy.url)
        assert result.status == 0, result.text
        assert proxy.paths() == [MOD, MOD]
        assert pruned.warnings == ["files-rejected"]
        warning = result.notice("files-rejected")
        assert (warning.case, facts(warning)) == ("removed", {"count": 1, "source": proxy.url})
    assert not (pruned.pool / MOD).exists()
    assert not (pruned.download_folder / MOD).exists()


def test_wrong_pool_without_a_proxy_leaves_files_go_has_read(pruned: Workbench) -> None:
    """The wrong ones go, what Go found good stays, and the build works."""
    poison(pruned.pool, DEEP, *MORE)
    result = pruned.prefetch(goproxy="off")
    assert result.status == 0, result.text
    left = {name for name in pruned.module_files(pruned.download_folder) if name.endswith(".mod")}
    assert "example.com/lib/@v/v1.2.3.mod" in left
    assert MOD not in left
    assert pruned.go("list", "-deps", "./...").status == 0


def test_two_hashes_are_left_alone(bench: Workbench) -> None:
    """Go believes the first that fits; which one counts is not ours to say, so it is not kept either."""
    lines = mod_line(DEEP) + mod_line(DEEP, LIB.h1_mod)
    bench.write_project([LIB], extra_go_sum=lines)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert bench.report["warnings"] == []
    assert (bench.download_folder / MOD).read_bytes() == DEEP.mod
    assert not (bench.pool / MOD).exists()


@pytest.mark.slow
def test_thousands_of_them_go_in_parts(bench: Workbench) -> None:
    """No argument list is too long, and each part is checked: the first and the last are wrong here."""
    many = [FakeModule(f"example.com/{'long' * 10}/module{number:04}", "v1.0.0") for number in range(500)]
    bench.write_project([LIB], extra_go_sum="".join(map(mod_line, many)))
    write_proxy_folder(bench.pool, [LIB, *many])
    wrong = (many[0], many[-1])
    poison(bench.pool, *wrong)
    with ModuleProxy(many) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
        assert result.status == 0, result.text
        assert len(proxy.paths()) == len(wrong)
    assert all(place(bench.pool, module).read_bytes() == module.mod for module in wrong)


LIARS = {
    "content-with-all": 'if [ "$1" = list ]; then shift 4; printf "%s x\\n" "$@"; exit 0; fi',
    "content-with-all-and-silent": 'if [ "$1" = list ]; then exit 0; fi',
    "fails": 'if [ "$1" = list ]; then exit 1; fi',
    "killed": 'if [ "$1" = list ]; then "$GO" "$@"; kill -9 $$; fi',
    "status-0-with-the-right-words": 'if [ "$1" = list ]; then "$GO" "$@"; exit 0; fi',
    "a-line-of-another-kind": 'if [ "$1" = list ]; then echo warning >&2; fi',
    "leaves-one-out": 'case "$*" in *Deep*) "$GO" "$@" 2>/dev/null | grep -v more1; exit 0;; esac',
}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for go")
@pytest.mark.parametrize("liar", LIARS)
def test_a_go_that_does_not_prove_itself_is_not_believed(pruned: Workbench, tmp_path: Path, liar: str) -> None:
    """No verdict: a warning, the run succeeds, nothing unread is saved, what Go itself has read is."""
    shutil.rmtree(pruned.pool)
    go = go_with_another_root(tmp_path / "bin", LIARS[liar])
    with ModuleProxy(MODULES) as proxy:
        result = pruned.prefetch(goproxy=proxy.url, PATH=go.path)
    assert result.status == 0, result.text
    assert "mod-files-unchecked" in pruned.warnings
    cause = facts(result.notice("mod-files-unchecked"))["cause"]
    assert (cause.slug, cause.case) == ("inconclusive", "output")
    assert facts(cause)["command"].startswith("go list -m")
    assert {name for name in pruned.module_files(pruned.pool) if name.endswith(".mod")} == {
        "example.com/lib/@v/v1.2.3.mod"
    }
