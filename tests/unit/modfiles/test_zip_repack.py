"""Zips rewritten without compression, from their own bytes or from the tree that Go unpacked."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.modfiles import zip_repack
from go_prefetch.modfiles.zip_repack import UnreadableZip, stored_size, write_stored

ROOT = "example.com/Lib@v1.0.0/"
FILES = {"a.go": b"package lib\n" * 90, "sub/b.go": b"package sub\n", "sub/c/d.txt": b"", "z é.txt": "é\n".encode()}
NAMES = st.text(st.sampled_from("abcé.- "), min_size=1, max_size=6).filter(lambda name: name.strip(". "))


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(ROOT + name, content)
    return path


def write_tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def rewritten(path: Path, tree: Path | None = None) -> bytes:
    out = io.BytesIO()
    write_stored(path, out, tree)
    return out.getvalue()


def by_zipfile(path: Path) -> bytes:
    """The same, made by the standard library."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as copy:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
            plain = zipfile.ZipInfo(entry.filename)
            plain.create_system, plain.external_attr = 3, 0o644 << 16
            copy.writestr(plain, archive.read(entry))
    return out.getvalue()


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=300)))
def test_write_stored_any_zip_same_bytes_as_zipfile(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    path = write_zip(folder / "v1.0.0.zip", files)
    expected = by_zipfile(path)
    assert stored_size(path) == len(expected)
    assert rewritten(path) == rewritten(path, write_tree(folder / "tree", files)) == expected


def test_write_stored_tree_has_all_inflates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "v1.0.0.zip", FILES)
    monkeypatch.setattr(zip_repack, "_inflated", None)
    assert rewritten(path, write_tree(tmp_path / "tree", FILES)) == by_zipfile(path)


@pytest.mark.parametrize("content", [b"PACKAGE lib\n" * 90, b"package lib\n", b"package lib\n" * 91, b""])
def test_write_stored_changed_tree_is_not_used(tmp_path: Path, content: bytes) -> None:
    path = write_zip(tmp_path / "v1.0.0.zip", FILES)
    tree = write_tree(tmp_path / "tree", FILES)
    (tree / "a.go").write_bytes(content)
    assert rewritten(path, tree) == by_zipfile(path)


@pytest.mark.parametrize("how", ["missing", "a folder", "a pipe", "a link", "below a link"])
def test_write_stored_odd_tree_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    path = write_zip(tmp_path / "v1.0.0.zip", FILES)
    tree = write_tree(tmp_path / "tree", FILES)
    place = tree / "a.go"
    place.rename(tmp_path / "moved")
    if how == "a pipe" and sys.platform == "win32":
        pytest.skip("it has no pipes in folders")
    if how == "a folder":
        place.mkdir()
    elif how == "a pipe":
        os.mkfifo(place)
    elif how == "a link":
        place.symlink_to(tmp_path / "moved")
    elif how == "below a link":
        (tree / "sub").rename(tmp_path / "sub")
        (tree / "sub").symlink_to(tmp_path / "sub")
    inflated: list[str] = []
    real = zip_repack._inflated

    def noted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        inflated.append(entry.filename)
        return real(archive, entry)

    monkeypatch.setattr(zip_repack, "_inflated", noted)
    assert rewritten(path, tree) == by_zipfile(path)
    below = ["sub/b.go", "sub/c/d.txt"] if how == "below a link" else []
    assert inflated == [ROOT + name for name in ["a.go", *below]]


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a//out.txt", "./out.txt"])
def test_write_stored_name_that_leaves_tree_is_inflated(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "v1.0.0.zip", {name: b"right"})
    (tmp_path / "out.txt").write_bytes(b"right")
    (tmp_path / "tree").mkdir()
    assert rewritten(path, tmp_path / "tree") == by_zipfile(path)


def test_write_stored_large_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_repack, "_MOST_AT_ONCE", 100)
    monkeypatch.setattr(zip_repack, "_PIECE", 50)
    path = write_zip(tmp_path / "v1.0.0.zip", FILES)
    written: list[int] = []

    class Out(io.BytesIO):
        def write(self, data: object, /) -> int:
            written.append(len(bytes(data)))  # type: ignore[call-overload]
            return super().write(data)  # type: ignore[arg-type]

    out = Out()
    write_stored(path, out, write_tree(tmp_path / "tree", FILES))
    assert out.getvalue() == by_zipfile(path)
    assert max(written) < 500  # the directory; a.go has 1080


@pytest.mark.parametrize("at", ["content", "directory"])
def test_write_stored_damaged_zip_raises(tmp_path: Path, at: str) -> None:
    path = write_zip(tmp_path / "v1.0.0.zip", {"a.go": os.urandom(500)})
    data = bytearray(path.read_bytes())
    place = 100 if at == "content" else data.rindex(b"PK\1\2") + 16  # the CRC-32
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableZip):
        rewritten(path)
