"""The fast way under attack: what it admits is what Go would have, and what it cannot be sure of it leaves to Go."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from go_prefetch.base import file_copy, file_lock
from go_prefetch.errors import Notice
from go_prefetch.verification import check_trees
from tests.support.fakes.go_on_path import GoOnPath, go_with_another_root
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, layout, write_proxy_folder
from tests.support.notices import facts
from tests.support.waiting import wait_until
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")

LIB = FakeModule("example.com/lib", "v1.2.3")
DEEP = FakeModule(
    "github.com/BurntSushi/deep/v2", "v2.0.1", files={"a/b/c.go": "package b\n", "a/x.txt": "x", "d.go": ""}
)
OLD = FakeModule("example.com/old", "v3.0.0+incompatible", has_gomod=False)
SOLO = FakeModule("solo.example", "v1.0.0")
MODULES = (LIB, DEEP, OLD, SOLO)
ZIP = "example.com/lib/@v/v1.2.3.zip"
TREE = "example.com/lib@v1.2.3"
OLD_TREE = "example.com/old@v3.0.0+incompatible"
EVIL_GO = 'package lib\n\nfunc Hello() string { return "evil" }\n'
EVIL = FakeModule("example.com/lib", "v1.2.3", files={"lib.go": EVIL_GO})


@pytest.fixture
def ready(bench: Workbench) -> Iterator[Workbench]:
    """A project of four modules, all in the pool; what is read-only can be removed afterwards."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    yield bench
    for folder, _, _ in os.walk(bench.folder):
        Path(folder).chmod(0o755)


def beside(bench: Workbench, name: str = "slow") -> Workbench:
    """The same project with a module cache of its own, in which Go is alone with the pool's files."""
    slow = Workbench(bench.folder / name, Path(bench.environ["GOCACHE"]))
    slow.project.symlink_to(bench.project)
    slow.environ["GOFLAGS"] = bench.environ["GOFLAGS"]
    shutil.copytree(bench.pool, slow.download_folder, ignore=shutil.ignore_patterns(".go-prefetch"))
    return slow


def everything(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Every file and folder below: its mode and content."""
    found = {}
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found[path.relative_to(folder).as_posix()] = (oct(path.lstat().st_mode), content)
    return found


def trees(bench: Workbench) -> dict[str, tuple[str, bytes]]:
    return {name: what for name, what in everything(bench.modcache).items() if not name.startswith("cache")}


def honest_trees() -> dict[str, bytes]:
    return {name.replace("BurntSushi", "!burnt!sushi"): data for m in MODULES for name, data in m.contents.items()}


def assert_honest(bench: Workbench) -> None:
    """Every module is unpacked, is what its author wrote, and no quarantine is left."""
    files = {name: data for name, (mode, data) in trees(bench).items() if stat.S_ISREG(int(mode, 8))}
    assert files == honest_trees()
    assert bench.go("mod", "verify").stdout == "all modules verified\n"
    assert quarantines(bench) == []


def quarantines(bench: Workbench) -> list[Path]:
    return list((bench.modcache / "cache").glob("go-prefetch-*"))


def admitted(bench: Workbench) -> int:
    count: int = bench.report["admit"]["modules"]
    return count


def names(bench: Workbench, result: Result, path: str) -> bool:
    """Whether the report names this module: as rejected, or in a warning."""
    warnings = [str(one.facts) for one in result.notices if one.slug in bench.warnings]
    return any(path in name for name in [*warnings, *(one["file"] for one in bench.report["complete"]["rejected"])])


def tamper(tree: Path) -> None:
    (tree / "lib.go").unlink()
    (tree / "lib.go").write_text(EVIL_GO)


@pytest.mark.parametrize("umask", ["022", "077"])
@pytest.mark.parametrize("goflags", ["-modcacherw", "-modcacherw=false", "'-modcacherw=1'", ""])
def test_what_is_admitted_is_what_go_leaves(ready: Workbench, goflags: str, umask: str) -> None:
    """Names, modes and contents of the whole module cache are as after Go's own work; go.sum is untouched."""
    ready.environ["GOFLAGS"] = goflags
    go_sum = (ready.project / "go.sum").read_bytes()
    slow = beside(ready)

    def masked(bench: Workbench, *argv: str) -> None:
        script = f"umask {umask}; exec {shlex.join(argv)}"
        assert bench.program(["sh", "-c", script], GOPROXY="off").status == 0

    shutil.rmtree(slow.modcache)
    store = ("--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file))
    masked(ready, *ready.command, "run", *store)
    assert admitted(ready) == len(MODULES)
    masked(slow, "sh", "-c", f"GOPROXY=file://{slow.folder}/../pool go mod download")
    for bench in (ready, slow):  # what only one of them has a reason to make
        for name in [
            *bench.download_folder.rglob("*.lock"),
            *bench.download_folder.rglob("list"),
            bench.modcache / "cache/lock",
        ]:
            name.unlink(missing_ok=True)
    for path in ready.download_folder.rglob("*.info"):
        assert path.read_bytes() == (slow.download_folder / path.relative_to(ready.download_folder)).read_bytes()
    assert trees(ready) == trees(slow)
    ours, theirs = ({n: w[1] for n, w in everything(b.modcache).items()} for b in (ready, slow))
    assert ours == theirs
    assert (ready.project / "go.sum").read_bytes() == go_sum
    assert_honest(ready)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: damaged("x.zip", data),
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: data[: len(data) // 2],
        lambda data: FakeModule("example.com/m04", "v1.0.0").zip,
        lambda data: FakeModule("example.com/m03", "v1.0.0", files={"m03.go": "package m03\n"}).zip,
    ],
    ids=["another-byte-in-a-file", "another-byte-in-the-zip", "half", "swapped", "another-valid-zip"],
)
def test_one_bad_zip_of_150_is_replaced_and_named(bench: Workbench, spoil: Callable[[bytes], bytes]) -> None:
    """The others go the fast way; the bad one is fetched from the proxy, and the pool is healed."""
    modules = [FakeModule(f"example.com/m{number:02}", "v1.0.0") for number in range(150)]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, modules)
    bad = "example.com/m03/@v/v1.0.0.zip"
    (bench.pool / bad).write_bytes(spoil((bench.pool / bad).read_bytes()))
    with ModuleProxy(modules) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
        assert proxy.paths() == [bad]
    assert result.status == 0, result.text
    assert admitted(bench) >= 149
    assert names(bench, result, "example.com/m03")
    assert (bench.pool / bad).read_bytes() == layout(modules)[bad]
    assert bench.go("mod", "verify").status == 0
    assert (bench.modcache / "example.com/m03@v1.0.0/m03.go").read_bytes() == modules[3].contents[
        "example.com/m03@v1.0.0/m03.go"
    ]


def plant_in_pool_ziphash(pool: Path) -> None:
    (pool / ZIP).write_bytes(EVIL.zip)
    (pool / ZIP).with_suffix(".ziphash").write_text(LIB.h1_zip)


def plant_in_pool_tree(pool: Path) -> None:
    (pool / ZIP).write_bytes(EVIL.zip)
    (pool / TREE).mkdir(parents=True)
    (pool / TREE / "lib.go").write_text(EVIL_GO)


def plant_in_pool_link(pool: Path) -> None:
    (pool / "evil").write_bytes(EVIL.zip)
    (pool / ZIP).unlink()
    (pool / ZIP).symlink_to(pool / "evil")


def plant_in_pool_partial(pool: Path) -> None:
    (pool / ZIP).with_suffix(".partial").touch()
    (pool / ZIP).with_suffix(".lock").mkdir()


@pytest.mark.parametrize(
    "plant",
    [plant_in_pool_ziphash, plant_in_pool_tree, plant_in_pool_link, plant_in_pool_partial],
    ids=lambda f: f.__name__,
)
def test_what_is_planted_in_the_pool_is_not_taken(ready: Workbench, plant: Callable[[Path], None]) -> None:
    """Only three kinds of file come from it, only regular ones, and none is believed."""
    plant(ready.pool)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert_honest(ready)
    assert not (ready.download_folder / ZIP).with_suffix(".partial").exists()
    assert (ready.download_folder / ZIP).read_bytes() == LIB.zip


def outside(bench: Workbench) -> Path:
    """A folder that is nobody's business here, with modes that would show a change."""
    folder = bench.folder / "outside"
    (folder / "inner").mkdir(parents=True)
    (folder / "lib.go").write_text(EVIL_GO)
    for path in (folder / "inner", folder):
        path.chmod(0o550)
    return folder


def plant_ziphash(bench: Workbench) -> None:
    path = (bench.download_folder / ZIP).with_suffix(".ziphash")
    path.parent.mkdir(parents=True)
    path.write_text(EVIL.h1_zip)


def plant_tree(bench: Workbench) -> None:
    (bench.modcache / TREE).mkdir(parents=True)
    (bench.modcache / TREE / "lib.go").write_text(EVIL_GO)


def plant_tree_with_partial(bench: Workbench) -> None:
    plant_tree(bench)
    plant_ziphash(bench)
    (bench.download_folder / ZIP).with_suffix(".partial").touch()


def plant_file(bench: Workbench) -> None:
    (bench.modcache / TREE).parent.mkdir(parents=True)
    (bench.modcache / TREE).write_text("")


def plant_link(bench: Workbench) -> None:
    (bench.modcache / TREE).parent.mkdir(parents=True)
    (bench.modcache / TREE).symlink_to(outside(bench))


def plant_dangling_link(bench: Workbench) -> None:
    (bench.modcache / TREE).parent.mkdir(parents=True)
    (bench.modcache / TREE).symlink_to(bench.folder / "nowhere")


def plant_lock_link(bench: Workbench) -> None:
    lock = (bench.download_folder / ZIP).with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    lock.symlink_to(bench.folder / "nowhere")


def plant_quarantine_link(bench: Workbench) -> None:
    (bench.modcache / "cache").mkdir(parents=True)
    (bench.modcache / "cache/go-prefetch-planted").symlink_to(outside(bench))


IN_MODCACHE = (
    plant_ziphash,
    plant_tree,
    plant_tree_with_partial,
    plant_file,
    plant_link,
    plant_dangling_link,
    plant_lock_link,
    plant_quarantine_link,
)


# What Go alone would take for its own, or fail on: test_unproven_trees.py.
REPLACED = (plant_tree, plant_link, plant_dangling_link)


@pytest.mark.parametrize(
    "plant", [plant for plant in IN_MODCACHE if plant not in REPLACED], ids=lambda function: function.__name__
)
def test_planted_files_in_the_module_cache_end_as_with_go(ready: Workbench, plant: Callable[[Workbench], None]) -> None:
    """Where Go fails we do, where it replaces what it finds we do, and nothing outside is touched."""
    plant(ready)
    slow = Workbench(ready.folder / "slow", Path(ready.environ["GOCACHE"]))
    slow.project.symlink_to(ready.project)
    plant(slow)
    shutil.copytree(ready.pool, slow.download_folder, dirs_exist_ok=True)
    (slow.download_folder / ZIP).with_suffix(".ziphash").unlink(missing_ok=True)  # the slow way is a zip without it
    theirs = slow.go("mod", "download")
    goproxy = f"file://{ready.pool}" if plant is plant_lock_link else "off"  # such a module is left to Go
    ours = ready.prefetch(goproxy=goproxy)
    assert (ours.status == 0) == (theirs.status == 0), ours.text + theirs.text
    assert trees(ready) == trees(slow)
    if (ready.folder / "outside").exists():
        assert everything(ready.folder / "outside") == everything(slow.folder / "outside")
        assert stat.S_IMODE((ready.folder / "outside").stat().st_mode) == 0o550
    if theirs.status == 0:
        assert ready.go("list", "-deps", "./...").status == 0
    assert [path for path in quarantines(ready) if not path.is_symlink()] == []


def edited(bench: Workbench) -> None:
    tamper(bench.modcache / TREE)


def edited_without_ziphash(bench: Workbench) -> None:
    edited(bench)
    (bench.download_folder / ZIP).with_suffix(".ziphash").unlink()


def edited_with_all_that_belongs_to_it(bench: Workbench) -> None:
    edited(bench)
    (bench.download_folder / ZIP).write_bytes(EVIL.zip)
    (bench.download_folder / ZIP).with_suffix(".ziphash").write_text(EVIL.h1_zip)


def one_file_more(bench: Workbench) -> None:
    (bench.modcache / TREE / "init.go").write_text("package lib\n\nfunc init() { panic(1) }\n")


def link_to_the_same_file(bench: Workbench) -> None:
    elsewhere = bench.folder / "elsewhere.go"
    (bench.modcache / TREE / "lib.go").rename(elsewhere)
    (bench.modcache / TREE / "lib.go").symlink_to(elsewhere)


def link_to_a_folder_beside_an_edited_tree(bench: Workbench) -> None:
    (bench.modcache / OLD_TREE / "link").symlink_to(outside(bench))
    edited(bench)


def pipe_beside_an_edited_tree(bench: Workbench) -> None:
    os.mkfifo(bench.modcache / OLD_TREE / "pipe")
    edited(bench)


def newline_beside_an_edited_tree(bench: Workbench) -> None:
    (bench.modcache / OLD_TREE / "new\nline").touch()
    edited(bench)


def link_in_place_of_the_tree(bench: Workbench) -> None:
    shutil.rmtree(bench.modcache / TREE)
    (bench.modcache / TREE).symlink_to(outside(bench))


def evil_zip_with_a_good_ziphash_and_no_tree(bench: Workbench) -> None:
    shutil.rmtree(bench.modcache / TREE)
    (bench.download_folder / ZIP).unlink()  # it may be the pool's own
    (bench.download_folder / ZIP).write_bytes(EVIL.zip)


PRESENT = (
    edited,
    edited_without_ziphash,
    edited_with_all_that_belongs_to_it,
    one_file_more,
    link_to_the_same_file,
    link_to_a_folder_beside_an_edited_tree,
    pipe_beside_an_edited_tree,
    newline_beside_an_edited_tree,
    link_in_place_of_the_tree,
    evil_zip_with_a_good_ziphash_and_no_tree,
)


@pytest.mark.parametrize("attack", PRESENT, ids=lambda function: function.__name__)
def test_check_present_heals_what_was_tampered_with(ready: Workbench, attack: Callable[[Workbench], None]) -> None:
    """Removed, unpacked anew from a zip that Go hashed, and named in a warning; one odd tree shields no other."""
    slow = beside(ready, "present")
    assert slow.go("mod", "download").status == 0
    slow.modcache.rename(ready.modcache)
    attack(ready)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch("--check-present", "true", goproxy=proxy.url)
    assert result.status == 0, result.text
    assert_honest(ready)
    assert names(ready, result, "example.com/lib")
    if (ready.folder / "outside").exists():
        assert stat.S_IMODE((ready.folder / "outside/inner").stat().st_mode) == 0o550
        assert (ready.folder / "outside/lib.go").exists()


def test_what_was_present_is_left_alone_unless_asked(ready: Workbench) -> None:
    """Present and unchecked: as Go itself would have it."""
    ready.prefetch(goproxy="off")
    edited(ready)
    assert ready.prefetch(goproxy="off").status == 0
    assert (ready.modcache / TREE / "lib.go").read_text() == EVIL_GO


def about_trees(result: Result) -> list[tuple[str, str, str]]:
    """Slug, case and module of each notice about a tree."""
    return [(one.slug, one.case, str(facts(one)["version"])) for one in result.notices if "version" in facts(one)]


@pytest.mark.slow
@pytest.mark.parametrize("attack", PRESENT[:-1], ids=lambda function: function.__name__)
def test_verify_names_and_removes_what_is_not_what_go_sum_says(
    ready: Workbench, attack: Callable[[Workbench], None]
) -> None:
    """Exit status 1 and the module's name; with --fix it is gone, and the rest stays."""
    slow = beside(ready, "present")
    assert slow.go("mod", "download").status == 0
    slow.modcache.rename(ready.modcache)
    clean = ready.run("verify")
    assert clean.status == 0, clean.text
    assert clean.verified == (4, 0, 0, 0)
    attack(ready)
    for _ in range(2):
        found = ready.quickly("verify")
        assert found.status == 1, found.text
        assert ("checksum-mismatch", "tree", "example.com/lib@v1.2.3") in about_trees(found)
        assert DEEP.path not in str(found.notices)
    fixed = ready.quickly("verify", "--fix")
    assert fixed.status == 0, fixed.text
    assert ("tree-removed", "folder", "example.com/lib@v1.2.3") in about_trees(fixed)
    assert not os.path.lexists(ready.modcache / TREE)
    assert ready.run("verify").status == 0
    assert (ready.modcache / "solo.example@v1.0.0").is_dir()


def test_verify_with_fix_lets_go_hash_what_is_not_unpacked(ready: Workbench) -> None:
    """A zip beside a `.ziphash` is no tree to check; it is counted, and with --fix Go looks at the zip again."""
    assert ready.prefetch(goproxy="off").status == 0
    evil_zip_with_a_good_ziphash_and_no_tree(ready)
    assert ready.run("verify").verified[1:] == (0, 0, 1)
    ready.run("verify", "--fix")
    later = ready.go("mod", "download")
    assert later.status == 1
    assert "checksum mismatch" in later.stderr
    assert not (ready.modcache / TREE).exists()


def test_quarantine_that_is_off_leaves_all_to_go(ready: Workbench) -> None:
    result = ready.prefetch("--quarantine", "false", goproxy="off")
    assert result.status == 0, result.text
    assert admitted(ready) == 0
    assert_honest(ready)


def test_check_without_links_finds_what_one_with_links_finds(ready: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where trees and `.mod` files are copied."""
    monkeypatch.setattr(check_trees, "IS_WINDOWS", True)
    monkeypatch.setattr(file_copy, "IS_WINDOWS", True)
    assert ready.prefetch(goproxy="off").status == 0
    assert not any(one.slug == "mod-files-unchecked" for one in ready.quickly("verify").notices)
    tamper(ready.modcache / TREE)
    found = ready.quickly("verify")
    assert found.status == 1, found.text
    assert found.verified == (3, 1, 0, 0)
    assert about_trees(found) == [("checksum-mismatch", "tree", "example.com/lib@v1.2.3")]


@pytest.mark.parametrize("first", [True, False], ids=["the-wrong-one-first", "the-right-one-first"])
def test_two_hashes_for_one_version_are_left_to_go(ready: Workbench, first: bool) -> None:
    """Which of them counts is Go's own business."""
    line = f"example.com/lib v1.2.3 {EVIL.h1_zip}\n"
    go_sum = ready.project / "go.sum"
    go_sum.write_text(line + go_sum.read_text() if first else go_sum.read_text() + line)
    slow = beside(ready)
    theirs = slow.go("mod", "download")
    ours = ready.prefetch(goproxy="off")
    assert (ours.status == 0) == (theirs.status == 0), ours.text + theirs.text
    assert ready.report["admit"]["left_to_go"]["two hashes in go.sum"] == 1
    assert admitted(ready) == 3


def test_two_versions_of_one_path_are_both_right(bench: Workbench) -> None:
    """One goes the fast way, the other the slow one."""
    newer = FakeModule("example.com/lib", "v1.3.0")
    for name, module in (("one", LIB), ("two", newer)):
        with contextlib.suppress(FileExistsError):
            bench.project.mkdir()
        one = Workbench(bench.folder, Path(bench.environ["GOCACHE"]))
        one.project = bench.project / name
        one.write_project([module])
    write_proxy_folder(bench.pool, [LIB, newer])
    result = bench.prefetch("--working-directory", "one\ntwo", goproxy="off")
    assert result.status == 0, result.text
    assert bench.report["admit"]["left_to_go"] == {"another version of the same module": 1}
    for name in ("one", "two"):
        assert bench.go("mod", "verify", cwd=bench.project / name).stdout == "all modules verified\n"
    assert (bench.modcache / "example.com/lib@v1.3.0/lib.go").read_bytes() == newer.contents[
        "example.com/lib@v1.3.0/lib.go"
    ]


LIARS = {
    "canary-not-reported": 'if [ "$2" = verify ]; then "$GO" "$@" 2>&1 | grep -v zzzz >&2; exit 1; fi',
    "one-line-more-on-stderr": 'if [ "$2" = verify ]; then echo warning >&2; fi',
    "one-line-on-stdout": 'if [ "$2" = verify ]; then echo "all modules verified"; fi',
    "verified-and-exit-0": 'if [ "$2" = verify ]; then echo "all modules verified"; exit 0; fi',
    "right-words-and-exit-0": 'if [ "$2" = verify ]; then "$GO" "$@"; exit 0; fi',
    "exit-0-in-silence": 'if [ "$2" = verify ]; then exit 0; fi',
    "killed": 'if [ "$2" = verify ]; then "$GO" "$@"; kill -9 $$; fi',
    "killed-at-once": 'if [ "$2" = verify ]; then kill -9 $$; fi',
    "list-fails": 'if [ "$1" = list ]; then exit 1; fi',
    "list-says-nothing": 'if [ "$1" = list ]; then exit 0; fi',
    "unpacks-nothing": 'if [ "$2" = download ]; then exit 1; fi',
}


def assert_no_proof(cause: Notice) -> None:
    """It is what a go command said, or left out."""
    assert cause.slug == "inconclusive"
    assert cause.case in ("output", "trees-not-listed")


@pytest.mark.parametrize("liar", LIARS)
def test_a_go_that_does_not_prove_itself_is_not_believed(ready: Workbench, tmp_path: Path, liar: str) -> None:
    """An evil zip in the pool is found all the same, everything else too, and a notice says why."""
    (ready.pool / ZIP).write_bytes(EVIL.zip)
    go = go_with_another_root(tmp_path / "bin", LIARS[liar])
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch(goproxy=proxy.url, PATH=go.path)
    assert result.status == 0, result.text
    assert_honest(ready)
    assert admitted(ready) == 0
    assert "[fast-verification]" in ready.report["admit"]["notice"]
    assert ready.warnings.count("fast-verification") == 1
    assert_no_proof(facts(result.notice("fast-verification"))["cause"])


@pytest.mark.parametrize("liar", LIARS)
def test_verify_does_not_believe_such_a_go_either(ready: Workbench, tmp_path: Path, liar: str) -> None:
    """Nothing is called good, nothing is removed, and the exit status is not that of a clean module cache."""
    assert ready.prefetch(goproxy="off").status == 0
    go = go_with_another_root(tmp_path / "bin", LIARS[liar])
    found = ready.quickly("verify", "--fix", PATH=go.path)
    assert found.status == 1, found.text
    assert_no_proof(facts(found.notice("no-verdict"))["cause"])
    assert found.verified[:3] == (0, 0, 4)
    assert_honest(ready)


@pytest.mark.parametrize("root", ["", "/nowhere"], ids=["no-goroot", "wrong-goroot"])
def test_a_goroot_without_go_is_a_notice(ready: Workbench, tmp_path: Path, root: str) -> None:
    """A Go that does not know where it lies is fit for the slow way."""
    go = GoOnPath(tmp_path / "bin", on_env=f'"$GO" "$@" | sed \'s|"GOROOT": .*"|"GOROOT": "{root}"|\'; exit')
    result = ready.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 0, result.text
    assert_honest(ready)
    cause = facts(result.notice("fast-verification"))["cause"]
    assert (cause.slug, cause.case) == ("inconclusive", "not-ended")


@pytest.mark.parametrize(
    "variables",
    [
        {"GOFLAGS": "-modcacherw -mod=mod"},
        {"GODEBUG": "inittrace=1"},
        {"GODEBUG": "gctrace=1,zipinsecurepath=0"},
        {"GOEXPERIMENT": "nonsense"},
        {"GO111MODULE": "off"},
        {"GOMEMLIMIT": "nonsense"},
        {"GOSUMDB": "nonsense"},
        {"GOMODCACHE": "relative"},
        {"HOME": ""},
        {"TMPDIR": "/nowhere"},
        {"GOFIPS140": "latest"},
    ],
    ids=lambda variables: "-".join(f"{name}={value}" for name, value in variables.items()),
)
def test_strange_variables_end_as_with_go_alone(ready: Workbench, variables: dict[str, str]) -> None:
    """Where `go mod download` works so do we, with the fast way; where it fails we do."""
    slow = beside(ready)
    theirs = slow.go("mod", "download", **variables)
    ours = ready.prefetch(goproxy="off", **variables)
    assert (ours.status == 0) == (theirs.status == 0), ours.text + theirs.text
    if theirs.status == 0:
        assert admitted(ready) == len(MODULES)
        assert_honest(ready)


def test_modfile_in_goflags_does_not_reach_the_quarantine(ready: Workbench) -> None:
    """`-modfile` bends Go's own `go mod verify` so that it verifies nothing; here every tree is verified."""
    for kind in ("mod", "sum"):
        shutil.copy(ready.project / f"go.{kind}", ready.project / f"other.{kind}")
    (ready.pool / ZIP).write_bytes(EVIL.zip)
    result = ready.prefetch(goproxy="off", GOFLAGS="-modcacherw -modfile=other.mod")
    assert result.status == 4, result.text  # no proxy has another copy of the one that is refused
    assert ready.report["admit"]["left_to_go"] == {"refused by go mod verify": 1}
    assert admitted(ready) == 3
    assert not (ready.modcache / TREE).exists()


def test_a_go_env_file_in_goroot_does_not_reach_the_quarantine(ready: Workbench, tmp_path: Path) -> None:
    """The same from `$GOROOT/go.env`, which GOENV=off does not switch off; here the user's own GOFLAGS go before it."""
    real = Path(ready.go("env", "GOROOT").stdout.strip())
    root = tmp_path / "goroot"
    (root / "bin").mkdir(parents=True)
    for path in real.iterdir():
        if path.name not in ("bin", "go.env"):
            (root / path.name).symlink_to(path)
    shutil.copy(real / "bin" / "go", root / "bin" / "go")
    other = tmp_path / "other.mod"
    other.write_text("module other\n\ngo 1.21\n")
    (root / "go.env").write_text(f"GOFLAGS=-modfile={other}\nGOPROXY=off\nGOSUMDB=off\n")
    (ready.pool / ZIP).write_bytes(EVIL.zip)
    result = ready.prefetch(goproxy="off", PATH=f"{root / 'bin'}:{os.environ['PATH']}", GOROOT="")
    assert result.status == 4, result.text
    assert admitted(ready) == 3
    assert not (ready.modcache / TREE).exists()


@pytest.mark.parametrize("kind", ["spaces", "link", "colon"])
def test_any_place_will_do_for_the_module_cache(ready: Workbench, kind: str) -> None:
    """With spaces, brackets or behind a link the fast way works; where Go takes it for a list, the slow way does."""
    name = {"spaces": "mod cache (1)", "link": "link", "colon": "mod:cache"}[kind]
    ready.modcache = ready.folder / name
    if kind == "link":
        (ready.folder / "real").mkdir()
        ready.modcache.symlink_to(ready.folder / "real")
    ready.environ["GOMODCACHE"] = str(ready.modcache)
    result = ready.prefetch(goproxy="off")
    assert result.status == 0, result.text
    assert admitted(ready) == (0 if kind == "colon" else len(MODULES))
    assert bool(ready.report["admit"]["notice"]) == (kind == "colon")
    assert_honest(ready)
    assert ready.run("verify").status == 0


@pytest.mark.system
def test_a_user_without_privileges_needs_none(ready: Workbench) -> None:
    """Read-only folders cannot be renamed or emptied by him; admission, check-present and --fix work all the same."""
    assert shutil.which("setpriv"), "setpriv (util-linux) is missing"
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *ready.command]
    ready.environ["GOFLAGS"] = ""
    store = ("--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file))
    done = ready.program([*plain, "run", *store], GOPROXY="off")
    assert done.status == 0, done.text
    assert admitted(ready) == len(MODULES)
    assert_honest(ready)
    (ready.modcache / TREE).chmod(0o755)
    edited(ready)
    (ready.modcache / TREE).chmod(0o555)
    (ready.modcache / OLD_TREE / "old.go").chmod(0)  # he cannot read it, nor can Go
    done = ready.program([*plain, "run", *store, "--check-present", "true"], GOPROXY="off")
    assert done.status == 0, done.text
    assert_honest(ready)
    (ready.modcache / TREE).chmod(0o755)
    edited(ready)
    (ready.modcache / TREE).chmod(0o555)
    assert ready.program([*plain, "verify", "--fix"]).status == 0
    assert not (ready.modcache / TREE).exists()


@pytest.mark.system
def test_unremovable_tree_of_a_rejected_zip_fails_the_run(ready: Workbench) -> None:
    """Go would keep what is left of it, and build from that."""
    assert ready.prefetch(goproxy="off").status == 0
    tamper(ready.modcache / TREE)
    (ready.download_folder / ZIP).with_suffix(".ziphash").write_text(EVIL.h1_zip)
    (ready.modcache / TREE).parent.chmod(0o555)  # nothing in it can be removed
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *ready.command]
    store = ("--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file))
    done = ready.program([*plain, "run", *store, "--on-failure", "warn"], GOPROXY="off")
    assert done.status == 5, done.text
    assert ready.report["failure"]["slug"] == "checksum-mismatch"
    assert str(ready.modcache / TREE) in ready.report["failure"]["hint"]


def test_go_commands_may_work_in_the_same_module_cache_meanwhile(ready: Workbench) -> None:
    """Ours and eight of Go's begin at once, on nothing: all succeed, and the module cache is right."""
    goproxy = f"file://{ready.pool}"
    environ = {**ready.environ, "GOPROXY": goproxy}
    commands = [["go", "mod", "download"], ["go", "list", "-deps", "./..."]] * 4
    others = [
        subprocess.Popen(
            argv, cwd=ready.project, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for argv in commands
    ]
    ours = ready.prefetch(goproxy=goproxy)
    for process in others:
        _, words = process.communicate(timeout=60)
        assert process.returncode == 0, words
    assert ours.status == 0, ours.text
    assert_honest(ready)


def test_kill_9_leaves_a_good_module_cache(ready: Workbench) -> None:
    """Killed while one module is unpacked and another still travels; a quarantine whose lock is held stays."""
    (ready.pool / ZIP).unlink()
    with ModuleProxy(MODULES) as proxy:
        proxy.fault(ZIP, Fault.STALL_IN_BODY)
        process = ready.start("run", "--store", f"dir:{ready.pool}", GOPROXY=proxy.url)
        unpacked = f"go-prefetch-*/q/{OLD_TREE}/old.go"
        wait_until(lambda: list((ready.modcache / "cache").glob(unpacked)), "a tree in the quarantine")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    (dead,) = quarantines(ready)
    (ready.pool / ZIP).write_bytes(LIB.zip)
    alive = dead.with_name("go-prefetch-alive")
    alive.mkdir()
    with file_lock.held(alive / "alive.lock"):
        goproxy = f"file://{ready.pool}"
        assert ready.go("mod", "download", GOPROXY=goproxy).status == 0
        assert ready.go("mod", "verify").stdout == "all modules verified\n"
        shutil.rmtree(ready.modcache / TREE)
        (ready.download_folder / ZIP).unlink()
        result = ready.prefetch(goproxy="off")
        assert result.status == 0, result.text
        assert quarantines(ready) == [alive]
    alive.joinpath("alive.lock").unlink()
    alive.rmdir()
    assert_honest(ready)


def test_a_module_that_somebody_else_holds_is_left_to_him(ready: Workbench) -> None:
    """Admission does not wait for a lock: whoever has it unpacks that very module."""
    lock = (ready.download_folder / ZIP).with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    with file_lock.held(lock):
        process = ready.start(
            "run",
            "--store",
            f"dir:{ready.pool}",
            "--report-file",
            str(ready.report_file),
            GOPROXY=f"file://{ready.pool}",
        )
        there = ready.modcache / OLD_TREE
        wait_until(lambda: there.exists() and not quarantines(ready), "the end of admission")
        assert not (ready.modcache / TREE).exists()
    _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words
    assert admitted(ready) == 3
    assert_honest(ready)


def test_a_lock_whose_file_was_taken_away_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two would hold it otherwise, each another file of one name."""
    path = tmp_path / "lock"
    monkeypatch.setattr("fcntl.flock", lambda descriptor, operation: path.unlink())
    with pytest.raises(FileNotFoundError), file_lock.held(path):
        pytest.fail("it was held")


def test_no_go_sum_can_name_the_canary(bench: Workbench) -> None:
    """A module of the canary's former name is one like any other; neither its zip nor the pool's is written to."""
    names = ("zzzzzzzzzzzz.invalid/canary", "zzzzzzzzzzzzz.zz/z")
    modules = [LIB, *(FakeModule(name, "v1.0.0") for name in names)]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, modules)
    result = bench.prefetch(goproxy="off")
    assert result.status == 0, result.text
    assert admitted(bench) == 3
    assert {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)} == layout(modules)


@pytest.mark.parametrize("with_zip", [True, False], ids=["zip-too", "ziphash-only"])
def test_a_tree_does_not_outlive_the_zip_that_go_rejects(ready: Workbench, with_zip: bool) -> None:
    """Go alone refuses a tree whose `.ziphash` is not go.sum's; replacing only the zip would make it trusted."""
    ready.prefetch(goproxy="off")
    edited(ready)
    (ready.download_folder / ZIP).with_suffix(".ziphash").write_text(EVIL.h1_zip)
    if with_zip:
        (ready.download_folder / ZIP).unlink()
        (ready.download_folder / ZIP).write_bytes(EVIL.zip)
    assert ready.go("mod", "download").status == 1
    with ModuleProxy(MODULES) as proxy:
        ready.prefetch(goproxy=proxy.url)
    assert not (ready.modcache / TREE / "lib.go").exists() or (ready.modcache / TREE / "lib.go").read_text() != EVIL_GO


def test_verify_checks_a_module_whose_path_is_one_element_too(ready: Workbench) -> None:
    """There is no folder to link for it, and it is found all the same."""
    slow = beside(ready, "present")
    assert slow.go("mod", "download").status == 0
    slow.modcache.rename(ready.modcache)
    tree = ready.modcache / "solo.example@v1.0.0"
    tree.chmod(0o755)
    (tree / "more.go").write_text("package solo\n")
    found = ready.quickly("verify")
    assert found.status == 1, found.text
    assert about_trees(found) == [("checksum-mismatch", "tree", "solo.example@v1.0.0")]
