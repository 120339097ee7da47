"""How build results are packed into an entry, whose form is in build_archive.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from go_prefetch.golang.build_cache import Contents
from go_prefetch.modfiles.zip_repack import Writable
from go_prefetch.stores.cache_service.archive import Outgoing, copy_file, write_members
from go_prefetch.stores.cache_service.build_archive import ACTIONS, IDS, MOST_ACTIONS, PATCH, REPLACED
from go_prefetch.stores.cache_service.build_patches import Patch, write_patch
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding


@dataclass(frozen=True)
class Packing:
    """What goes into an entry. A full one has neither patches nor replaced outputs."""

    contents: Contents  # of `patches` too
    patches: tuple[Patch, ...] = ()
    replaced: frozenset[str] = frozenset()  # ids of outputs

    @property
    def plain(self) -> Contents:
        """Return the contents without outputs that are in patches."""
        return self.contents.without_outputs(frozenset(one.name.id for patch in self.patches for one in patch.new))


def write_build_archive(out: Writable, gocache: Path, packing: Packing, encoding: Encoding, folder: Path) -> None:
    """Write an entry to `out`. `folder` is an empty folder for patches.

    Raises ArchiveError for an output that is no longer what it was, OSError, what `out` raises.
    """
    if len(packing.contents.actions) > MOST_ACTIONS:
        raise ArchiveError(f"{len(packing.contents.actions)} actions are more than an entry may have")
    written = _written(packing.patches, gocache, encoding, folder)
    plain = replace(packing, patches=tuple(written)).plain.outputs.values()
    outgoing = [
        _text(ACTIONS, b"".join(action.line for action in packing.contents.actions.values())),
        *([_lines(REPLACED, sorted(packing.replaced))] if packing.replaced else []),
        *(part for patch, path in written.items() for part in _patch_files(patch, path)),
        *(
            Outgoing(one.name.path, one.bytes, partial(copy_file, gocache / one.name.path))
            for one in sorted(plain, key=lambda one: (-one.bytes, one.name))
        ),
    ]
    write_members(out, outgoing, encoding)


def _written(patches: Iterable[Patch], gocache: Path, encoding: Encoding, folder: Path) -> Mapping[Patch, Path]:
    """Write patches, and return where they are. What cannot be written is left out, as by an old zstd program."""
    written = {}
    for number, patch in enumerate(patches):
        path = folder / f"patch-{number}"
        with suppress(OSError, ArchiveError):
            write_patch(path, gocache, patch, encoding)
            written[patch] = path
    return written


def _patch_files(patch: Patch, path: Path) -> tuple[Outgoing, Outgoing]:
    ids = _lines(f"{path.name}{IDS}", (f"{new} {old}" for new, old in patch.ids))
    return ids, Outgoing(f"{path.name}{PATCH}", path.stat().st_size, partial(copy_file, path))


def _lines(name: str, lines: Iterable[str]) -> Outgoing:
    return _text(name, "".join(f"{line}\n" for line in lines).encode())


def _text(name: str, data: bytes) -> Outgoing:
    return Outgoing(name, len(data), lambda stream: stream.write(data))
