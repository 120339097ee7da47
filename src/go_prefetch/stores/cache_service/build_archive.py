"""Entries of build results: which files go into one and how, and how they get from one into GOCACHE.

    actions   the contents of all its actions, one after the other
    outputs   under their paths in GOCACHE, the largest first

Actions come first: they say how many bytes each output has. An output that an entry below has is not there again.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.trees import free_bytes
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.build_cache import (
    ACTION_BYTES,
    MOST_OUTPUT_BYTES,
    Action,
    Contents,
    OutputName,
    parse_actions,
    parse_output_name,
)
from go_prefetch.modfiles.zip_repack import Writable
from go_prefetch.stores.cache_service.archive import Outgoing, copy_file, write_members
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.manifest import Manifest

ACTIONS = "actions"
_MOST_ACTIONS = 200_000
_MOST_FILES = 400_000  # of all entries of a chain: each takes about a kilobyte of memory
_ROOM_LEFT = 256 << 20  # bytes of the disk that stay free


def write_build_archive(out: Writable, gocache: Path, contents: Contents, encoding: Encoding) -> None:
    """Write the actions and outputs of `contents` to `out`.

    Raises ArchiveError for an output that is no longer what it was, OSError, what `out` raises.
    """
    if len(contents.actions) > _MOST_ACTIONS:
        raise ArchiveError(f"{len(contents.actions)} actions are more than an entry may have")
    lines = b"".join(action.line for action in contents.actions.values())
    outputs = sorted(contents.outputs.values(), key=lambda one: (-one.bytes, one.name))
    outgoing = [
        Outgoing(ACTIONS, len(lines), lambda stream: stream.write(lines)),
        *(Outgoing(one.name.path, one.bytes, partial(copy_file, gocache / one.name.path)) for one in outputs),
    ]
    write_members(out, outgoing, encoding)


def most_bytes(name: str) -> int:
    """Return the maximum bytes of a file in an entry. Raises ValueError for a name that is not of Go's."""
    if name == ACTIONS:
        return _MOST_ACTIONS * ACTION_BYTES
    if parse_output_name(name) is None:
        raise ValueError(name)
    return MOST_OUTPUT_BYTES


class BuildEntryIntake:
    """Takes the files of one entry for GOCACHE. It keeps what the entry holds, also what was there before."""

    def __init__(self, gocache: Path, intake: BuildIntake) -> None:
        self.actions: tuple[Action, ...] | None = None  # None: they have not come, or are damaged
        self.outputs: dict[str, int] = {}  # bytes, by id
        self._gocache = gocache
        self._intake = intake
        self._named: dict[str, int] = {}  # the bytes that the actions say
        self._refused = 0
        self._taken: list[str] = []  # outputs

    @property
    def needs_all(self) -> bool:
        """Return whether outputs came: nothing else than the checksum of the entry finds damage in them."""
        return bool(self._taken)

    def withdraw(self) -> None:
        """Remove the actions that name the outputs of this entry, because it is damaged."""
        self._intake.withdraw(self._taken)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Return a notice if outputs were not what their actions say."""
        return (notice("store-damaged", "outputs", count=self._refused),) if self._refused else ()

    def choose(self, manifest: Manifest) -> frozenset[str]:
        """Return the actions, and the outputs that GOCACHE lacks. Raises ArchiveError, StoreError (`store-no-room`)."""
        if not manifest.members or manifest.members[0].name != ACTIONS:
            raise ArchiveError("its actions are missing")
        outputs = {member.name: (_output(member.name), member.bytes) for member in manifest.members[1:]}
        self.outputs = {name.id: size for name, size in outputs.values()}
        if len(self.outputs) != len(outputs):
            raise ArchiveError("it has an output twice")
        wanted = {path: size for path, (name, size) in outputs.items() if self._intake.lacks(name.id, size)}
        self._check_room(manifest.members[0].bytes // ACTION_BYTES, wanted.values())
        return frozenset((ACTIONS, *wanted))

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        """Take a file. An output is read and dropped if its size is not that of its action, or GOCACHE has it right."""
        if name == ACTIONS:
            self._take_actions(copy)
            return
        output = _output(name)
        size = self.outputs[output.id]
        if self._named.get(output.id) == size and self._intake.accepts(output, size):
            self._intake.take_output(output, size, copy)
            self._taken.append(output.id)
        else:
            self._refused += 1
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - not a path
                copy(nowhere)

    def _take_actions(self, copy: Callable[[BinaryIO], None]) -> None:
        lines = io.BytesIO()
        copy(lines)
        actions = parse_actions(lines.getvalue())
        if actions is None:
            raise ArchiveError("its actions are not those of Go")
        self.actions = actions
        for action in actions:
            if self._named.setdefault(action.output, action.size) != action.size:
                raise ArchiveError("two actions give one output two sizes")
        for action in actions:
            self._intake.take_action(action)

    def _check_room(self, actions: int, sizes: Collection[int]) -> None:
        needed = self._intake.expect(actions, sizes) + _ROOM_LEFT
        if self._intake.expected_files > _MOST_FILES:
            raise ArchiveError("it and the entries below it have too many files")
        free = free_bytes(self._gocache)
        if free < needed:
            raise StoreError("store-no-room", "entry", needed=needed, free=free, folder=self._gocache)


def _output(path: str) -> OutputName:
    name = parse_output_name(path)
    if name is None:
        raise ArchiveError(f"{path!r:.200} is no file of Go's build cache")
    return name
