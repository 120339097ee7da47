"""Files below a root, reached without following a link."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from go_prefetch.base import nofollow, removal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")


def test_open_file_reads_a_regular_file(root: Path) -> None:
    with nofollow.open_file(root, "a/b/file") as file:
        assert file.read() == b"inside"


def test_root_may_be_a_link_that_the_user_made(root: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(root)
    with nofollow.open_file(tmp_path / "named", "a/b/file") as file:
        assert file.read() == b"inside"


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/file"])
def test_open_file_follows_no_link_on_the_way(root: Path, outside: Path, link: str) -> None:
    removal.remove(root, ("a",))
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
