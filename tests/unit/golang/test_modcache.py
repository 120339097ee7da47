"""File names in GOPROXY layout, and what lies in a module cache."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PureWindowsPath
from typing import cast

import pytest

from go_prefetch.base.windows_names import extended
from go_prefetch.golang import modcache
from go_prefetch.golang.modcache import MAX_BYTES, Kind, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion

TOML = ModuleVersion("github.com/BurntSushi/toml", "v2.0.0-RC.1+incompatible")


def test_names_are_those_of_the_module_cache() -> None:
    assert ModuleFile(TOML, "zip").name == "github.com/!burnt!sushi/toml/@v/v2.0.0-!r!c.1+incompatible.zip"
    path = ModuleFolder.of_cache(Path("/modcache")).path_of(ModuleFile(ModuleVersion("a.b/c", "v1.0.0"), "info"))
    assert path == Path("/modcache/cache/download/a.b/c/@v/v1.0.0.info")


def test_url_paths_are_percent_encoded_but_for_slash_and_at() -> None:
    assert (
        ModuleFile(TOML, "mod").url_path == "github.com/%21burnt%21sushi/toml/@v/v2.0.0-%21r%21c.1%2Bincompatible.mod"
    )


def test_a_file_reads_as_module_and_kind() -> None:
    assert str(ModuleFile(ModuleVersion("a.b/c", "v1.0.0"), "mod")) == "a.b/c@v1.0.0 .mod"


def test_limits_are_gos() -> None:
    assert MAX_BYTES["zip"] == 500 * 1024 * 1024
    assert MAX_BYTES["mod"] == 16 * 1024 * 1024


def test_trees_and_what_go_notes_lie_where_go_has_them() -> None:
    folder = ModuleFolder.of_cache(Path("/modcache"))
    stem = "/modcache/cache/download/github.com/!burnt!sushi/toml/@v/v2.0.0-!r!c.1+incompatible"
    assert folder.tree(TOML).as_posix() == "/modcache/github.com/!burnt!sushi/toml@v2.0.0-!r!c.1+incompatible"
    beside = (folder.zip_path(TOML), folder.ziphash(TOML), folder.lock(TOML), folder.partial(TOML))
    assert [path.as_posix() for path in beside] == [f"{stem}.zip", f"{stem}.ziphash", f"{stem}.lock", f"{stem}.partial"]
    assert folder.path_of(ModuleFile(TOML, "zip")) == folder.zip_path(TOML)


@pytest.mark.parametrize("kind", ["info", "mod"])
def test_the_ziphash_belongs_to_the_zip_alone(tmp_path: Path, kind: Kind) -> None:
    """It goes with the zip, and stays when another file goes."""
    folder = _with_zip(tmp_path)
    assert not folder.accepted_by_go(TOML)
    folder.ziphash(TOML).write_text("h1:A=")
    folder.drop(ModuleFile(TOML, kind))
    assert folder.accepted_by_go(TOML)
    folder.drop(ModuleFile(TOML, "zip"))
    folder.drop(ModuleFile(TOML, "zip"))
    assert not folder.ziphash(TOML).exists()
    assert not folder.has_zip(TOML)


def test_a_ziphash_without_its_zip_accepts_nothing(tmp_path: Path) -> None:
    folder = _with_zip(tmp_path)
    folder.ziphash(TOML).write_text("h1:A=")
    folder.zip_path(TOML).unlink()
    assert not folder.accepted_by_go(TOML)


def test_a_tree_that_go_has_not_finished_is_none(tmp_path: Path) -> None:
    folder = ModuleFolder.of_cache(tmp_path)
    folder.tree(TOML).mkdir(parents=True)
    assert folder.has_tree(TOML)
    folder.partial(TOML).parent.mkdir(parents=True)
    folder.partial(TOML).touch()
    assert not folder.has_tree(TOML)


def test_another_file_of_the_same_name_has_another_identity(tmp_path: Path) -> None:
    folder, file = _with_zip(tmp_path), ModuleFile(TOML, "zip")
    before = folder.identity(file)
    (tmp_path / "other").write_bytes(b"zip")
    assert folder.identity(file) == before
    (tmp_path / "other").replace(folder.path_of(file))
    assert folder.identity(file) != before
    folder.drop(file)
    assert folder.identity(file) is None


def _with_zip(path: Path) -> ModuleFolder:
    folder = ModuleFolder.at(path)
    folder.zip_path(TOML).parent.mkdir(parents=True)
    folder.zip_path(TOML).write_bytes(b"zip")
    return folder


def test_long_path_has_the_prefix_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modcache, "extended", partial(extended, windows=True))
    root = cast(Path, PureWindowsPath(r"C:\Users\runner\go\pkg\mod"))
    folder = ModuleFolder(root, root)
    version = ModuleVersion("example.com/" + "/".join(["Folder"] * 30), "v1.0.0")
    assert str(folder.zip_path(version)).startswith(r"\\?\C:\Users\runner\go\pkg\mod\example.com\!folder")
    assert str(folder.tree(version)).endswith("\\!folder@v1.0.0")
    assert str(folder.zip_path(ModuleVersion("example.com/x", "v1.0.0"))).startswith("C:")
