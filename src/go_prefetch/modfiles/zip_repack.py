"""Rewrite module zips without compression, to the same bytes whichever program packed them.

go.sum's hash of a zip covers the names and contents of its files, so Go accepts the rewritten zip. A zip is rewritten
only if Go certainly sees the same names and contents. A mistake shows in Go's hash.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from go_prefetch.golang.modcache import MAX_BYTES
from go_prefetch.modfiles.zip_inspect import UNREADABLE, is_plain, read_zip

_LOCAL, _CENTRAL, _END = 30, 46, 22  # bytes of the fixed parts, without twice the name and the content
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_UNIX = 3
_ENCRYPTED, _UTF8 = 0x1, 0x800
_PIECE = 1 << 20


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
    size = contents + 2 * names + len(entries) * (_LOCAL + _CENTRAL) + _END
    return size if size <= MAX_BYTES["zip"] else None


def write_stored(path: Path, out: BinaryIO) -> None:
    """Write the zip at `path` to `out`, rewritten; `out` is another file. Raises UnreadableZip, OSError."""
    try:
        with path.open("rb") as content:
            read_zip(content, lambda archive: _rewrite(archive, out))
    except (zipfile.LargeZipFile, *UNREADABLE) as error:
        raise UnreadableZip(f"{path.name} cannot be read ({error})") from None


def _rewrite(archive: zipfile.ZipFile, out: BinaryIO) -> None:
    with zipfile.ZipFile(out, "w") as rewritten:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
            plain = zipfile.ZipInfo(entry.filename, _DATE)
            plain.create_system = _UNIX  # on Windows too
            plain.external_attr = _MODE
            plain.file_size = entry.file_size
            with archive.open(entry) as content, rewritten.open(plain, "w") as copy:
                shutil.copyfileobj(content, copy, _PIECE)


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
