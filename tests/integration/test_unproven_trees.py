"""Trees in the module cache that nothing vouches for: compared with go.sum, and replaced if they are something else."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from go_prefetch.base import file_lock
from tests.integration.test_quarantine import (
    EVIL,
    EVIL_GO,
    LIB,
    MODULES,
    TREE,
    ZIP,
    assert_honest,
    plant_dangling_link,
    plant_link,
    plant_tree,
    ready,
    tamper,
)
from tests.support.fakes.go_on_path import GoOnPath, go_with_another_root
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.notices import facts
from tests.support.waiting import wait_until
from tests.support.workbench import Result, Workbench

__all__ = ["ready"]  # the fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows"),
]  # many whole runs


def plant_tree_and_good_ziphash(bench: Workbench) -> None:
    """Go alone takes such a tree, and never asks for its zip."""
    plant_tree(bench)
    ziphash = (bench.download_folder / ZIP).with_suffix(".ziphash")
    ziphash.parent.mkdir(parents=True)
    ziphash.write_text(LIB.h1_zip)


def plant_tree_and_zip(bench: Workbench) -> None:
    """No hash: Go hashes the zip, finds it good and keeps the tree."""
    plant_tree(bench)
    (bench.download_folder / ZIP).parent.mkdir(parents=True)
    (bench.download_folder / ZIP).write_bytes(LIB.zip)


def plant_all_but_info(bench: Workbench) -> None:
    """The zip is evil too, its hash is not, and the `.info` alone comes from the store."""
    plant_tree_and_good_ziphash(bench)
    (bench.download_folder / ZIP).write_bytes(EVIL.zip)
    (bench.download_folder / ZIP).with_suffix(".mod").write_bytes(LIB.mod)


def plant_tree_in_a_linked_folder(bench: Workbench) -> None:
    """The folder above it is a link to elsewhere."""
    elsewhere = bench.folder / "elsewhere"
    (elsewhere / "lib@v1.2.3").mkdir(parents=True)
    (elsewhere / "lib@v1.2.3/lib.go").write_text(EVIL_GO)
    bench.modcache.mkdir()
    (bench.modcache / "example.com").symlink_to(elsewhere)


PLANTED = (
    plant_tree, plant_link, plant_dangling_link, plant_tree_and_good_ziphash, plant_tree_and_zip, plant_all_but_info,
    plant_tree_in_a_linked_folder,
)  # fmt: skip


def assert_built_honestly(bench: Workbench) -> None:
    """A build without network says what the authors wrote, and the module cache holds nothing else."""
    built = bench.go("run", ".")
    assert built.status == 0, built.text
    assert "example.com/lib v1.2.3" in built.text
    assert "evil" not in built.text
    assert bench.run("verify").verified[:3] == (4, 0, 0)
    assert list((bench.modcache / "cache").glob("go-prefetch-*")) == []
    assert list(bench.modcache.rglob("*.tmp-*")) == []


def replaced(result: Result) -> tuple[str, list[str]]:
    """Why trees were replaced, and which."""
    warning = result.notice("trees-replaced")
    return warning.case, list(map(str, facts(warning)["modules"]))


@pytest.mark.parametrize("plant", PLANTED, ids=lambda function: function.__name__)
def test_a_planted_tree_is_replaced(ready: Workbench, plant: Callable[[Workbench], None]) -> None:
    """It is named, with what the build cache may hold of it, and what it links to is left alone."""
    plant(ready)
    result = ready.prefetch(goproxy=f"file://{ready.pool}")
    assert result.status == 0, result.text
    assert_built_honestly(ready)
    assert ready.warnings[:2] == ["trees-replaced", "stale-objects"]
    assert replaced(result) == ("wrong", ["example.com/lib@v1.2.3"])
    if (outside := ready.folder / "outside").exists():
        assert (outside / "lib.go").read_text() == EVIL_GO
        assert stat.S_IMODE(outside.stat().st_mode) == 0o550


def test_evil_zip_with_good_hash_is_hashed_if_a_file_is_missing(ready: Workbench) -> None:
    """No tree, so none to compare: Go looks at the zip again before anything of it counts as from the cache."""
    plant_all_but_info(ready)
    shutil.rmtree(ready.modcache / TREE)
    result = ready.prefetch(goproxy=f"file://{ready.pool}")
    assert result.status == 0, result.text
    assert [rejected["file"] for rejected in ready.report["complete"]["rejected"]] == [ZIP]
    assert_built_honestly(ready)


@pytest.mark.parametrize("zip_file", [EVIL.zip, b"damaged"], ids=["evil", "damaged"])
def test_a_zip_with_a_good_hash_is_hashed_if_its_tree_is_missing(ready: Workbench, zip_file: bytes) -> None:
    """All files of the module are there. Go would unpack the zip, and not look at its hash again."""
    plant_all_but_info(ready)
    shutil.rmtree(ready.modcache / TREE)
    (ready.download_folder / ZIP).write_bytes(zip_file)
    (ready.download_folder / ZIP).with_suffix(".info").write_bytes(LIB.info)
    result = ready.prefetch(goproxy=f"file://{ready.pool}")
    assert result.status == 0, result.text
    assert_built_honestly(ready)


@pytest.mark.parametrize("what", ["link", "folder"])
def test_a_lock_that_cannot_be_taken_protects_no_hash(ready: Workbench, what: str) -> None:
    """Planted beside an evil zip and a good hash of it: Go follows the link, or fails; it never believes the hash."""
    plant_all_but_info(ready)
    shutil.rmtree(ready.modcache / TREE)
    plant_lock(ready, what)
    ready.prefetch(goproxy=f"file://{ready.pool}")
    assert "evil" not in ready.go("run", ".").text
    if (ready.modcache / TREE).exists():
        assert (ready.modcache / TREE / "lib.go").read_bytes() == LIB.contents[f"{TREE}/lib.go"]


def plant_lock(bench: Workbench, what: str) -> None:
    lock = (bench.download_folder / ZIP).with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    if what == "link":
        lock.symlink_to(bench.folder / "nowhere")
    else:
        lock.mkdir()


def test_an_honest_tree_without_its_zip_stays(ready: Workbench) -> None:
    """A build may be reading it: not even its folder is another afterwards, and there is nothing to warn of."""
    assert ready.prefetch(goproxy="off").status == 0
    shutil.rmtree(ready.download_folder)
    before = {path: path.stat().st_ino for path in ready.modcache.glob("example.com/*")}
    result = ready.prefetch(goproxy="off")
    assert result.status == 0, result.text
    assert ready.report["warnings"] == []
    assert ready.outputs["modules-from-cache"] == "4"
    assert {path: path.stat().st_ino for path in ready.modcache.glob("example.com/*")} == before
    assert_built_honestly(ready)


def test_a_tree_planted_while_the_run_works_is_replaced(ready: Workbench, tmp_path: Path) -> None:
    """It was not there when the plan was made, and is there before trees are moved to their place."""
    tree = ready.modcache / TREE
    plant = f"mkdir -p {tree}; cp {tmp_path}/evil.go {tree}/lib.go"
    (tmp_path / "evil.go").write_text(EVIL_GO)
    go = go_with_another_root(tmp_path / "bin", f'if [ "$2" = verify ] && [ ! -d {tree} ]; then {plant}; fi')
    result = ready.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 0, result.text
    assert ready.report["admit"]["modules"] == 3
    assert replaced(result) == ("wrong", ["example.com/lib@v1.2.3"])
    assert_honest(ready)
    assert_built_honestly(ready)


def comment_in_zip(bench: Workbench) -> None:
    """Not for the quarantine: Go itself unpacks it."""
    with zipfile.ZipFile(bench.pool / ZIP, "a") as archive:
        archive.comment = b"by hand"


def test_a_tree_planted_as_go_begins_is_replaced(ready: Workbench, tmp_path: Path) -> None:
    """It comes after the last look, and before Go unpacks that module: Go takes it for one it has not finished."""
    comment_in_zip(ready)
    (tmp_path / "evil.go").write_text(EVIL_GO)
    tree = ready.modcache / TREE
    go = GoOnPath(tmp_path / "bin", on_download=f"mkdir {tree} && cp {tmp_path}/evil.go {tree}/lib.go")
    result = ready.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 0, result.text
    assert ready.report["admit"]["left_to_go"] == {"a zip of an unusual kind": 1}
    assert_honest(ready)
    assert list(ready.download_folder.rglob("*.partial")) == []


def test_no_mark_stays_where_go_unpacks_nothing(ready: Workbench) -> None:
    """A module that nobody has."""
    (ready.pool / ZIP).unlink()
    assert ready.prefetch(goproxy="off").status == 4
    assert not (ready.modcache / TREE).exists()
    assert list(ready.download_folder.rglob("*.partial")) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX pipes")
def test_a_pipe_in_the_place_of_a_mark_holds_up_no_run(ready: Workbench) -> None:
    """Whoever opens it waits for its other end, and no deadline counts there."""
    (ready.download_folder / ZIP).parent.mkdir(parents=True)
    os.mkfifo((ready.download_folder / ZIP).with_suffix(".partial"))
    result = ready.run("run", "--store", f"dir:{ready.pool}", "--deadline", "30s", GOPROXY="off")
    assert result.status == 0, result.text
    assert_built_honestly(ready)


def test_a_clean_module_cache_costs_no_go(ready: Workbench, tmp_path: Path) -> None:
    """Cold, one verification, that of the quarantine; with everything present none; neither says a word."""
    asked = tmp_path / "asked"
    go = go_with_another_root(tmp_path / "bin", f'echo "$1 $2" >>{asked}')
    assert ready.prefetch(goproxy="off", PATH=go.path).status == 0
    assert asked.read_text().splitlines().count("mod verify") == 1
    assert ready.report["warnings"] == []
    asked.unlink()
    assert ready.prefetch(goproxy="off", PATH=go.path).status == 0
    assert not asked.exists()


def test_a_tree_that_another_go_replaces_meanwhile_stays(ready: Workbench, tmp_path: Path) -> None:
    """It is checked once more under Go's lock, before it would be taken away."""
    plant_tree(ready)
    asked, go_on = tmp_path / "asked", tmp_path / "go-on"
    asked.touch()
    waits_at_second = (
        f'if [ "$2" = verify ]; then echo >>{asked}; [ $(wc -l <{asked}) != 2 ] || '
        f"until [ -e {go_on} ]; do sleep 0.1; done; fi"
    )
    go = go_with_another_root(tmp_path / "bin", waits_at_second)
    tree, lock = ready.modcache / TREE, (ready.download_folder / ZIP).with_suffix(".lock")
    run = ready.start("run", "--store", f"dir:{ready.pool}", GOPROXY="off", PATH=go.path)
    wait_until(lambda: len(asked.read_text()) == 2, "the check of what was there")
    with file_lock.held(lock):
        go_on.touch()
        wait_until(lambda: waits(run.pid, lock), "a run that waits for the lock")
        shutil.rmtree(tree)
        shutil.copytree(honest(ready), tree)
        inode = tree.stat().st_ino
    said = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert tree.stat().st_ino == inode
    assert_built_honestly(ready)


def waits(pid: int, lock: Path) -> bool:
    return str(lock) in {file.path for file in psutil.Process(pid).open_files()}


def honest(bench: Workbench) -> Path:
    """A folder with the files of LIB."""
    tree = bench.folder / "honest"
    for name, content in LIB.contents.items():
        path = tree / name.removeprefix(f"{TREE}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tree


def test_a_tree_that_cannot_be_compared_is_replaced(ready: Workbench) -> None:
    """Two hashes in go.sum: the tree proves nothing, so Go unpacks the zip that it has compared itself."""
    plant_tree(ready)
    with (ready.project / "go.sum").open("a") as go_sum:
        go_sum.write(f"example.com/lib v1.2.3 {EVIL.h1_zip}\n")
    result = ready.prefetch(goproxy="off")
    assert result.status == 0, result.text
    assert replaced(result) == ("not-compared", ["example.com/lib@v1.2.3"])
    assert facts(result.notice("trees-replaced"))["cause"] is None
    assert (ready.modcache / TREE / "lib.go").read_bytes() == LIB.contents[f"{TREE}/lib.go"]


def test_a_tree_that_go_sum_has_no_hash_of_is_replaced(ready: Workbench) -> None:
    """Go takes the zip unseen and says so; it does not take a tree that lay there."""
    plant_tree(ready)
    go_sum = ready.project / "go.sum"
    lines = go_sum.read_text().splitlines(keepends=True)
    go_sum.write_text("".join(line for line in lines if not line.startswith("example.com/lib v1.2.3 ")))
    result = ready.prefetch(goproxy=f"file://{ready.pool}")
    assert result.status == 0, result.text
    assert (ready.modcache / TREE / "lib.go").read_bytes() == LIB.contents[f"{TREE}/lib.go"]


@pytest.mark.parametrize("variable", ["GOPRIVATE", "GONOSUMDB", "GONOPROXY"])
def test_a_private_module_is_no_exception(ready: Workbench, variable: str) -> None:
    """The tree is compared with go.sum, whoever fetches the zip."""
    plant_tree_and_zip(ready)
    for suffix, content in ((".mod", LIB.mod), (".info", LIB.info)):
        (ready.download_folder / ZIP).with_suffix(suffix).write_bytes(content)
    result = ready.prefetch(goproxy=f"file://{ready.pool}", **{variable: "example.com/lib"})
    assert result.status == 0, result.text
    assert_built_honestly(ready)


def test_without_a_verdict_such_trees_are_replaced(ready: Workbench, tmp_path: Path) -> None:
    """An honest one too: Go unpacks it again from a zip that it has compared."""
    assert ready.prefetch(goproxy="off").status == 0
    shutil.rmtree(ready.download_folder)
    tamper(ready.modcache / TREE)
    go = go_with_another_root(tmp_path / "bin", 'if [ "$2" = verify ]; then exit 0; fi')
    result = ready.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 0, result.text
    case, modules = replaced(result)
    assert (case, len(modules)) == ("not-compared", len(MODULES))
    cause = facts(result.notice("trees-replaced"))["cause"]
    assert (cause.slug, cause.case, facts(cause)["command"]) == ("inconclusive", "output", "go mod verify")
    assert_built_honestly(ready)


@pytest.mark.parametrize("what", ["link", "folder"])
def test_a_lock_that_cannot_be_taken_fails_the_run(ready: Workbench, what: str) -> None:
    """Nobody can tell who is at work on that tree: it is named, and no build starts. What came before is reported."""
    plant_tree(ready)
    plant_lock(ready, what)
    result = ready.prefetch("--on-failure", "warn", goproxy="off")
    assert result.status == 5, result.text
    assert ready.report["outputs"]["cache-result"] == "failed"
    assert ready.report["restore"]["files"] > 0
    error = result.notice("checksum-mismatch")
    assert (error.case, str(facts(error)["version"])) == ("tree-stays", "example.com/lib@v1.2.3")
    assert not (ready.folder / "nowhere").exists()


@pytest.mark.slow
def test_a_thousand_planted_trees_take_one_verification_more(bench: Workbench, tmp_path: Path) -> None:
    """They are checked together, not each by a go of its own; and no more files are open than a process may have."""
    modules = [FakeModule(f"example.com/m{number:03}", "v1.0.0") for number in range(250)]
    bench.write_project(modules)
    for module in modules:
        tree = bench.modcache / f"{module.path}@{module.version}"
        tree.mkdir(parents=True)
        (tree / "evil.go").write_text("package evil\n")
    write_proxy_folder(bench.pool, modules)
    limited = ["prlimit", "--nofile=256", *bench.command]
    result = bench.program([*limited, "run", "--store", f"dir:{bench.pool}"], GOPROXY="off")
    assert result.status == 0, result.text
    assert list(bench.modcache.glob("example.com/*/evil.go")) == []


@pytest.mark.system
def test_tree_on_another_file_system_is_replaced(ready: Workbench) -> None:
    """`cache` is a mount of its own, so that no tree can be moved there: it is renamed where it lies."""
    plant_tree(ready)
    (ready.modcache / "cache").mkdir()
    mount = f'mount -t tmpfs -o size=64m none "{ready.modcache}/cache" && exec "$@"'
    run = [*ready.command, "run", "--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file)]
    result = ready.program(["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *run], GOPROXY="off")
    assert result.status == 0, result.text
    assert (ready.modcache / TREE / "lib.go").read_bytes() == LIB.contents[f"{TREE}/lib.go"]
    assert list(ready.modcache.rglob("*.tmp-*")) == []


@pytest.mark.system
def test_a_user_without_privileges_replaces_a_read_only_tree(ready: Workbench) -> None:
    """As Go leaves them: folders that cannot be written."""
    plant_tree(ready)
    (ready.modcache / TREE / "sub").mkdir()
    (ready.modcache / TREE / "sub/more.go").write_text("package sub\n")
    for folder in (ready.modcache / TREE / "sub", ready.modcache / TREE):
        folder.chmod(0o555)
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *ready.command]
    store = ("--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file))
    result = ready.program([*plain, "run", *store], GOPROXY="off")
    assert result.status == 0, result.text
    assert_built_honestly(ready)


def test_verify_with_fix_warns_of_the_build_cache(ready: Workbench) -> None:
    """What was compiled from a tree, and the index of it, outlive the tree."""
    assert ready.prefetch(goproxy="off").status == 0
    tamper(ready.modcache / TREE)
    assert "[stale-objects]" not in ready.run("verify").text
    fixed = ready.run("verify", "--fix")
    assert fixed.status == 0
    assert fixed.text.count("[stale-objects]") == 1
    assert not os.path.lexists(ready.modcache / TREE)
