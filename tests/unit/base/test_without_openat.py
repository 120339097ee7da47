"""Folders as Windows has them: without openat, with junctions, read-only files, and files that others have open."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from go_prefetch.base import nofollow, removal
from go_prefetch.base.atomic_file import new_file, write_whole
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.patience import SHARING_VIOLATION
from tests.unit.base.test_patience import WindowsError

MOUNT_POINT, CLOUD_FILE = 0xA0000003, 0x9000001A  # reparse tags: a junction, a file that OneDrive has


@pytest.fixture(autouse=True)
def _no_openat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nofollow, "_HAS_OPENAT", False)


def test_open_file_reads_below_the_root(root: Path) -> None:
    with nofollow.open_file(root, "a/b/file") as file:
        assert file.read() == b"inside"
    with nofollow.opened(root) as folder:
        assert folder.descriptor is None


def test_entered_finds_a_folder_of_another_thread(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It appears between the look for it and the report that there is none."""
    real = Folder.stat

    def appears(self: Folder, name: str) -> os.stat_result | None:
        found = real(self, name)
        (root / "new").mkdir(exist_ok=True)
        return found

    monkeypatch.setattr(Folder, "stat", appears)
    with nofollow.parent(root, "new/file", create=True) as (folder, name):
        folder.create(name).close()
    assert (root / "new" / "file").is_file()


def _is_junction(monkeypatch: pytest.MonkeyPatch, junction: str, tag: int = MOUNT_POINT) -> None:
    """Let the status of entries with this name be that of a reparse point."""
    real = os.stat

    def status(path: Any, **options: Any) -> Any:
        found = real(path, **options)
        if os.fspath(path).endswith(junction) and options.get("follow_symlinks") is False:
            seen = {name: getattr(found, name) for name in dir(found) if name.startswith("st_")}
            return SimpleNamespace(**{**seen, "st_reparse_tag": tag})
        return found

    monkeypatch.setattr(os, "stat", status)


def test_junction_is_no_folder_and_is_not_entered(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _is_junction(monkeypatch, "b")
    with nofollow.opened(root, ("a",)) as folder:
        assert not folder.has_folder("b")
    with pytest.raises(NotADirectoryError, match="link"):
        nofollow.open_file(root, "a/b/file").close()
    assert [parts for parts, _, _ in nofollow.walk(root)] == [(), ("a",)]


def test_folder_of_a_cloud_drive_is_a_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _is_junction(monkeypatch, "b", CLOUD_FILE)
    with nofollow.open_file(root, "a/b/file") as file:
        assert file.read() == b"inside"


def test_is_link_knows_links_and_junctions() -> None:
    def status(mode: int, tag: int) -> Any:
        return SimpleNamespace(st_mode=mode, st_reparse_tag=tag)

    assert nofollow.is_link(status(stat.S_IFLNK, 0))
    assert nofollow.is_link(status(stat.S_IFDIR, MOUNT_POINT))
    assert not nofollow.is_link(status(stat.S_IFDIR, CLOUD_FILE))
    assert not nofollow.is_link(status(stat.S_IFREG, 0))


def test_remove_takes_read_only_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's trees hold such files, and Windows removes none of them."""
    (root / "a" / "b" / "file").chmod(0o444)
    real = os.unlink

    def unlink(path: Any, **options: Any) -> None:
        if not Path(path).stat().st_mode & stat.S_IWRITE:
            raise WindowsError(5)
        real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    assert removal.remove(root, ("a",)) == 1
    assert list(root.iterdir()) == []


def test_file_of_another_owner_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlink(*_: Any, **__: Any) -> None:
        raise WindowsError(5)

    monkeypatch.setattr(os, "unlink", unlink)
    with nofollow.opened(root, ("a", "b")) as folder, pytest.raises(PermissionError):
        folder.unlink("file")


def test_new_file_waits_for_a_scanner_of_its_target(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(root / "file", b"old")
    real, refusals = os.replace, [WindowsError(SHARING_VIOLATION), WindowsError(5)]

    def replace(source: Any, target: Any, **options: Any) -> None:
        if refusals:
            raise refusals.pop()
        real(source, target, **options)

    monkeypatch.setattr(os, "replace", replace)
    with new_file(root, "file") as file:
        file.write(b"new")
    assert (root / "file").read_bytes() == b"new"
    assert refusals == []


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such name")
def test_name_of_a_device_is_refused_as_on_windows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nofollow, "is_entry_name", lambda name: name != "nul.zip")
    with nofollow.opened(root) as folder, pytest.raises(OSError, match="not the name of an entry"):
        folder.create("nul.zip")
