"""What is removed below a root: everything, at any depth, and nothing that a link leads to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.base import nofollow, removal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")


def test_remove_costs_the_same_at_any_depth(root: Path) -> None:
    """Folders below each other, deeper than a path may be long; each is opened a few times, not once for each below."""
    top = os.open(root, os.O_RDONLY)
    here = top
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    opened: list[str] = []
    real = nofollow.Folder.entered

    def entered(self: nofollow.Folder, name: str, **options: Any) -> nofollow.Folder:
        opened.append(name)
        return real(self, name, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nofollow.Folder, "entered", entered)
        assert removal.remove(root, ("d",)) == 1
    assert len(opened) == 3000
    assert sorted(path.name for path in root.iterdir()) == ["a"]


def test_remove_takes_more_than_is_listed_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nofollow, "MOST_ENTRIES", 10)
    for number in range(35):
        (root / "a" / str(number)).touch()
    assert removal.remove(root, ("a",), most=1000) == 36


def test_remove_ends_where_there_is_no_end(root: Path) -> None:
    for number in range(4):
        (root / "a" / str(number) / "inner" / "deeper").mkdir(parents=True)
    with pytest.raises(OSError, match="too much"):
        removal.remove(root, ("a",), most=10)


def test_remove_takes_read_only_folders(root: Path) -> None:
    (root / "a" / "b" / "c").mkdir()
    for folder in ("a/b/c", "a/b", "a"):
        (root / folder).chmod(0o500)
    removal.remove(root, ("a",))
    assert list(root.iterdir()) == []


def test_remove_that_ignores_errors_raises_none(root: Path) -> None:
    assert removal.remove(root, ("nothing", "here"), ignore_errors=True) == 0


def test_remove_takes_links_away_and_not_what_they_lead_to(root: Path, outside: Path) -> None:
    (root / "a" / "link").symlink_to(outside)
    (root / "a" / "b" / "link").symlink_to(outside / "file")
    removal.remove(root, ("a",))
    assert list(root.iterdir()) == []
    assert sorted(path.name for path in outside.rglob("*")) == ["deeper", "file", "file"]


@pytest.mark.parametrize("place", ["a", "a/b", "a/b/file", "a/b/file/"])
def test_clear_way_makes_room_for_a_file(root: Path, outside: Path, place: str) -> None:
    removal.remove(root, ("a",))
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    if place.endswith("/"):
        (root / place / "inner").mkdir(parents=True)
    else:
        (root / place).symlink_to(outside)
    removal.clear_way(root, "a/b/file")
    with nofollow.parent(root, "a/b/file", create=True) as (folder, name):
        folder.create(name).close()
    assert (outside / "file").read_bytes() == b"outside"
    assert (outside / "deeper").is_dir()


def test_clear_way_leaves_a_regular_file(root: Path) -> None:
    removal.clear_way(root, "a/b/file")
    assert (root / "a/b/file").read_bytes() == b"inside"


def test_clear_way_keeps_a_folder_of_another_program(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It appears right after the look for it."""
    real = nofollow.Folder.has_folder

    def has_folder(self: nofollow.Folder, name: str) -> bool:
        found = real(self, name)
        (root / "new").mkdir(exist_ok=True)
        return found

    monkeypatch.setattr(nofollow.Folder, "has_folder", has_folder)
    removal.clear_way(root, "new/")
    assert (root / "new").is_dir()
