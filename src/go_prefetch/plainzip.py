"""Whether a zip is of the plain kind that every reader reads alike. Reads the central directory, inflates nothing.

https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

_END = struct.Struct("<4s4H2LH")
_ENTRY_BYTES = 46


def is_plain(path: Path) -> bool:
    """Whether the zip at `path` has no zip64, no comment, no gap at its end, and no entry that stands for a folder.

    Go's hash of a zip covers folder entries and its hash of a tree cannot: the zip kept beside a good tree could be
    another than go.sum's. Raises OSError if unreadable.
    """
    with path.open("rb") as archive:
        size = archive.seek(0, os.SEEK_END)
        archive.seek(max(0, size - _END.size))
        end = archive.read(_END.size)
        if len(end) != _END.size:
            return False
        mark, _, _, _, count, length, offset, comment = _END.unpack(end)
        if mark != b"PK\5\6" or comment or offset + length + len(end) != size or 0xFFFF in (count, length):
            return False
        archive.seek(offset)
        return _names_files_only(archive.read(length), count)


def _names_files_only(directory: bytes, count: int) -> bool:
    """Whether a central directory is exactly `count` entries, none of which stands for a folder."""
    at = 0
    for _ in range(count):
        header = directory[at : at + _ENTRY_BYTES]
        if len(header) != _ENTRY_BYTES or not header.startswith(b"PK\1\2"):
            return False
        name, extra, comment = struct.unpack_from("<3H", header, 28)
        at += _ENTRY_BYTES + name
        if directory[at - 1 : at] == b"/":
            return False
        at += extra + comment
    return at == len(directory)
