"""Entries of module files: which go into one and how, and how they get from one into a module cache.

Zips come first, the largest first, so that unpacking ends with the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder
from go_prefetch.modfiles.damage import damage
from go_prefetch.modfiles.staging import InUseError, StructureError, received
from go_prefetch.modfiles.zip_repack import UnreadableZip, Writable, stored_size, write_stored
from go_prefetch.stores.cache_service.archive import Outgoing, copy_file, read_members, write_members
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding, Readable
from go_prefetch.stores.cache_service.manifest import NO_NOTES, Manifest

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
    outgoing = [Outgoing(file.name, sizes[file], partial(_write_file, folder, file, sizes[file])) for file in ordered]
    return write_members(out, outgoing, encoding, notes, lambda number: packed(ordered[number]))


def _write_file(folder: ModuleFolder, file: ModuleFile, size: int, out: Writable) -> None:
    """Write the bytes of `file`, or the rewritten zip: if that has another size."""
    path = folder.path_of(file)
    if file.kind == "zip" and path.stat().st_size != size:
        try:
            write_stored(path, out, folder.tree(file.module))
        except UnreadableZip as error:
            raise ArchiveError(str(error)) from None
        return
    copy_file(path, out)


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

    `choose` is called with the manifest and returns the wanted files, by name. Raises ArchiveError for a damaged
    archive, StoreError if there is no space (`store-no-room`) or no time (`store-slow`), OSError for `folder`, and what
    `source` raises. Files that had arrived stay.
    """
    intake = _ModuleIntake(folder, arrived, choose)
    read_members(source, encoding, intake, deadline, most_bytes)
    return intake.notices


def most_bytes(name: str) -> int:
    """Return the maximum bytes of a module file with this name. Raises ValueError for other names."""
    for kind, most in MAX_BYTES.items():
        if name.endswith(f"/@v/{PurePosixPath(name).stem}.{kind}"):
            return most
    raise ValueError(name)


class _ModuleIntake:
    """Puts the wanted files into `folder`."""

    needs_all = False  # Go verifies what comes

    def __init__(
        self,
        folder: ModuleFolder,
        arrived: Callable[[ModuleFile], None],
        choose: Callable[[Manifest], Mapping[str, ModuleFile]],
    ) -> None:
        self._folder = folder
        self._arrived = arrived
        self._choose = choose
        self._wanted: Mapping[str, ModuleFile] = {}
        self._in_use: list[Notice] = []
        self._damaged: dict[ModuleFile, str] = {}

    @property
    def notices(self) -> tuple[Notice, ...]:
        return (*self._in_use, *damage("the entry", self._damaged))

    def choose(self, manifest: Manifest) -> frozenset[str]:
        self._wanted = self._choose(manifest)
        coming = [member for member in manifest.members if member.name in self._wanted]
        _check_room(self._folder, sum(member.bytes for member in coming))
        return frozenset(member.name for member in coming)

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        file = self._wanted[name]
        try:
            with received(self._folder, file) as content:
                copy(content)
        except InUseError as error:
            self._in_use.append(notice("store-damaged", "in-use", module_file=file, problem=str(error)))
        except StructureError as error:
            self._damaged[file] = str(error)
        else:
            self._arrived(file)


def _check_room(folder: ModuleFolder, size: int) -> None:
    """Check the space. Stored zips take the space of their contents, and the trees that Go unpacks take it again.

    The limit keeps unverified bad files of an entry from taking the space of good ones.
    """
    free = free_bytes(folder.path)
    needed = 2 * size + _ROOM_LEFT
    if free < needed:
        raise StoreError("store-no-room", "entry", needed=needed, free=free, folder=folder)
