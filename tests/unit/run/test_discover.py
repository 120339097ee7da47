"""Where the lines of `working-directory` lead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.config.settings import read_settings
from go_prefetch.errors import GoSumError, InputError
from go_prefetch.run.steps import folder_search
from go_prefetch.run.steps.discover import Place, discover
from go_prefetch.run.steps.folder_search import matches
from go_prefetch.run.steps.resolve import resolve_all
from tests.support.notices import facts

NO_GIT: dict[str, str] = {"PATH": ""}
GIT = {"PATH": os.environ["PATH"]}
LEFT_OUT = ("vendor", "testdata", "node_modules", ".hidden", "_old")


def tree(root: Path, *folders: str) -> Path:
    """Create folders with a go.mod each."""
    for folder in folders:
        (root / folder).mkdir(parents=True)
        (root / folder / "go.mod").write_text("module example.com/m\n")
    return root


def places(
    cwd: Path, lines: str = ".", module_cache: str = "cache", environ: dict[str, str] = NO_GIT
) -> tuple[Place, ...]:
    settings = read_settings({"working-directory": lines}, {"HOME": "/home/me", **environ}, cwd)
    return discover(settings, "", cwd / module_cache)


def found(*arguments: object, cwd: Path, environ: dict[str, str] = NO_GIT) -> list[str]:
    """Return the folders of modules that these lines lead to, relative to `cwd`."""
    lines = "\n".join(map(str, arguments)) or "."
    definitions = [place.definition.parent for place in places(cwd, lines, environ=environ)]
    return [path.relative_to(cwd.resolve()).as_posix() for path in definitions]


@pytest.mark.parametrize("lines", ["**", "a/**\n**", "*/../**", "."])
def test_discover_any_depth_leaves_out_what_go_ignores(tmp_path: Path, lines: str) -> None:
    tree(tmp_path, "a", "a/b", "cache/rsc.io/quote@v1.5.2", *LEFT_OUT, *(f"a/{name}/x" for name in LEFT_OUT))
    assert sorted(found(lines, cwd=tmp_path)) == ["a", "a/b"]


@pytest.mark.parametrize("lines", ["**", ".", "*/*", "mod/*/*"])
def test_discover_enters_no_other_module_cache(tmp_path: Path, lines: str) -> None:
    """One of another job, or one that `fill` cannot know because there is no Go to ask."""
    tree(tmp_path, "a/b", "mod/rsc.io/quote@v1.5.2", "mod/x")
    (tmp_path / "mod/cache/download").mkdir(parents=True)
    wanted = ["a/b"] if lines != "mod/*/*" else ["mod/rsc.io/quote@v1.5.2"]
    assert found(lines, cwd=tmp_path) == wanted


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("tools/vendor/**", ["tools/vendor/x"]),
        ("**/testdata/**", ["a/testdata", "a/testdata/x"]),
        ("**/testdata", ["a/testdata"]),
        ("_*/**", ["_old/x"]),
        (".hidden/*", [".hidden/x"]),
        ("*/x", [".hidden/x", "_old/x"]),
        ("*/**", ["a/b"]),
    ],
)
def test_discover_enters_ignored_folders_that_are_named(tmp_path: Path, pattern: str, wanted: list[str]) -> None:
    tree(tmp_path, "tools/vendor/x", "a/testdata", "a/testdata/x", "_old/x", ".hidden/x", "a/b")
    assert found(pattern, cwd=tmp_path) == wanted


def test_discover_ignores_the_name_of_the_job_folder(tmp_path: Path) -> None:
    tree(tmp_path / ".work", "a")
    assert found("**", cwd=tmp_path / ".work") == found(cwd=tmp_path / ".work") == ["a"]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (("**", "!b"), ["a", "c/legacy"]),
        (("**", "!b", "!**/legacy"), ["a"]),
        (("!c", "."), ["a", "b", "b/deep"]),
        (("!b/*",), ["a", "b", "c/legacy"]),
        (("a", "b", "! ./b/"), ["a"]),
        (("*", "!{cwd}/a"), ["b"]),
        (("*", "!"), ["a", "b"]),
    ],
)
def test_discover_lines_with_exclamation_mark_exclude(tmp_path: Path, lines: Sequence[str], wanted: list[str]) -> None:
    tree(tmp_path, "a", "b", "b/deep", "c/legacy")
    assert found(*(line.format(cwd=tmp_path) for line in lines), cwd=tmp_path) == wanted


def test_discover_nothing_left_names_the_exclusions(tmp_path: Path) -> None:
    tree(tmp_path, "a")
    with pytest.raises(InputError) as raised:
        found("a", "!**", cwd=tmp_path)
    assert (raised.value.slug, raised.value.notice.case) == ("go-mod-not-found", "excluded")


@pytest.mark.parametrize("line", [".", "./", "{cwd}", "{cwd}/", "../{name}", "a/.."])
@pytest.mark.parametrize("environ", [GIT, NO_GIT], ids=["git", "no git"])
def test_discover_spellings_of_the_job_folder_are_one(tmp_path: Path, line: str, environ: dict[str, str]) -> None:
    tree(tmp_path, "a", "b")
    for command in (("init", "-q"), ("add", "a")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    wanted = ["a"] if environ is GIT else ["a", "b"]
    assert found(line.format(cwd=tmp_path, name=tmp_path.name), cwd=tmp_path, environ=environ) == wanted


def test_discover_outside_a_clone_leaves_out_submodules(tmp_path: Path) -> None:
    """A clone below counts, a submodule only where a line leads there, as in a clone."""
    tree(tmp_path, "clone", "clone/libs/sub", "clone/libs/sub/deep")
    (tmp_path / "clone/.git").mkdir()
    (tmp_path / "clone/libs/sub/.git").write_text("gitdir: ../../.git/modules/sub\n")
    assert found(cwd=tmp_path, environ=GIT) == ["clone"]
    assert found("clone/libs/*", cwd=tmp_path) == ["clone/libs/sub"]
    assert found("**", cwd=tmp_path) == ["clone", "clone/libs/sub", "clone/libs/sub/deep"]


def test_discover_search_of_too_many_folders_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_search, "_MOST_FOLDERS", 3)
    with pytest.raises(InputError) as raised:
        found("**", cwd=tree(tmp_path, "a", "b", "c"))
    assert raised.value.notice.case == "too-large"


def test_discover_search_follows_no_link(tmp_path: Path) -> None:
    tree(tmp_path, "a", "b")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    assert found("**", cwd=tmp_path) == found(cwd=tmp_path) == ["a", "b"]


@pytest.mark.skipif(sys.platform == "win32", reason="names of its files are text")
def test_discover_names_may_be_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"gr\xfc\xdfe")
    tree(tmp_path, name, "b")
    assert found("**", f"!{name}", cwd=tmp_path) == ["b"]
    assert found("gr*", cwd=tmp_path) == found(name, cwd=tmp_path) == [name]


PARTS = st.lists(st.sampled_from(["a", "b", "*", "**", "?", "[ab]", "ab"]), min_size=1, max_size=6)


def covers(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """The same question, answered by trying everything."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return covers(pattern[1:], path) or (bool(path) and covers(pattern, path[1:]))
    return bool(path) and Path(path[0]).match(pattern[0]) and covers(pattern[1:], path[1:])


@given(PARTS, st.lists(st.sampled_from(["a", "b", "ab", "c"]), max_size=7))
def test_matches_agrees_with_trying_everything(pattern: list[str], path: list[str]) -> None:
    root = Path("/no/such/folder")
    assert matches(root.joinpath(*path), "/".join(pattern), root) == covers(pattern, path)


def modules(cwd: Path, lines: str = ".") -> tuple[list[str], list[str]]:
    """Return the folders of the scopes, and the slugs and files of the warnings."""
    scopes, warnings = resolve_all(places(cwd, lines), "")
    return (
        [scope.folder.relative_to(cwd.resolve()).as_posix() for scope in scopes],
        [f"{one.slug} {one.file and one.file.relative_to(cwd.resolve()).as_posix()}" for one in warnings],
    )


NO_MODULES = {
    "a comment": '// Not a module: keeps "./..." out of here.',
    "empty": "",
    "a template": "module {{.Module}}\n\ngo {{.Go}}\n",
    "a template with a path": "module example.com/m\n\ngo {{.Go}}\n",
    "a page": "<html>\n",
    "binary": "\x01\x02\n",
}


@pytest.mark.parametrize("text", NO_MODULES.values(), ids=NO_MODULES)
@pytest.mark.parametrize("lines", [".", "**", "a\n*"])
def test_resolve_found_file_that_is_no_module_is_a_warning(tmp_path: Path, text: str, lines: str) -> None:
    tree(tmp_path, "a", "web")
    (tmp_path / "web/go.mod").write_text(text)
    assert modules(tmp_path, lines) == (["a"], ["go-mod-skipped web/go.mod"])
    assert modules(tmp_path, f"{lines}\n!web") == (["a"], [])


@pytest.mark.parametrize("lines", ["web", "a\nweb", "*\nweb", "web\n*"])
def test_resolve_named_file_that_is_no_module_is_an_error(tmp_path: Path, lines: str) -> None:
    tree(tmp_path, "a", "web")
    (tmp_path / "web/go.mod").write_text("")
    with pytest.raises(GoSumError):
        modules(tmp_path, lines)


@pytest.mark.parametrize(
    "text", ["module example.com/m\n<<<<<<< ours\ngo 1.21\n=======\ngo 1.22\n>>>>>>> theirs\n"], ids=["conflict"]
)
def test_resolve_found_module_that_is_damaged_is_an_error(tmp_path: Path, text: str) -> None:
    tree(tmp_path, "a", "b")
    (tmp_path / "b/go.mod").write_text(text)
    with pytest.raises(GoSumError):
        modules(tmp_path)


def test_resolve_only_files_that_are_no_modules_is_an_error(tmp_path: Path) -> None:
    tree(tmp_path, "web")
    (tmp_path / "web/go.mod").write_text("")
    with pytest.raises(GoSumError):
        modules(tmp_path)


def test_resolve_member_of_a_found_workspace_stays_an_error(tmp_path: Path) -> None:
    tree(tmp_path, "a", "w/b")
    (tmp_path / "w/go.work").write_text("go 1.21\n\nuse ./b\n")
    (tmp_path / "w/b/go.mod").write_text("")
    with pytest.raises(GoSumError):
        modules(tmp_path)


def outside(cwd: Path, lines: str, gowork: str = "go 1.21\n\nuse ./app\n") -> list[str]:
    """Return the folders of the warnings about modules that the go.work does not list."""
    tree(cwd, "app", "app/nested", "tools", "tools/gen", "docs")
    (cwd / "docs/go.mod").unlink()
    (cwd / "tools/cmd").mkdir()
    (cwd / "go.work").write_text(gowork)
    (scope,), _ = resolve_all(places(cwd, lines), "")
    found = [facts(one) for one in scope.warnings if one.slug == "folder-outside-workspace"]
    assert all(one["workspace"] == cwd / "go.work" for one in found)
    return [one["definition"].relative_to(cwd).as_posix() for one in found]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("tools", ["tools/go.mod"]),
        ("tools/cmd", ["tools/go.mod"]),
        (".\napp\ntools\ntools/gen", ["tools/go.mod", "tools/gen/go.mod"]),
        ("app/nested", ["app/nested/go.mod"]),
        (".", []),
        ("app", []),
        ("docs", []),
        ("**", []),
    ],
)
def test_resolve_named_folder_outside_go_work_is_a_warning(tmp_path: Path, lines: str, wanted: list[str]) -> None:
    assert outside(tmp_path, lines) == wanted


def test_resolve_root_module_outside_go_work_is_no_warning(tmp_path: Path) -> None:
    """Go looks at the workspace there, and jobs that use it name its members."""
    (tmp_path / "go.mod").write_text("module example.com/root\n")
    assert outside(tmp_path, ".") == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [("tols", "tools"), ("service/api", "services/api"), ("srvices/apii", "services/api"), ("./tool", "tools"),
     ("{cwd}/tols", "{cwd}/tools"), ("qqq", ""), ("services/qqq", ""), ("file", ""),
     ("tools/go.mod", "tools")],
)  # fmt: skip
def test_discover_mistyped_folder_suggests_another(tmp_path: Path, text: str, meant: str) -> None:
    tree(tmp_path, "tools", "services/api")
    (tmp_path / "filed").write_text("")
    with pytest.raises(InputError) as raised:
        found(text.format(cwd=tmp_path), cwd=tmp_path)
    error = raised.value.notice
    assert (error.slug, error.case) == ("folder-not-found", "did-you-mean" if meant else "")
    assert facts(error)["meant"] == (str(Path(meant.format(cwd=tmp_path))) if meant else "")


def test_discover_without_go_mod_names_the_submodules(tmp_path: Path) -> None:
    (tmp_path / ".gitmodules").write_text('[submodule "a"]\n\tpath = libs/a b\n\turl = https://example.com/a\n')
    tree(tmp_path, "libs/a b")
    (tmp_path / "libs/a b/.git").write_text("gitdir: x\n")
    with pytest.raises(InputError) as raised:
        found(cwd=tmp_path)
    assert raised.value.notice.case == "submodules"
    assert facts(raised.value)["submodules"] == ("libs/a b",)
    assert found("libs/a b", cwd=tmp_path) == ["libs/a b"]
