"""Files below a root, reached without following a link."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.base import nofollow

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a file that nobody below the root may reach."""
    folder = tmp_path / "outside"
    (folder / "deeper").mkdir(parents=True)
    (folder / "file").write_bytes(b"outside")
    (folder / "deeper" / "file").write_bytes(b"outside")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_bytes(b"inside")
    return folder


def test_open_file_reads_a_regular_file(root: Path) -> None:
    with nofollow.open_file(root, "a/b/file") as file:
        assert file.read() == b"inside"


def test_root_may_be_a_link_that_the_user_made(root: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(root)
    with nofollow.open_file(tmp_path / "named", "a/b/file") as file:
        assert file.read() == b"inside"


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/file"])
def test_open_file_follows_no_link_on_the_way(root: Path, outside: Path, link: str) -> None:
    nofollow.remove(root, ("a",))
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (outside / "b").symlink_to(outside)
    (root / link).symlink_to(outside / "file" if link.endswith("file") else outside)
    with pytest.raises(OSError, match=r"link|levels"):
        nofollow.open_file(root, "a/b/file").close()
    with pytest.raises(OSError, match=r"link|exists"), nofollow.parent(root, "a/b/file", create=True) as (folder, name):
        folder.create(name).close()


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "device"])
def test_open_file_waits_for_nothing(root: Path, kind: str) -> None:
    path = root / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, 0o140666)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match=r"regular|No such device|symbolic"):
        nofollow.open_file(root, "thing").close()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b"])
def test_a_name_that_leads_elsewhere_is_none(root: Path, name: str) -> None:
    with nofollow.opened(root) as folder, pytest.raises(OSError, match="not the name of an entry"):
        folder.create(name)


def test_an_open_folder_that_is_replaced_leads_nowhere_else(root: Path, outside: Path) -> None:
    with nofollow.opened(root, ("a", "b")) as folder:
        (root / "a" / "b").rename(root / "moved")
        (root / "a" / "b").symlink_to(outside)
        folder.create("new").close()
        folder.unlink("file")
        folder.rename("new", "file")
    assert (outside / "file").read_bytes() == b"outside"
    assert sorted(path.name for path in (root / "moved").iterdir()) == ["file"]


def test_walk_enters_no_link_and_nothing_without_end(root: Path, outside: Path) -> None:
    (root / "link").symlink_to(outside)
    (root / Path(*["d"] * 300)).mkdir(parents=True)
    found = {parts: names for parts, _, names in nofollow.walk(root)}
    assert found[()] == ["a", "d", "link"]
    assert found[("a", "b")] == ["file"]
    assert found[("d",) * 64] == ["d"]
    assert ("d",) * 65 not in found
    assert ("link",) not in found


def test_walk_enters_what_it_is_told_to(root: Path) -> None:
    assert [parts for parts, _, _ in nofollow.walk(root, lambda parts: parts == ("a",))] == [(), ("a",)]


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
        assert nofollow.remove(root, ("d",)) == 1
    assert len(opened) == 3000
    assert sorted(path.name for path in root.iterdir()) == ["a"]


def test_remove_takes_more_than_is_listed_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nofollow, "_MOST_ENTRIES", 10)
    for number in range(35):
        (root / "a" / str(number)).touch()
    assert nofollow.remove(root, ("a",), most=1000) == 36


def test_remove_ends_where_there_is_no_end(root: Path) -> None:
    for number in range(4):
        (root / "a" / str(number) / "inner" / "deeper").mkdir(parents=True)
    with pytest.raises(OSError, match="too much"):
        nofollow.remove(root, ("a",), most=10)


def test_remove_takes_read_only_folders(root: Path) -> None:
    (root / "a" / "b" / "c").mkdir()
    for folder in ("a/b/c", "a/b", "a"):
        (root / folder).chmod(0o500)
    nofollow.remove(root, ("a",))
    assert list(root.iterdir()) == []


def test_remove_that_ignores_errors_raises_none(root: Path) -> None:
    assert nofollow.remove(root, ("nothing", "here"), ignore_errors=True) == 0


def test_remove_takes_links_away_and_not_what_they_lead_to(root: Path, outside: Path) -> None:
    (root / "a" / "link").symlink_to(outside)
    (root / "a" / "b" / "link").symlink_to(outside / "file")
    nofollow.remove(root, ("a",))
    assert list(root.iterdir()) == []
    assert sorted(path.name for path in outside.rglob("*")) == ["deeper", "file", "file"]


@pytest.mark.parametrize("place", ["a", "a/b", "a/b/file", "a/b/file/"])
def test_clear_way_makes_room_for_a_file(root: Path, outside: Path, place: str) -> None:
    nofollow.remove(root, ("a",))
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    if place.endswith("/"):
        (root / place / "inner").mkdir(parents=True)
    else:
        (root / place).symlink_to(outside)
    nofollow.clear_way(root, "a/b/file")
    with nofollow.parent(root, "a/b/file", create=True) as (folder, name):
        folder.create(name).close()
    assert (outside / "file").read_bytes() == b"outside"
    assert (outside / "deeper").is_dir()


def test_clear_way_leaves_a_regular_file(root: Path) -> None:
    nofollow.clear_way(root, "a/b/file")
    assert (root / "a/b/file").read_bytes() == b"inside"
