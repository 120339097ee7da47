"""The bytes of an entry: a tar with a manifest first, written from a folder of module files, read as a stream.

    manifest.json   see manifest.py
    the files       in the manifest's order: zips first, the largest first, so that unpacking ends with the stream

Entries are untrusted: every header must match the manifest, and only wanted files are taken.
Headers are ustar (POSIX 1003.1), one block of 512 bytes each, without extensions.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.modfiles.damage import damage
from go_prefetch.modfiles.staging import InUseError, StructureError, received
from go_prefetch.modfiles.zip_repack import UnreadableZip, Writable, stored_size, write_stored
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding, Readable
from go_prefetch.stores.cache_service.manifest import NO_NOTES, Manifest, Member, manifest_json, parse_manifest

_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 4 << 20  # of 40,000 files; parsed, it takes up to thirty times as much memory
_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20
_ROOM_LEFT = 64 << 20  # bytes of the disk that stay free


def member_bytes(folder: ModuleFolder, file: ModuleFile, encoding: Encoding) -> int:
    """Return the size of `file` of `folder` in an archive. Raises OSError."""
    path = folder.path_of(file)
    rewritten = stored_size(path) if file.kind == "zip" and encoding.rewrites_zips else None
    return path.stat().st_size if rewritten is None else rewritten


def write_archive(
    out: Writable,
    folder: ModuleFolder,
    files: Iterable[ModuleFile],
    encoding: Encoding,
    notes: Manifest = NO_NOTES,
    packed: Callable[[ModuleFile], None] = lambda _: None,
) -> Manifest:
    """Write `files` of `folder` to `out`, with a manifest of them and the rest of `notes`. Return the manifest.

    `packed` is called with each file. Raises ArchiveError for a zip that is not readable, OSError, what `out` raises.
    """
    sizes = {file: member_bytes(folder, file, encoding) for file in files}
    ordered = sorted(sizes, key=lambda file: (file.kind != "zip", -sizes[file] * (file.kind == "zip"), file.name))
    manifest = replace(notes, members=tuple(Member(file.name, sizes[file]) for file in ordered))
    with encoding.compressing(out) as stream:
        listed = manifest_json(manifest)
        if len(listed) > _MOST_MANIFEST_BYTES:
            raise ArchiveError("there is too much to tell of its files")
        with _member(stream, _MANIFEST, len(listed)) as content:
            content.write(listed)
        for number, file in enumerate(ordered):
            with _member(stream, _member_name(number, file.name), sizes[file]) as content:
                _write_file(content, folder, file, sizes[file])
            packed(file)
        stream.write(bytes(2 * _BLOCK))
    return manifest


def _write_file(out: Writable, folder: ModuleFolder, file: ModuleFile, size: int) -> None:
    """Write the bytes of `file`, or the rewritten zip: if that has another size."""
    path = folder.path_of(file)
    if file.kind == "zip" and path.stat().st_size != size:
        try:
            write_stored(path, out, folder.tree(file.module))
        except UnreadableZip as error:
            raise ArchiveError(str(error)) from None
        return
    with path.open("rb") as content:
        while piece := content.read(_PIECE):
            out.write(piece)


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
    stream.write(bytes(-size % _BLOCK))


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


def read_archive(
    source: Readable,
    encoding: Encoding,
    *,
    folder: ModuleFolder,
    deadline: Deadline,
    arrived: Callable[[ModuleFile], None],
    choose: Callable[[Manifest], Mapping[str, ModuleFile]],
) -> tuple[Notice, ...]:
    """Put files into `folder`. Return a notice for each that cannot be what its name says.

    `choose` is called with the manifest and returns the wanted files, by name. Stops once no other wanted file can
    follow. Raises ArchiveError for a damaged archive, StoreError if there is no space (`store-no-room`) or no time
    (`store-slow`), OSError for `folder`, and what `source` raises. Files that had arrived stay.
    """
    warnings: list[Notice] = []
    damaged: dict[ModuleFile, str] = {}
    with encoding.decompressing(source) as decompressed:
        stream = _Exactly(decompressed, deadline)
        manifest = _read_manifest(stream)
        wanted = choose(manifest)
        coming = {member.name for member in manifest.members if member.name in wanted}
        _check_room(folder, sum(member.bytes for member in manifest.members if member.name in coming))
        for number, member in enumerate(manifest.members):
            if not coming:
                break
            _read_header(stream, _member_name(number, member.name), member.bytes)
            if member.name in coming:
                coming.discard(member.name)
                file = wanted[member.name]
                try:
                    with received(folder, file) as content:
                        stream.copy(member.bytes, content)
                except InUseError as error:
                    warnings.append(notice("store-damaged", "in-use", module_file=file, problem=str(error)))
                except StructureError as error:
                    damaged[file] = str(error)
                else:
                    arrived(file)
            else:
                stream.skip(member.bytes)
            stream.skip(-member.bytes % _BLOCK)
    return (*warnings, *damage("the entry", damaged))


class _Exactly:
    """A stream that must deliver a given number of bytes."""

    def __init__(self, stream: Readable, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def _piece(self, most: int) -> bytes:
        if self._deadline.passed():
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


def _read_manifest(stream: _Exactly) -> Manifest:
    size = _read_header(stream, _MANIFEST, None)
    if not 0 < size <= _MOST_MANIFEST_BYTES:
        raise ArchiveError(f"a manifest of {size} bytes")
    data = stream.take(size)
    stream.skip(-size % _BLOCK)
    return parse_manifest(data)


def _check_room(folder: ModuleFolder, size: int) -> None:
    """Check the space. Stored zips take the space of their contents, and the trees that Go unpacks take it again.

    The limit keeps unverified bad files of an entry from taking the space of good ones.
    """
    free = free_bytes(folder.path)
    needed = 2 * size + _ROOM_LEFT
    if free < needed:
        raise StoreError("store-no-room", "entry", needed=needed, free=free, folder=folder)
