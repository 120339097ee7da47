"""Rewrite module zips without compression, to the same bytes whichever program packed them.

go.sum's hash of a zip covers the names and contents of its files, so Go accepts the rewritten zip. A zip is rewritten
only if Go certainly sees the same names and contents. A mistake shows in Go's hash.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from go_prefetch.base import nofollow
from go_prefetch.golang.modcache import MAX_BYTES
from go_prefetch.modfiles.zip_inspect import UNREADABLE, is_plain, read_zip

# The parts that all headers of a file have, those that the directory adds after them, and the end of the directory.
_COMMON, _MORE, _END = struct.Struct("<5H3L2H"), struct.Struct("<3H2L"), struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2\x14\3", b"PK\5\6"  # the second one: version 2.0, Unix
_LOCAL, _CENTRAL = len(_LOCAL_MARK) + _COMMON.size, len(_CENTRAL_MARK) + _COMMON.size + _MORE.size
_DATE, _DOS_DATE = (1980, 1, 1, 0, 0, 0), 0x21
_MODE = 0o644 << 16
_UNIX = 3
_ENCRYPTED, _UTF8 = 0x1, 0x800
_PIECE = 1 << 20
_MOST_AT_ONCE = 16 << 20  # bytes of an unpacked file


class Writable(Protocol):
    """Takes bytes in order."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`."""


class UnreadableZip(Exception):  # noqa: N818 - it is the zip's fault
    """A zip that cannot be rewritten after all."""


def is_stored(path: Path) -> bool:
    """Return whether the zip at `path` is already as `write_stored` writes it. Raises OSError."""
    if stored_size(path) != path.stat().st_size:
        return False
    with path.open("rb") as content:
        return read_zip(content, _is_all_as_written)


def stored_size(path: Path) -> int | None:
    """Return the bytes of the zip at `path` once rewritten, or None if it stays unchanged. Raises OSError."""
    if not is_plain(path):
        return None
    try:
        with path.open("rb") as content:
            return read_zip(content, lambda archive: _size_as_written(archive.infolist()))
    except UNREADABLE:
        return None


def _size_as_written(entries: Sequence[zipfile.ZipInfo]) -> int | None:
    if not all(map(_is_sure, entries)) or len({entry.filename for entry in entries}) != len(entries):
        return None
    names = sum(len(entry.filename.encode()) for entry in entries)
    contents = sum(entry.file_size for entry in entries)
    size = contents + 2 * names + len(entries) * (_LOCAL + _CENTRAL) + _END.size
    return size if size <= MAX_BYTES["zip"] else None


def write_stored(path: Path, out: Writable, tree: Path | None = None) -> None:
    """Write the zip at `path` to `out`, rewritten; `out` is another file. Raises UnreadableZip, OSError.

    `tree` is where Go may have unpacked it. Reading a file there takes a quarter of the time of inflating it.
    """
    try:
        with path.open("rb") as content:
            read_zip(content, lambda archive: _rewrite(archive, out, tree))
    except (zipfile.LargeZipFile, *UNREADABLE) as error:
        raise UnreadableZip(f"{path.name} cannot be read ({error})") from None


def _rewrite(archive: zipfile.ZipFile, out: Writable, tree: Path | None) -> None:
    entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    directory, at, pieces = [], 0, _Pieces(out)
    with _Tree(tree) as unpacked:
        for entry in entries:
            name, flags = entry.filename.encode(), 0 if entry.filename.isascii() else _UTF8
            common = _COMMON.pack(
                zipfile.DEFAULT_VERSION, flags, zipfile.ZIP_STORED, 0, _DOS_DATE,
                entry.CRC, entry.file_size, entry.file_size, len(name), 0,
            )  # fmt: skip
            directory += [_CENTRAL_MARK, common, _MORE.pack(0, 0, 0, _MODE, at), name]
            pieces.write(b"".join((_LOCAL_MARK, common, name)))
            for piece in unpacked.content(entry) or _inflated(archive, entry):
                pieces.write(piece)
            at += _LOCAL + len(name) + entry.file_size
    listed, count = b"".join(directory), len(entries)
    pieces.write(listed)
    pieces.write(_END.pack(_END_MARK, 0, 0, count, count, len(listed), at, 0))
    pieces.flush()


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of a file of the zip. Raises one of UNREADABLE unless it is what the directory says."""
    left = entry.file_size
    with archive.open(entry) as content:
        while piece := content.read(_PIECE):
            left -= len(piece)
            yield piece
    if left:
        raise zipfile.BadZipFile(f"{entry.filename} has another size")


class _Pieces:
    """Joins small pieces before they are written. Module zips have many small files."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _PIECE:
            self.flush()

    def flush(self) -> None:
        self._out.write(b"".join(self._pieces))
        self._pieces, self._size = [], 0


class _Tree:
    """The unpacked files of a zip, as far as there are any. A context manager.

    The zip decides: what has not the size and the CRC-32 of its directory is not used.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._folder: nofollow.Folder | None = None  # of the last file: the next one is mostly in there too
        self._parts: list[str] = []
        self._closing = ExitStack()

    def __enter__(self) -> _Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def content(self, entry: zipfile.ZipInfo) -> tuple[bytes] | None:
        """Return the content of a file of the zip, or None."""
        below = entry.filename.partition("@")[2].partition("/")[2]  # names in a zip begin with `path@version/`
        if self._root is None or not below or entry.file_size > _MOST_AT_ONCE:
            return None
        *parts, name = below.split("/")
        try:
            if self._folder is None or parts != self._parts:
                self._closing.close()
                self._folder = None
                self._folder = self._closing.enter_context(nofollow.opened(self._root, parts))
                self._parts = parts
            data = self._folder.read(name, entry.file_size + 1)
        except OSError:
            return None
        return (data,) if len(data) == entry.file_size and zlib.crc32(data) == entry.CRC else None


def _is_sure(entry: zipfile.ZipInfo) -> bool:
    """Return whether zipfile and Go read the same name and content from this entry."""
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return False
    name = entry.orig_filename
    if name != entry.filename or not (name.isascii() or entry.flag_bits & _UTF8):
        return False
    return "\0" not in name and "\\" not in name


def _is_all_as_written(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    return names == sorted(names) and all(map(_is_as_written, archive.infolist()))


def _is_as_written(entry: zipfile.ZipInfo) -> bool:
    kept = (entry.compress_type, entry.date_time, entry.create_system, entry.external_attr, entry.create_version)
    return kept == (zipfile.ZIP_STORED, _DATE, _UNIX, _MODE, zipfile.DEFAULT_VERSION) and not entry.extra
