"""The bytes of an entry: a tar with a manifest first, read as a stream. It may carry any kind of file.

    manifest.json   see manifest.py
    the files       in the manifest's order

Entries are untrusted: every header must match the manifest, and only wanted files are taken.
Headers are ustar (POSIX 1003.1), one block of 512 bytes each, without extensions.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.modfiles.zip_repack import Writable
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding, Readable
from go_prefetch.stores.cache_service.manifest import NO_NOTES, Manifest, Member, manifest_json, parse_manifest

_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 8 << 20  # of 80,000 files; parsed, it takes up to thirty times as much memory
_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20


@dataclass(frozen=True)
class Outgoing:
    """A file to write: its name and bytes in the archive, and what writes exactly these bytes."""

    name: str
    bytes: int
    write: Callable[[Writable], object]


class Intake(Protocol):
    """Takes the files of one entry, each completely or not at all."""

    @property
    def needs_all(self) -> bool:
        """Return whether to read the entry to its end, where its encoding may have a checksum of all bytes."""

    def choose(self, manifest: Manifest) -> frozenset[str]:
        """Return the names of wanted files. Raises StoreError if there is no space for them."""

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        """Take the wanted file `name`: `copy` writes all its bytes. Raises OSError, and what `copy` raises."""


def copy_file(path: Path, out: Writable) -> None:
    """Write the bytes of a file to `out`. Raises OSError, and what `out` raises."""
    with path.open("rb") as content:
        while piece := content.read(_PIECE):
            out.write(piece)


def write_members(
    out: Writable,
    files: Sequence[Outgoing],
    encoding: Encoding,
    notes: Manifest = NO_NOTES,
    packed: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """Write `files` to `out`, with a manifest of them and the rest of `notes`. Return the manifest.

    `packed` is called with the place of each file. Raises ArchiveError, OSError, what the files and `out` raise.
    """
    manifest = replace(notes, members=tuple(Member(file.name, file.bytes) for file in files))
    listed = manifest_json(manifest)
    if len(listed) > _MOST_MANIFEST_BYTES:
        raise ArchiveError("there is too much to tell of its files")
    size = sum(_BLOCK + _in_blocks(one) for one in (len(listed), *(file.bytes for file in files))) + 2 * _BLOCK
    with encoding.compressing(out, size) as stream:
        with _member(stream, _MANIFEST, len(listed)) as content:
            content.write(listed)
        for number, file in enumerate(files):
            with _member(stream, _member_name(number, file.name), file.bytes) as content:
                file.write(content)
            packed(number)
        stream.write(bytes(2 * _BLOCK))
    return manifest


@contextmanager
def _member(stream: Writable, name: str, size: int) -> Iterator[Writable]:
    """Write a header, and what the block writes, which must have `size` bytes. Raises ArchiveError."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644
    stream.write(header.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
    content = _Counted(stream, size)
    yield content
    if content.left:
        raise ArchiveError(f"{name} changed while it was read")
    stream.write(bytes(_in_blocks(size) - size))


def _in_blocks(size: int) -> int:
    return size + -size % _BLOCK


class _Counted:
    """The content of a member, which must have a given number of bytes."""

    def __init__(self, stream: Writable, size: int) -> None:
        self._stream = stream
        self.left = size

    def write(self, data: bytes, /) -> None:
        self.left -= len(data)
        if self.left >= 0:  # otherwise it is an error at the end of the member
            self._stream.write(data)


def _member_name(number: int, name: str) -> str:
    """Return the name in a header. If the name is too long for that, return its place in the manifest."""
    try:
        tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except ValueError:
        return f"member-{number}"
    return name


def read_members(
    source: Readable, encoding: Encoding, intake: Intake, deadline: Deadline, most_bytes: Callable[[str], int]
) -> None:
    """Pass the files that `intake` wants to it. Stops once no other wanted file can follow, unless it needs all.

    `most_bytes` returns the maximum size of a file by its name, and raises ValueError for a name that may not be there.

    Raises ArchiveError for a damaged archive, StoreError if there is no time (`store-slow`), and what `source` and
    `intake` raise. Files that had arrived stay.
    """
    with encoding.decompressing(source) as decompressed:
        stream = _Exactly(decompressed, deadline)
        manifest = _read_manifest(stream, most_bytes)
        wanted = set(intake.choose(manifest))
        for number, member in enumerate(manifest.members):
            if not (wanted or intake.needs_all):
                return
            _read_header(stream, _member_name(number, member.name), member.bytes)
            if member.name in wanted:
                wanted.discard(member.name)
                intake.take(member.name, partial(stream.copy, member.bytes))
            else:
                stream.skip(member.bytes)
            stream.skip(-member.bytes % _BLOCK)
        if intake.needs_all:
            stream.end()


class _Exactly:
    """A stream that must deliver a given number of bytes."""

    def __init__(self, stream: Readable, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def _piece(self, most: int) -> bytes:
        if self._deadline.is_over:
            raise StoreError("store-slow", "no-time-to-unpack")
        piece = self._stream.read(min(most, _PIECE))
        if not piece:
            raise ArchiveError("it is cut off")
        return piece

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        data = bytearray()
        while len(data) < count:
            data += self._piece(count - len(data))
        return bytes(data)

    def copy(self, count: int, out: BinaryIO) -> None:
        """Write the next `count` bytes to `out`."""
        while count:
            piece = self._piece(count)
            out.write(piece)
            count -= len(piece)

    def end(self) -> None:
        """Read the end of the tar, and find that nothing follows."""
        if any(self.take(2 * _BLOCK)) or self._stream.read(1):
            raise ArchiveError("it does not end where it should")

    def skip(self, count: int) -> None:
        """Skip the next `count` bytes."""
        while count:
            count -= len(self._piece(count))


def _read_header(stream: _Exactly, name: str, size: int | None) -> int:
    """Read a block that must announce a regular file of this name and size. Return the size."""
    try:
        header = tarfile.TarInfo.frombuf(stream.take(_BLOCK), "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise ArchiveError(f"not a tar header ({error})") from None
    if header.type != tarfile.REGTYPE or header.name != name or (size is not None and header.size != size):
        raise ArchiveError(f"{name!r} was announced, {header.name!r} came")
    return header.size


def _read_manifest(stream: _Exactly, most_bytes: Callable[[str], int]) -> Manifest:
    size = _read_header(stream, _MANIFEST, None)
    if not 0 < size <= _MOST_MANIFEST_BYTES:
        raise ArchiveError(f"a manifest of {size} bytes")
    data = stream.take(size)
    stream.skip(-size % _BLOCK)
    return parse_manifest(data, most_bytes)
