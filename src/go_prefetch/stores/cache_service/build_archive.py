"""Entries of build results: what is in one, and how it gets into GOCACHE.

    actions          the contents of all its actions, one after the other
    replaced         in a delta: ids of outputs below it that are not restored any more, one a line
    patch-<n>.ids    of a patch: the id of each new output and that of its old one
    patch-<n>.zst    the patch: see build_patches.py
    outputs          under their paths in GOCACHE, the largest first

Actions come first: they say how many bytes each output has. An output that an entry below has is not there again. What
the newest entry says of replaced outputs is about all entries below it.
"""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
from go_prefetch.buildcache.intake import ROOM_LEFT, BuildIntake
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.build_cache import (
    ACTION_BYTES,
    Action,
    OutputName,
    is_id,
    parse_actions,
)
from go_prefetch.stores.cache_service.build_patches import (
    MOST_PATCH_BYTES,
    PatchIntake,
    most_output_bytes,
    output_of,
    read_patch,
)
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.manifest import Manifest

ACTIONS = "actions"
REPLACED = "replaced"
IDS, PATCH = ".ids", ".zst"
MOST_ACTIONS = 200_000
_OF_PATCH = re.compile(rf"(patch-[0-9]{{1,5}})({IDS}|{PATCH})", re.ASCII)
_MOST_FILES = 400_000  # of all entries of a chain: each takes about a kilobyte of memory
_MOST_LINES = 100_000  # of one list
_ID_BYTES = 65  # with what follows an id: a space, or the end of a line
_IDS_IN_LINE = {REPLACED: 1, IDS: 2}


def most_bytes(name: str) -> int:
    """Return the maximum bytes of a file in an entry. Raises ValueError for a name that may not be there."""
    if name == ACTIONS:
        return MOST_ACTIONS * ACTION_BYTES
    patch = _OF_PATCH.fullmatch(name)
    if name == REPLACED or (patch and patch[2] == IDS):
        return _MOST_LINES * _IDS_IN_LINE[patch[2] if patch else name] * _ID_BYTES
    return MOST_PATCH_BYTES if patch else most_output_bytes(name)


class Replaced:
    """The outputs that are not restored any more: the newest entry tells, and those below it wait for that."""

    def __init__(self) -> None:
        self._ids: Future[frozenset[str]] = Future()
        self._lock = threading.Lock()

    def tell(self, ids: Iterable[str]) -> None:
        """Tell them, unless that was done before."""
        with self._lock:
            if not self._ids.done():
                self._ids.set_result(frozenset(ids))

    def ids(self) -> frozenset[str]:
        """Wait for them, and return them."""
        return self._ids.result()


class BuildEntryIntake:
    """Takes the files of one entry for GOCACHE. It keeps what the entry holds, also what was there before.

    `folder` does not exist. It is for files on the way.
    """

    def __init__(
        self, gocache: Path, folder: Path, intake: BuildIntake, replaced: Replaced, *, is_newest: bool
    ) -> None:
        self.actions: tuple[Action, ...] | None = None  # None: they have not come, or are damaged
        self.plain: dict[str, int] = {}  # outputs that are in no patch: bytes, by id
        self.replaced: frozenset[str] = frozenset()
        self.patches: dict[str, dict[str, str]] = {}  # ids of new outputs, to those of old ones
        self.patch_bytes = 0  # compressed
        self.left: set[str] = set()  # patches that were not taken
        self._gocache = gocache
        self._folder = folder
        self._intake = intake
        self._told = replaced
        self._is_newest = is_newest
        self._dropped: frozenset[str] = frozenset()
        self._named: dict[str, int] = {}  # the bytes that the actions say
        self._refused = 0
        self._taken: list[str] = []  # outputs

    @property
    def outputs(self) -> Mapping[str, int]:
        """Return the bytes of all its outputs."""
        patched = [one for pairs in self.patches.values() for one in pairs]
        return {**self.plain, **{one: self._named[one] for one in patched if one in self._named}}

    @property
    def needs_all(self) -> bool:
        """Return whether outputs came: nothing else than the checksum of the entry finds damage in them."""
        return bool(self._taken or self.patches or self.replaced)

    def withdraw(self) -> None:
        """Remove the actions of this entry and those that name its outputs, because it is damaged."""
        self._intake.withdraw(self._taken, self.actions or ())

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Return a notice if outputs were not what their actions say."""
        return (notice("store-damaged", "outputs", count=self._refused),) if self._refused else ()

    def choose(self, manifest: Manifest) -> frozenset[str]:
        """Return the actions, and the outputs that GOCACHE lacks. Raises ArchiveError, StoreError (`store-no-room`)."""
        if not manifest.members or manifest.members[0].name != ACTIONS:
            raise ArchiveError("its actions are missing")
        notes = {member.name: member.bytes for member in manifest.members[1:] if _is_note(member.name)}
        if not self._is_newest:
            notes.pop(REPLACED, None)  # it is shorter than that of the newest
        elif REPLACED not in notes:
            self._told.tell(())
        outputs = {member.name: member.bytes for member in manifest.members[1:] if not _is_note(member.name)}
        self.plain = {output_of(path).id: size for path, size in outputs.items()}
        if len(self.plain) != len(outputs):
            raise ArchiveError("it has an output twice")
        if not self._is_newest:
            self._dropped = self._told.ids()
        wanted = {path: size for path, size in outputs.items() if self._intake.lacks(output_of(path).id, size)}
        self._check_room(manifest.members[0].bytes // ACTION_BYTES, [*wanted.values(), *notes.values()])
        return frozenset((ACTIONS, *notes, *wanted))

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        """Take a file. An output is read and dropped if its size is not that of its action, or GOCACHE has it right."""
        patch = _OF_PATCH.fullmatch(name)
        if name == ACTIONS:
            self._take_actions(copy)
        elif name == REPLACED:
            self.replaced = frozenset(ids[0] for ids in self._lines(copy, _IDS_IN_LINE[REPLACED]))
            self._told.tell(self.replaced)
        elif patch and patch[2] == IDS:
            self.patches[patch[1]] = {ids[0]: ids[1] for ids in self._lines(copy, _IDS_IN_LINE[IDS])}
            self.left.add(patch[1])
        elif patch:
            self._folder.mkdir(exist_ok=True)
            with (self._folder / patch[1]).open("xb") as file:
                copy(file)
                self.patch_bytes += file.tell()
        else:
            self._take_output(output_of(name), copy)

    def take_patch(self, patch: str, encoding: Encoding, deadline: Deadline) -> None:
        """Make the outputs of a patch that GOCACHE lacks, once all entries have come. Raises ArchiveError, OSError.

        Raises StoreError (`store-no-room`, `store-slow`).
        """
        pairs = self.patches[patch]
        lacking = {one: size for one in pairs if (size := self._named.get(one)) and self._is_wanted(one, size)}
        if lacking:
            old = [path for one in pairs.values() if (path := self._intake.path_of(one))]
            if len(old) < len(pairs):
                return
            self._check_room(0, lacking.values())
            taker = PatchIntake(self._intake, self._folder, lacking)
            with suppress(FileNotFoundError):  # Go or another job may have removed old outputs
                read_patch(self._folder / patch, old, taker, encoding, deadline)
        if not any(self._is_wanted(one, size) for one, size in lacking.items()):
            self.left.discard(patch)

    def _is_wanted(self, output: str, size: int) -> bool:
        return output not in self._dropped and self._intake.lacks(output, size)

    def _take_output(self, output: OutputName, copy: Callable[[BinaryIO], None]) -> None:
        size = self.plain[output.id]
        is_right = self._named.get(output.id) == size
        if is_right and output.id in self._dropped:
            self._intake.take_replaced(output, size, copy)
        elif is_right and self._intake.accepts(output, size):
            self._intake.take_output(output, size, copy)
        else:
            self._refused += 1
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - not a path
                copy(nowhere)
            return
        self._taken.append(output.id)

    def _take_actions(self, copy: Callable[[BinaryIO], None]) -> None:
        actions = parse_actions(_bytes_of(copy))
        if actions is None:
            raise ArchiveError("its actions are not those of Go")
        self.actions = actions
        for action in actions:
            if self._named.setdefault(action.output, action.size) != action.size:
                raise ArchiveError("two actions give one output two sizes")
        for action in actions:
            self._intake.take_action(action)

    def _lines(self, copy: Callable[[BinaryIO], None], count: int) -> list[tuple[str, ...]]:
        """Return the `count` ids of each line of a list. Raises ArchiveError."""
        data, width = _bytes_of(copy).decode("ascii", "replace"), count * _ID_BYTES
        lines = [tuple(data[at : at + width].rstrip("\n").split(" ")) for at in range(0, len(data), width)]
        if len(data) % width or not all(len(ids) == count and all(map(is_id, ids)) for ids in lines):
            raise ArchiveError("a list of its outputs is not one")
        self._count(len(lines))
        return lines

    def _check_room(self, actions: int, sizes: Collection[int]) -> None:
        self._count(actions + len(sizes))
        needed = self._intake.expect(actions, sizes) + ROOM_LEFT
        free = free_bytes(self._gocache)
        if free < needed:
            raise StoreError("store-no-room", "entry", needed=needed, free=free, folder=self._gocache)

    def _count(self, names: int) -> None:
        if self._intake.count(names) > _MOST_FILES:
            raise ArchiveError("it and the entries below it have too many files")


def _bytes_of(copy: Callable[[BinaryIO], None]) -> bytes:
    content = io.BytesIO()
    copy(content)
    return content.getvalue()


def _is_note(name: str) -> bool:
    return name == REPLACED or _OF_PATCH.fullmatch(name) is not None
