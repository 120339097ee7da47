"""File names in GOPROXY layout, and what a `.ziphash` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.golang.modcache import (
    MAX_BYTES,
    ModuleFile,
    accepted_by_go,
    download_folder,
    forget_ziphash,
    path_in,
)
from go_prefetch.golang.module import ModuleVersion

TOML = ModuleVersion("github.com/BurntSushi/toml", "v2.0.0-RC.1+incompatible")


def test_names_are_those_of_the_module_cache() -> None:
    assert ModuleFile(TOML, "zip").name == "github.com/!burnt!sushi/toml/@v/v2.0.0-!r!c.1+incompatible.zip"
    assert path_in(download_folder(Path("/modcache")), ModuleFile(ModuleVersion("a.b/c", "v1.0.0"), "info")) == Path(
        "/modcache/cache/download/a.b/c/@v/v1.0.0.info"
    )


def test_url_paths_are_percent_encoded_but_for_slash_and_at() -> None:
    assert (
        ModuleFile(TOML, "mod").url_path == "github.com/%21burnt%21sushi/toml/@v/v2.0.0-%21r%21c.1%2Bincompatible.mod"
    )


def test_a_file_reads_as_module_and_kind() -> None:
    assert str(ModuleFile(ModuleVersion("a.b/c", "v1.0.0"), "mod")) == "a.b/c@v1.0.0 .mod"


def test_limits_are_gos() -> None:
    assert MAX_BYTES["zip"] == 500 * 1024 * 1024
    assert MAX_BYTES["mod"] == 16 * 1024 * 1024


@pytest.mark.parametrize("kind", ["info", "mod"])
def test_the_ziphash_belongs_to_the_zip_alone(tmp_path: Path, kind: str) -> None:
    """It is forgotten with the zip, and stays when another file is replaced."""
    zip_path = path_in(tmp_path, ModuleFile(TOML, "zip"))
    zip_path.parent.mkdir(parents=True)
    zip_path.write_bytes(b"zip")
    assert not accepted_by_go(tmp_path, TOML)
    zip_path.with_suffix(".ziphash").write_text("h1:A=")
    forget_ziphash(tmp_path, ModuleFile(TOML, kind))  # type: ignore[arg-type]
    assert accepted_by_go(tmp_path, TOML)
    forget_ziphash(tmp_path, ModuleFile(TOML, "zip"))
    forget_ziphash(tmp_path, ModuleFile(TOML, "zip"))
    assert not accepted_by_go(tmp_path, TOML)
    assert zip_path.read_bytes() == b"zip"


def test_a_ziphash_without_its_zip_accepts_nothing(tmp_path: Path) -> None:
    ziphash = path_in(tmp_path, ModuleFile(TOML, "zip")).with_suffix(".ziphash")
    ziphash.parent.mkdir(parents=True)
    ziphash.write_text("h1:A=")
    assert not accepted_by_go(tmp_path, TOML)
