"""The door for bytes from outside: only with the structure a module file promises."""

from __future__ import annotations

import errno
import io
import json
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.modfiles.staging import StructureError, content_problem, received, structure_problem, trimmed_info

VERSION = ModuleVersion("github.com/BurntSushi/toml", "v1.4.0")
ZIP, MOD, INFO = ModuleFile(VERSION, "zip"), ModuleFile(VERSION, "mod"), ModuleFile(VERSION, "info")
PREFIX = "github.com/BurntSushi/toml@v1.4.0/"
HTML = b"<!DOCTYPE html>\n<html><body>Please sign in to the module store</body></html>\n"
GOOD_MOD = b"module github.com/BurntSushi/toml\n\ngo 1.18\n"
GOOD_INFO = b'{"Version":"v1.4.0","Time":"2024-05-23T05:37:07Z"}'


def make_zip(*names: str, comment: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w") as archive:
        warnings.simplefilter("ignore")  # zipfile has its doubts about one name twice
        archive.comment = comment
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"package toml\n" * 20, method)
    return target.getvalue()


GOOD_ZIP = make_zip(PREFIX + "toml.go", PREFIX + "go.mod")
GOOD = {ZIP: GOOD_ZIP, MOD: GOOD_MOD, INFO: GOOD_INFO}

ACCEPTED = {
    "zip": (ZIP, GOOD_ZIP),
    "zip, stored": (ZIP, make_zip(PREFIX + "a.go", method=zipfile.ZIP_STORED)),
    "zip with a folder": (ZIP, make_zip(PREFIX + "sub/", PREFIX + "sub/a.go")),
    "zip with a comment": (ZIP, make_zip(PREFIX + "a.go", comment=b"hello")),
    "zip with bytes before it": (ZIP, b"#!/bin/sh\n" + GOOD_ZIP),
    "mod": (MOD, GOOD_MOD),
    "mod with CRLF": (MOD, GOOD_MOD.replace(b"\n", b"\r\n")),
    "mod with comments first": (MOD, b"// module\n\n" + GOOD_MOD),
    "mod with a block": (MOD, b"module (\n\tgithub.com/BurntSushi/toml\n)\n"),
    "mod without newline": (MOD, b"module github.com/BurntSushi/toml"),
    "info": (INFO, GOOD_INFO),
    "info without time": (INFO, b'{"Version":"v1.4.0"}'),
    "info with more": (INFO, b'{"Version":"v1.4.0","Origin":{"VCS":"git"}}\n'),
}
REFUSED = {
    "zip: empty file": (ZIP, b"", "the file is empty"),
    "zip: a web page": (ZIP, HTML, "not a zip file"),
    "zip: first half": (ZIP, GOOD_ZIP[: len(GOOD_ZIP) // 2], "not a zip file"),
    "zip: last byte missing": (ZIP, GOOD_ZIP[:-1], "not a zip file"),
    "zip: central directory damaged": (ZIP, GOOD_ZIP.replace(b"PK\x01\x02", b"PK\x01\x03"), "not a zip file"),
    "zip: beginning missing": (ZIP, GOOD_ZIP[150:], "its beginning is missing"),
    "zip: no entries": (ZIP, make_zip(), "the zip is empty"),
    "zip: another module": (ZIP, make_zip("example.com/a@v1.4.0/a.go"), f"the zip holds files outside {PREFIX}"),
    "zip: another version": (ZIP, make_zip("github.com/BurntSushi/toml@v1.4.00/a.go"), "outside"),
    "zip: escaped path": (ZIP, make_zip("github.com/!burnt!sushi/toml@v1.4.0/a.go"), "outside"),
    "zip: one entry outside": (ZIP, make_zip(PREFIX + "a.go", "../../x"), "outside"),
    "zip: absolute entry": (ZIP, make_zip(PREFIX + "a.go", "/etc/passwd"), "outside"),
    "zip: one name twice": (ZIP, make_zip(PREFIX + "a.go", PREFIX + "a.go"), "twice"),
    "zip: name with a newline": (ZIP, make_zip(PREFIX + "a\nb.go"), "newline"),
    "mod: empty file": (MOD, b"", "the file is empty"),
    "mod: a web page": (MOD, HTML, "no module line"),
    "mod: module glued": (MOD, b"modules x\n", "no module line"),
    "mod: module in a comment": (MOD, b"// module x\n", "no module line"),
    "info: empty file": (INFO, b"", "the file is empty"),
    "info: a web page": (INFO, HTML, "not the JSON"),
    "info: first half": (INFO, GOOD_INFO[:20], "not the JSON"),
    "info: another version": (INFO, b'{"Version":"v1.4.1"}', "not the JSON"),
    "info: a list": (INFO, b'["v1.4.0"]', "not the JSON"),
    "info: no version": (INFO, b"{}", "not the JSON"),
    "info: nested too deep": (INFO, b"[" * 100_000, "not the JSON"),
    "info: not UTF-8": (INFO, b'{"Version":"v1.4.0\xff"}', "not the JSON"),
    "info: number too long": (INFO, b'{"Version":' + b"9" * 5000 + b"}", "not the JSON"),
}


@pytest.mark.parametrize(("file", "data"), [pytest.param(*case, id=name) for name, case in ACCEPTED.items()])
def test_a_module_file_has_no_problem(file: ModuleFile, data: bytes) -> None:
    assert structure_problem(file, io.BytesIO(data)) == ""


@pytest.mark.parametrize(("file", "data", "says"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_anything_else_is_refused_and_leaves_nothing(tmp_path: Path, file: ModuleFile, data: bytes, says: str) -> None:
    (tmp_path / "pool").mkdir()
    with pytest.raises(StructureError, match=says), received(ModuleFolder.at(tmp_path / "pool"), file) as out:
        out.write(data)
    assert _files(tmp_path / "pool") == {}


@pytest.mark.parametrize("file", [ZIP, MOD, INFO], ids=lambda file: file.kind)
def test_what_go_finds_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, file: ModuleFile) -> None:
    data = (
        make_zip(PREFIX + "a.go", method=zipfile.ZIP_STORED) if file is ZIP else GOOD[file]
    )  # larger than its contents
    monkeypatch.setitem(MAX_BYTES, file.kind, len(data))
    assert structure_problem(file, io.BytesIO(data)) == ""
    monkeypatch.setitem(MAX_BYTES, file.kind, len(data) - 1)
    assert structure_problem(file, io.BytesIO(data)) == f"{len(data)} bytes are more than Go accepts"


def test_zip_that_holds_more_than_go_unpacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what its directory says, before anything is inflated."""
    held = 2 * len(b"package toml\n" * 20)
    monkeypatch.setitem(MAX_BYTES, "zip", held)
    assert structure_problem(ZIP, io.BytesIO(GOOD_ZIP)) == ""
    monkeypatch.setitem(MAX_BYTES, "zip", held - 1)
    assert structure_problem(ZIP, io.BytesIO(GOOD_ZIP)) == "it holds more than Go accepts"


@given(st.binary(max_size=200), st.integers(0, len(GOOD_ZIP)), st.integers(0, 30), st.sampled_from([ZIP, MOD, INFO]))
@settings(deadline=None)
def test_any_bytes_are_accepted_or_refused(noise: bytes, start: int, cut: int, file: ModuleFile) -> None:
    """A damaged file never raises: an OSError would be taken for a disk that fails."""
    for data in (noise, GOOD_ZIP[:start] + noise + GOOD_ZIP[start + cut :]):
        assert isinstance(structure_problem(file, io.BytesIO(data)), str)


@pytest.mark.parametrize(("number", "refused"), [(errno.EINVAL, True), (errno.EIO, False), (errno.EACCES, False)])
def test_a_disk_that_fails_is_no_damaged_zip(monkeypatch: pytest.MonkeyPatch, number: int, refused: bool) -> None:
    """EINVAL is what Python 3.10 raises for a central directory said to begin before the file."""

    def fails(*_: object) -> None:
        raise OSError(number, "words")

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", fails)
    if refused:
        assert "not a zip file" in structure_problem(ZIP, io.BytesIO(GOOD_ZIP))
    else:
        with pytest.raises(OSError, match="words"):
            structure_problem(ZIP, io.BytesIO(GOOD_ZIP))


@pytest.mark.parametrize("file", [ZIP, MOD, INFO], ids=lambda file: file.kind)
def test_a_good_file_gets_its_name(tmp_path: Path, file: ModuleFile) -> None:
    with received(ModuleFolder.at(tmp_path), file) as out:
        out.write(GOOD[file])
        assert not (tmp_path / file.name).exists()
    assert _files(tmp_path) == {file.name: GOOD[file]}


@pytest.mark.parametrize("file", [ZIP, MOD, INFO], ids=lambda file: file.kind)
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_transfer_that_breaks_off_leaves_what_was_there(
    tmp_path: Path, file: ModuleFile, error: type[BaseException]
) -> None:
    _put(tmp_path, file, GOOD[file])
    before = _files(tmp_path)
    with pytest.raises(error), received(ModuleFolder.at(tmp_path), file) as out:  # noqa: PT012
        out.write(b"half")
        raise error
    assert _files(tmp_path) == before


def test_a_new_zip_takes_the_old_ones_hash_away(tmp_path: Path) -> None:
    """Else Go would believe the note and hash nothing."""
    ziphash = _put(tmp_path, ZIP, GOOD_ZIP).with_suffix(".ziphash")
    ziphash.write_text("h1:A=")
    with received(ModuleFolder.at(tmp_path), ZIP) as out:
        out.write(GOOD_ZIP)
    assert not ziphash.exists()


@pytest.mark.parametrize("file", [MOD, INFO], ids=lambda file: file.kind)
def test_a_new_mod_or_info_leaves_the_zips_hash(tmp_path: Path, file: ModuleFile) -> None:
    ziphash = _put(tmp_path, ZIP, GOOD_ZIP).with_suffix(".ziphash")
    ziphash.write_text("h1:A=")
    with received(ModuleFolder.at(tmp_path), file) as out:
        out.write(GOOD[file])
    assert ziphash.exists()


def test_a_refused_zip_leaves_the_old_one_and_its_hash(tmp_path: Path) -> None:
    ziphash = _put(tmp_path, ZIP, GOOD_ZIP).with_suffix(".ziphash")
    ziphash.write_text("h1:A=")
    with pytest.raises(StructureError), received(ModuleFolder.at(tmp_path), ZIP) as out:
        out.write(HTML)
    assert _files(tmp_path) == {ZIP.name: GOOD_ZIP, f"{ZIP.name}hash": b"h1:A="}


def test_an_info_keeps_version_and_time_only(tmp_path: Path) -> None:
    data = {"Time": "2024-05-23T05:37:07Z", "Origin": {"URL": "https://x"}, "Version": "v1.4.0", "Name": "n"}
    with received(ModuleFolder.at(tmp_path), INFO) as out:
        out.write(json.dumps(data).encode())
    assert (tmp_path / INFO.name).read_bytes() == GOOD_INFO


@pytest.mark.parametrize(
    "time",
    [None, 5, ["x"], {}, "", "yesterday", "2024-05-23", "2024-02-30T00:00:00Z", "2024-05-23T25:00:00Z",
     "2024-05-23T00:00:00", "2024-05-23T00:00:00+24:00", "2024-05-23t00:00:00Z", "2024-05-23T00:00:00Z\n"],
)  # fmt: skip
def test_a_time_that_go_does_not_read_is_dropped(time: object) -> None:
    data = json.dumps({"Version": "v1.4.0", "Time": time}).encode()
    assert trimmed_info(VERSION, data) == b'{"Version":"v1.4.0"}'


def test_no_byte_at_all_is_no_module_file(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match="empty"), received(ModuleFolder.at(tmp_path), ZIP):
        pass
    assert _files(tmp_path) == {}


def _put(folder: Path, file: ModuleFile, data: bytes) -> Path:
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_zip_that_go_accepts_meanwhile_is_not_exchanged(tmp_path: Path) -> None:
    """Go may be about to unpack it, and would not look at it again; of a pool only the name counts."""
    for folder, kept in ((tmp_path / "cache/download", GOOD_ZIP), (tmp_path / "pool", make_zip(PREFIX + "evil.go"))):
        final = folder / ZIP.name
        with received(ModuleFolder.at(folder), ZIP) as out:
            out.write(make_zip(PREFIX + "evil.go"))
            final.write_bytes(GOOD_ZIP)
            final.with_suffix(".ziphash").write_text("h1:good")
        assert final.read_bytes() == kept
        assert final.with_suffix(".ziphash").exists() == (kept == GOOD_ZIP)
        assert not list(tmp_path.rglob("*.tmp"))


def test_a_mod_is_compared_with_the_one_in_its_zip(tmp_path: Path) -> None:
    (tmp_path / "v1.4.0.mod").write_bytes(GOOD_MOD)
    (tmp_path / "v1.4.0.zip").write_bytes(GOOD_ZIP)
    assert content_problem(MOD, tmp_path / "v1.4.0.mod") == "it is not the go.mod of its zip"
    (tmp_path / "v1.4.0.mod").write_bytes(b"module toml\n")
    with zipfile.ZipFile(tmp_path / "v1.4.0.zip", "w") as archive:
        archive.writestr(PREFIX + "go.mod", b"module toml\n")
    assert content_problem(MOD, tmp_path / "v1.4.0.mod") == ""


def test_mod_next_to_an_endless_zip_directory_is_cheap(tmp_path: Path) -> None:
    """The zip is at fault, and told of for itself; its directory is not read for the sake of the `.mod`."""
    entries = (b"PK\1\2" + bytes(42)) * 1_000_000
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(entries), 0, 0)
    (tmp_path / "v1.4.0.zip").write_bytes(entries + end)
    del entries
    (tmp_path / "v1.4.0.mod").write_bytes(GOOD_MOD)
    tracemalloc.start()
    assert content_problem(MOD, tmp_path / "v1.4.0.mod") == ""
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
