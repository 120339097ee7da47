"""Inspect a zip within memory limits, and find out whether it is plain: every reader reads a plain zip alike.

https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

# Exceptions of zipfile for bytes that are not a zip that it can read.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OverflowError, NotImplementedError,
)  # fmt: skip

# Bytes of a zip's directory, which needs many times as much memory. A directory of 100,000 files has about 16 MB.
_MOST_DIRECTORY = 16 << 20
_LARGE_DIRECTORY = 1 << 20
# In one thread, because freed memory is kept for the thread that freed it (malloc(3), arenas).
_large_directories = ThreadPoolExecutor(1, "zip directory")

T = TypeVar("T")

_END = struct.Struct("<4s4H2LH")
_ENTRY_BYTES = 46


def read_zip(content: BinaryIO, read: Callable[[zipfile.ZipFile], T]) -> T:
    """Return the result of `read` for the zip in the open file `content`. Large directories are read one at a time.

    Raises one of UNREADABLE for bytes that are not a zip or have too large a directory, OSError as `content` does, and
    what `read` raises.
    """
    try:
        return _read(content, read, _LARGE_DIRECTORY)
    except _LargeDirectoryError:
        return _large_directories.submit(_read, content, read, _MOST_DIRECTORY).result()


def _read(content: BinaryIO, read: Callable[[zipfile.ZipFile], T], most: int) -> T:
    with zipfile.ZipFile(_BoundedReads(content, most)) as archive:
        return read(archive)


class _LargeDirectoryError(Exception):
    """A directory that is too large to be read here."""


class _BoundedReads:
    """A file that returns at most `most` bytes per read: zipfile reads a directory in one piece."""

    def __init__(self, content: BinaryIO, most: int) -> None:
        self._content = content
        self._most = most
        self.seek, self.tell, self.seekable = content.seek, content.tell, content.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _MOST_DIRECTORY:
            raise zipfile.BadZipFile(f"its directory has {size} bytes")
        if size > self._most:
            raise _LargeDirectoryError
        return self._content.read(size)


@dataclass(frozen=True)
class Space:
    """Disk space of files and folders: bytes of whole blocks, and inodes."""

    bytes: int
    files: int

    def __add__(self, other: Space) -> Space:
        """Return both together."""
        return Space(self.bytes + other.bytes, self.files + other.files)

    def fits(self, room: Space) -> bool:
        """Return whether `room` has as much."""
        return self.bytes <= room.bytes and self.files <= room.files


def is_plain(path: Path) -> bool:
    """Return whether the zip at `path` is plain. Raises OSError if unreadable."""
    return plain_space(path, 1) is not None


def plain_space(path: Path, block: int) -> Space | None:
    """Return the space of the unpacked zip at `path` on a disk with this block size, or None if it is not plain.

    Plain: no zip64, no comment, no gap at its end, and no entry for a folder.

    Go's hash of a zip covers folder entries, and its hash of a tree cannot. The zip of a good tree could therefore
    differ from go.sum's. Raises OSError if unreadable.
    """
    with path.open("rb") as archive:
        size = archive.seek(0, os.SEEK_END)
        archive.seek(max(0, size - _END.size))
        end = archive.read(_END.size)
        if len(end) != _END.size:
            return None
        mark, _, _, _, count, length, offset, comment = _END.unpack(end)
        if mark != b"PK\5\6" or comment or offset + length + len(end) != size or 0xFFFF in (count, length):
            return None
        if length > _MOST_DIRECTORY:
            return None
        archive.seek(offset)
        return _space_of_files(archive.read(length), count, block)


def _space_of_files(directory: bytes, count: int, block: int) -> Space | None:
    """Return the space of all files and their folders, or None unless there are exactly `count` entries, all files.

    The smallest file takes a block, and so does each folder.
    """
    at = blocks = 0
    folders: set[bytes] = set()
    for _ in range(count):
        header = directory[at : at + _ENTRY_BYTES]
        if len(header) != _ENTRY_BYTES or not header.startswith(b"PK\1\2"):
            return None
        blocks += max(1, -(-int.from_bytes(header[24:28], "little") // block))
        name, extra, comment = struct.unpack_from("<3H", header, 28)
        at += _ENTRY_BYTES + name
        if directory[at - 1 : at] == b"/":
            return None
        folders.add(directory[at - name : at].rpartition(b"/")[0])
        at += extra + comment
    if at != len(directory):
        return None
    inodes = _with_those_above(folders)
    return Space((blocks + inodes) * block, count + inodes)


def _with_those_above(folders: Iterable[bytes]) -> int:
    """Return the number of these folders, together with their parents.

    They are sorted so that each follows one with the longest common beginning. Nothing else is kept, because a hostile
    directory may have names of ten thousand nested folders.
    """
    count, before = 0, [b""]
    for folder in sorted(folder.replace(b"/", b"\0") for folder in folders):
        names = folder.split(b"\0")
        pairs = enumerate(zip(names, before, strict=False))
        count += len(names) - next((at for at, (one, other) in pairs if one != other), min(len(names), len(before)))
        before = names
    return count
