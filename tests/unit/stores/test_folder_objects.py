"""A directory pool as objects."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.stores.objects.folder import FolderObjects
from go_prefetch.stores.objects.port import ObjectError, Trouble

NAME = "example.com/a/@v/v1.0.0.mod"
SOON = Deadline()


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"module example.com/a\n")
    return tmp_path / "pool"


def trouble(pool: Path, out: Path, most: int = 100) -> Trouble:
    with pytest.raises(ObjectError) as caught, out.open("wb") as file:
        FolderObjects(pool).get(NAME, file, most, SOON)
    return caught.value.trouble


def test_entries_are_the_files_with_a_prefix(pool: Path) -> None:
    (pool / "other").write_bytes(b"12")
    objects = FolderObjects(pool)
    assert sorted((one.name, one.bytes) for one in objects.entries("", SOON)) == [(NAME, 21), ("other", 2)]
    assert [one.name for one in objects.entries("example.com/", SOON)] == [NAME]
    assert list(FolderObjects(pool / "missing").entries("", SOON)) == []


def test_get_copies_a_file_within_its_limit(pool: Path, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        assert FolderObjects(pool).get(NAME, file, 21, SOON) == 21
    assert (tmp_path / "out").read_bytes() == (pool / NAME).read_bytes()
    assert trouble(pool, tmp_path / "out", most=20) is Trouble.TOO_LARGE


def test_remove_removes_a_file_once(pool: Path, tmp_path: Path) -> None:
    FolderObjects(pool).remove(NAME, SOON)
    assert trouble(pool, tmp_path / "out") is Trouble.MISSING
    FolderObjects(pool).remove(NAME, SOON)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_no_link_below_the_pool_is_followed(pool: Path, tmp_path: Path) -> None:
    (pool / "example.com").rename(tmp_path / "outside")
    (pool / "example.com").symlink_to(tmp_path / "outside")
    assert list(FolderObjects(pool).entries("", SOON)) == []
    assert trouble(pool, tmp_path / "out") is Trouble.UNREACHABLE
    FolderObjects(pool).remove(NAME, SOON)
    assert (tmp_path / "outside" / "a" / "@v" / "v1.0.0.mod").exists()
