"""`test-cache`: files of a checkout get times that follow from their content, and nothing else about them changes."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from go_prefetch.base.git_command import GitCommand
from go_prefetch.base.git_index import IndexCopy, Replacement, Tracked
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.retry import Deadline
from go_prefetch.model.results import StableTimes
from go_prefetch.run.steps.stable_times import give_stable_times
from tests.integration.test_foreign_repositories import PLANTED, checkout, git, make_sparse
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, and what is planted are shell commands")

LIB = FakeModule("example.com/lib", "v1.2.3")
BEFORE_2010 = 1_262_304_000 * 10**9


def give(bench: Workbench, *folders: Path) -> StableTimes:
    return give_stable_times(GitCommand(bench.environ), folders or [bench.project], Deadline())


def cases(given: StableTimes) -> list[tuple[str, str]]:
    return [(warning.slug, warning.case) for warning in given.warnings]


def times(top: Path) -> dict[str, int]:
    """The time of everything in a checkout, its top and links included."""
    found = {".": top, **{str(path.relative_to(top)): path for path in top.rglob("*")}}
    return {name: path.lstat().st_mtime_ns for name, path in found.items() if not name.startswith(".git")}


def is_stable(path: Path) -> bool:
    return path.lstat().st_mtime_ns < BEFORE_2010


def committed(bench: Workbench, files: dict[str, str], folder: Path | None = None) -> Path:
    """A repository with these files."""
    top = folder or bench.project
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(content)
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "All")):
        done = git(bench, *command, folder=top)
        assert done.status == 0, done.text
    return top


def assert_git_sees_no_change(bench: Workbench, top: Path) -> None:
    """Not even `diff-files`, which compares times alone: the index has the new ones."""
    for command in (("diff-files", "--name-only"), ("status", "--porcelain"), ("fsck", "--no-dangling")):
        done = git(bench, *command, folder=top)
        assert (done.status, done.stdout) == (0, ""), done.text


def test_two_checkouts_have_equal_times(bench: Workbench) -> None:
    origin = committed(bench, {"a.go": "package a\n", "t/in.txt": "one\n", "t/run.sh": "exit\n"})
    (origin / "t/run.sh").chmod(0o755)
    (origin / "link").symlink_to("t/in.txt")
    git(bench, "add", ".")
    git(bench, "commit", "-qm", "More")
    first, second = bench.folder / "first", bench.folder / "second"
    for clone in (first, second):
        assert git(bench, "clone", "-q", str(origin), str(clone)).status == 0
    os.utime(second / "t/in.txt", (2**32, 2**32))  # a checkout in the future
    given = give(bench, first, second)
    assert (given.files, given.others, given.warnings) == (8, 0, ())
    assert times(first) == times(second)
    assert all(at < BEFORE_2010 for at in times(first).values())
    assert (first / "t/run.sh").stat().st_mode & stat.S_IXUSR
    assert_git_sees_no_change(bench, first)
    assert_git_sees_no_change(bench, second)
    before = [(path, path.lstat().st_ctime_ns) for path in first.rglob("*")]
    assert give(bench, first).files == 4
    assert before == [(path, path.lstat().st_ctime_ns) for path in first.rglob("*")], "nothing was left to do"


def test_content_decides_the_time_and_not_the_name(bench: Workbench) -> None:
    top = committed(bench, {"a": "one\n", "b": "one\n", "c": "two\n"})
    give(bench)
    first = times(top)
    assert first["a"] == first["b"] != first["c"]
    (top / "a").write_text("two\n")
    git(bench, "commit", "-qam", "Same size")
    give(bench)
    assert times(top)["a"] == first["c"]


@pytest.mark.parametrize("kind", ["plain", "sha256", "worktree", "sparse", "split", "subfolder", "shallow"])
def test_every_kind_of_repository_gets_times(bench: Workbench, kind: str) -> None:
    top = bench.folder / "source"
    top.mkdir()
    bench.project.mkdir()
    checkout(bench, top, *(("--object-format=sha256",) if kind == "sha256" else ()))
    folder = top
    if kind == "worktree":
        folder = top = bench.folder / "other"
        assert git(bench, "worktree", "add", "-q", str(top), folder=bench.folder / "source").status == 0
    elif kind == "shallow":
        folder = top = bench.folder / "other"
        assert git(bench, "clone", "-q", "--depth=1", f"file://{bench.folder}/source", str(top)).status == 0
    elif kind == "sparse":
        make_sparse(bench, top)
    elif kind == "split":
        git(bench, "config", "core.splitIndex", "true", folder=top)
        assert git(bench, "update-index", "--split-index", folder=top).status == 0
    elif kind == "subfolder":
        folder = top / "deep"
    given = give(bench, folder)
    assert (given.files, given.warnings) == (3 if kind == "sparse" else 6, ())
    files = [path for path in top.rglob("[a-z]*") if path.is_file() and ".git" not in path.parts]
    assert all(map(is_stable, files))
    assert len(files) == given.files
    assert_git_sees_no_change(bench, top)
    assert (top / "deep").exists() is (kind != "sparse")


UNTOUCHED: dict[str, tuple[str, ...]] = {
    "assumed": ("update-index", "--assume-unchanged", "f"),
    "skipped": ("update-index", "--skip-worktree", "f"),
    "intended": ("add", "--intent-to-add", "f"),
    "modified": ("status",),
    "ignored": ("status",),
}


@pytest.mark.parametrize("kind", UNTOUCHED)
def test_files_that_git_vouches_not_for_keep_times(bench: Workbench, kind: str) -> None:
    files = {"d/e": "e\n", ".gitignore": "f\n" if kind == "ignored" else "\n"}
    top = committed(bench, files if kind in ("intended", "ignored") else {**files, "f": "one\n"})
    (top / "f").write_text("one\n" if kind == "intended" else "two\n")
    os.utime(top / "f", (10**9 * 2, 10**9 * 2))
    assert git(bench, *UNTOUCHED[kind]).status == 0
    given = give(bench)
    assert (given.files, given.others, given.warnings) == (2, int(kind != "ignored"), ())
    assert times(top)["f"] == 2 * 10**18
    assert is_stable(top / "d/e")


def test_files_in_a_merge_conflict_keep_times(bench: Workbench) -> None:
    top = committed(bench, {"f": "one\n", "g": "g\n"})
    git(bench, "checkout", "-qb", "other")
    for branch, text in (("other", "two\n"), ("main", "three\n")):
        git(bench, "checkout", "-q", branch)
        (top / "f").write_text(text)
        git(bench, "commit", "-qam", text)
    assert git(bench, "merge", "other").status == 1
    assert cases(give(bench)) == []
    assert (is_stable(top / "f"), is_stable(top / "g")) == (False, True)


def test_filtered_files_and_hard_links_keep_times(bench: Workbench) -> None:
    """An LFS file, whose content only its filter can compare, and a file with a name outside of the checkout."""
    git_files = {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "pointer\n", "b": "b\n"}
    top = committed(bench, {**git_files, "c": "c\n"})
    outside = bench.folder / "outside"
    os.link(top / "b", outside)
    given = give(bench)
    assert (given.files, given.others) == (2, 2)
    assert [is_stable(top / name) for name in ("a.bin", "b", "c")] == [False, False, True]
    assert not is_stable(outside)
    assert_git_sees_no_change(bench, top)


def test_a_file_that_a_filter_has_made_stays_unmodified(bench: Workbench) -> None:
    """As with `lfs: true`: its content is not what git has. git's own look at it is as before."""
    origin = committed(bench, {".gitattributes": "*.bin filter=shout\n", "a.bin": "pointer\n", "c": "c\n"})
    top = bench.folder / "clone"
    filters = ("-c", "filter.shout.smudge=tr a-z A-Z", "-c", "filter.shout.clean=tr A-Z a-z")
    assert git(bench, "clone", "-q", *filters, str(origin), str(top)).status == 0
    assert (top / "a.bin").read_text() == "POINTER\n"
    before = (top / "a.bin").stat().st_mtime_ns
    assert (give(bench, top).files, (top / "a.bin").stat().st_mtime_ns) == (2, before)
    assert git(bench, "status", "--porcelain", folder=top).stdout == ""


def test_line_ends_of_the_checkout_are_no_change(bench: Workbench) -> None:
    """git for Windows has `core.autocrlf`: files have other bytes than git's content."""
    origin = committed(bench, {"a.txt": "one\ntwo\n", "b.txt": "three\n"})
    top = bench.folder / "clone"
    git(bench, "clone", "-q", "-c", "core.autocrlf=true", str(origin), str(top))
    assert b"\r\n" in (top / "a.txt").read_bytes()
    os.utime(top / "a.txt")  # so that git has to compare the content
    assert give(bench, top).files == 2
    assert_git_sees_no_change(bench, top)


def test_submodules_get_times_in_their_own_index(bench: Workbench) -> None:
    """What their configuration names is not started."""
    mark = bench.folder / "harm"
    inner = committed(bench, {"data.json": "{}\n"}, bench.folder / "inner")
    top = committed(bench, {"a": "a\n"})
    allowed = ("-c", "protocol.file.allow=always")
    for name in ("sub", "deep/sub"):
        assert git(bench, *allowed, "submodule", "add", "-q", str(inner), name).status == 0
    git(bench, "commit", "-qm", "Submodules")
    git(bench, "config", "core.fsmonitor", f"touch {mark}", folder=top / "sub")
    given = give(bench)
    assert (given.files, given.warnings) == (4, ())
    assert is_stable(top / "sub/data.json")
    assert is_stable(top / "deep/sub/data.json")
    assert not mark.exists()
    git(bench, "config", "--unset", "core.fsmonitor", folder=top / "sub")
    for repository in (top, top / "sub", top / "deep/sub"):
        assert_git_sees_no_change(bench, repository)


def test_a_submodule_behind_a_link_is_not_entered(bench: Workbench) -> None:
    inner = committed(bench, {"data.json": "{}\n"}, bench.folder / "inner")
    top = committed(bench, {"a": "a\n"})
    git(bench, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    shutil.rmtree(top / "sub")
    (top / "sub").symlink_to(inner)
    assert cases(give(bench)) == []
    assert not is_stable(inner / "data.json")


@pytest.mark.parametrize("kind", PLANTED)
def test_nothing_that_the_repository_names_is_started(bench: Workbench, kind: str) -> None:
    """With a file whose content git has to compare."""
    checkout(bench, bench.project)
    mark = bench.folder / "harm"
    PLANTED[kind](bench, f"touch {mark}")
    mark.unlink(missing_ok=True)
    os.utime(bench.project / "a/go.mod")
    give(bench)
    assert not mark.exists()


def test_a_locked_index_means_that_nothing_is_touched(bench: Workbench) -> None:
    top = committed(bench, {"a": "a\n"})
    (top / ".git/index.lock").touch()
    assert cases(give(bench)) == [("test-cache-skipped", "locked")]
    assert not is_stable(top / "a")
    assert (top / ".git/index.lock").exists()


def at_work(bench: Workbench, top: Path) -> None:
    (top / ".git/index.lock").touch()


def has_worked(bench: Workbench, top: Path) -> None:
    (top / "new").write_text("new\n")
    assert git(bench, "add", "new").status == 0


@pytest.mark.parametrize(("meanwhile", "expected"), [(at_work, Replacement.LOCKED), (has_worked, Replacement.CHANGED)])
def test_an_index_that_another_git_works_on_stays(
    bench: Workbench, meanwhile: Callable[[Workbench, Path], None], expected: Replacement
) -> None:
    """And its lock too, if that is held."""
    top = committed(bench, {"a": "a\n"})
    os.utime(top / "a", (10**9, 10**9))
    with GitCommand(bench.environ).index_of(top, lambda most: most) as index:
        assert index
        index.refresh()
        meanwhile(bench, top)
        before = (top / ".git/index").read_bytes()
        assert index.replace() is expected
    assert (top / ".git/index").read_bytes() == before
    assert (top / ".git/index.lock").exists() is (expected is Replacement.LOCKED)


def after_listing(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Change the checkout when git has said what is unmodified."""
    listed = IndexCopy.tracked

    def tracked(self: IndexCopy) -> Tracked:
        found = listed(self)
        change()
        return found

    monkeypatch.setattr(IndexCopy, "tracked", tracked)


def test_a_file_that_changes_meanwhile_has_no_stable_time(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go writes go.sum at any time of a run. With the time of the old content, Go would take it for the old one."""
    top = committed(bench, {"go.sum": "one\n", "b": "b\n", "gone": "g\n"})

    def change() -> None:
        (top / "go.sum").write_text("two\n")
        (top / "gone").unlink()

    after_listing(monkeypatch, change)
    given = give(bench)
    assert (given.files, given.others, given.warnings) == (1, 2, ())
    assert not is_stable(top / "go.sum")
    assert git(bench, "status", "--porcelain").stdout == " M go.sum\n D gone\n"


def test_a_folder_that_becomes_a_link_is_not_followed(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    top, outside = committed(bench, {"d/a": "a\n", "b": "b\n"}), bench.folder / "outside"

    def change() -> None:
        (top / "d").rename(outside)
        (top / "d").symlink_to(outside)

    after_listing(monkeypatch, change)
    assert cases(give(bench)) == []
    assert not is_stable(outside / "a")
    assert not is_stable(outside)


@pytest.mark.parametrize("name", ["../outside", "/{}/outside", "a/../../outside", ".git/config", "a/.GIT/x", "."])
def test_a_forged_index_leads_nowhere_else(bench: Workbench, name: str) -> None:
    checkout(bench, bench.project)
    outside = bench.folder / "outside"
    outside.write_text("outside\n")
    blob = bytes.fromhex(git(bench, "hash-object", str(outside)).stdout)
    raw = name.format(bench.folder).encode()
    entry = bytes(24) + (0o100644).to_bytes(4, "big") + bytes(12) + blob + len(raw).to_bytes(2, "big") + raw
    entry += bytes(8 - len(entry) % 8)
    head = b"DIRC" + (2).to_bytes(4, "big") + (1).to_bytes(4, "big")
    (bench.project / ".git/index").write_bytes(head + entry + bytes(20))
    before = times(bench.project)
    give(bench)
    assert not is_stable(outside)
    assert not is_stable(bench.project / ".git/config")
    assert times(bench.project) == before


def fake_git(bench: Workbench, body: str) -> GitCommand:
    """A git that does `body` in place of `update-index`."""
    folder = bench.folder / "bin"
    folder.mkdir()
    script = f'#!/bin/sh\nfor word; do if [ "$word" = update-index ]; then {body}; fi; done\n'
    (folder / "git").write_text(f'{script}exec {shutil.which("git")} "$@"\n')
    (folder / "git").chmod(0o755)
    return GitCommand({**bench.environ, "PATH": f"{folder}{os.pathsep}{bench.environ['PATH']}"})


def test_a_git_that_fails_to_compare_leaves_no_stable_time(bench: Workbench) -> None:
    """Which file has changed in the meantime is not known then."""
    top = committed(bench, {"a": "a\n"})
    given = give_stable_times(fake_git(bench, "exit 1"), [top], Deadline())
    assert (given.files, cases(given)) == (0, [("test-cache-index", "git")])
    assert not is_stable(top / "a")
    assert not (top / ".git/index.lock").exists()


def test_a_deadline_that_has_passed_touches_nothing(bench: Workbench) -> None:
    top = committed(bench, {"a": "a\n"})
    given = give_stable_times(GitCommand(bench.environ), [top], Deadline(at=0.0))
    assert given.files == 0
    assert not is_stable(top / "a")


def test_files_of_which_no_time_can_be_set_are_counted(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a read-only disk, or in a checkout of another user."""
    top = committed(bench, {"a": "a\n", "d/b": "b\n"})

    set_times = Folder.set_times

    def refuse(self: Folder, name: str, atime: int, mtime: int) -> None:
        if not name.endswith(".lock"):
            raise PermissionError(1, "Operation not permitted")
        set_times(self, name, atime, mtime)

    monkeypatch.setattr(Folder, "set_times", refuse)
    given = give(bench)
    assert (given.files, given.others, cases(given)) == (0, 2, [("test-cache-skipped", "files")])
    assert not is_stable(top / "a")


def test_folders_without_a_repository_are_named(bench: Workbench) -> None:
    bench.project.mkdir()
    (bench.project / ".git").write_text("gitdir: /nowhere\n")
    assert cases(give(bench, bench.folder, bench.project)) == [("test-cache-skipped", "no-repository")]
    assert cases(give_stable_times(GitCommand({"PATH": "/none"}), [bench.project], Deadline())) == [
        ("test-cache-skipped", "system")
    ]


GO_FILES = {
    "go.mod": "module example.com/main\n\ngo 1.21\n",
    "reads/reads.go": "package reads\n",
    "reads/testdata/in.txt": "1\n",
    "reads/reads_test.go": (
        'package reads\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestRead(t *testing.T) {\n'
        '\tgot, err := os.ReadFile("testdata/in.txt")\n\tif err != nil || string(got) != "1\\n" {\n'
        "\t\tt.Fatal(string(got))\n\t}\n}\n"
    ),
    "main.go": "package main\n\nfunc main() { println(1) }\n",
}


@pytest.mark.slow  # Go compiles what tests import
def test_go_test_finds_results_of_another_checkout(bench: Workbench) -> None:
    """Without `test-cache` it does not. Files that change and keep their size are noticed: in a test and in a build.

    Go compiles a test: about 3 s.
    """
    origin = committed(bench, GO_FILES, bench.folder / "origin")

    def tested(*flags: str) -> list[str]:
        shutil.rmtree(bench.project, ignore_errors=True)
        assert git(bench, "clone", "-q", str(origin), str(bench.project), folder=bench.folder).status == 0
        os.utime(bench.project / "reads/testdata/in.txt", (2**32, 2**32))  # the clock of another machine
        done = bench.quickly("run", "--store", "none", *flags, GOPROXY="off")
        assert done.status == 0, done.text
        said = bench.go("test", "./reads").stdout
        return said.split()

    assert "(cached)" not in tested("--test-cache")
    assert "(cached)" not in tested()
    assert "(cached)" in tested("--test-cache")
    assert_git_sees_no_change(bench, bench.project)
    built = bench.go("run", ".")
    assert built.stderr == "1\n"
    (origin / "reads/testdata/in.txt").write_text("2\n")
    (origin / "main.go").write_text(GO_FILES["main.go"].replace("1", "2"))
    git(bench, "commit", "-qam", "Same sizes", folder=origin)
    assert "FAIL" in tested("--test-cache")
    assert bench.go("run", ".").stderr == "2\n"


def test_a_run_says_how_many_files_got_a_time(bench: Workbench) -> None:
    """Also where there is nothing to download."""
    committed(bench, {"go.mod": "module example.com/main\n\ngo 1.21\n", "main.go": "package main\n"})
    bench.project.joinpath("main.go").write_text("package main // changed\n")
    done = bench.prefetch("--test-cache", goproxy="off")
    assert done.status == 0, done.text
    assert bench.outputs["cache-result"] == "disabled"
    assert is_stable(bench.project / "go.mod")
    assert not is_stable(bench.project / "main.go")
    outside = bench.folder / "outside"
    outside.mkdir()
    (outside / "go.mod").write_text("module example.com/outside\n")
    done = bench.prefetch("--test-cache", "-C", str(outside), goproxy="off")
    assert (done.status, bench.warnings) == (0, ["test-cache-skipped"])
