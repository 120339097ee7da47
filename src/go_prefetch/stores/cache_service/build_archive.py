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
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.build_cache import (
    ACTION_BYTES,
    MOST_OUTPUT_BYTES,
    Action,
    OutputName,
    is_id,
    parse_actions,
    parse_output_name,
)
from go_prefetch.stores.cache_service.archive import read_members
from go_prefetch.stores.cache_service.build_patches import joined, prefixed
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.manifest import Manifest

ACTIONS = "actions"
REPLACED = "replaced"
IDS, PATCH = ".ids", ".zst"
MOST_ACTIONS = 200_000
_OF_PATCH = re.compile(rf"(patch-[0-9]{{1,5}})({IDS}|{PATCH})", re.ASCII)
_MOST_FILES = 400_000  # of all entries of a chain: each takes about a kilobyte of memory
_MOST_LINES = _MOST_FILES * 130  # bytes
_ROOM_LEFT = 256 << 20  # bytes of the disk that stay free


def most_bytes(name: str) -> int:
    """Return the maximum bytes of a file in an entry. Raises ValueError for a name that may not be there."""
    if name == ACTIONS:
        return MOST_ACTIONS * ACTION_BYTES
    if name == REPLACED or (_OF_PATCH.fullmatch(name) and name.endswith(IDS)):
        return _MOST_LINES
    return MOST_OUTPUT_BYTES if _OF_PATCH.fullmatch(name) else most_output_bytes(name)


def most_output_bytes(name: str) -> int:
    """Return the maximum bytes of a file in a patch. Raises ValueError for a name that is not of Go's."""
    if parse_output_name(name) is None:
        raise ValueError(name)
    return MOST_OUTPUT_BYTES


class Replaced:
    """The outputs that are not restored any more: the newest entry tells, and those below it wait for that."""

    def __init__(self) -> None:
        self._ids: Future[frozenset[str]] = Future()

    def tell(self, ids: Iterable[str]) -> None:
        """Tell them, unless that was done before."""
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
        self.lacks_outputs = False  # outputs of patches
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
        return bool(self._taken or self.patches)

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
        notes = [member.name for member in manifest.members[1:] if _is_note(member.name)]
        if self._is_newest and REPLACED not in notes:
            self._told.tell(())
        outputs = {member.name: member.bytes for member in manifest.members[1:] if not _is_note(member.name)}
        self.plain = {_output(path).id: size for path, size in outputs.items()}
        if len(self.plain) != len(outputs):
            raise ArchiveError("it has an output twice")
        if not self._is_newest:
            self._dropped = self._told.ids()
        wanted = {path: size for path, size in outputs.items() if self._intake.lacks(_output(path).id, size)}
        self._check_room(manifest.members[0].bytes // ACTION_BYTES, wanted.values())
        return frozenset((ACTIONS, *notes, *wanted))

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        """Take a file. An output is read and dropped if its size is not that of its action, or GOCACHE has it right."""
        patch = _OF_PATCH.fullmatch(name)
        if name == ACTIONS:
            self._take_actions(copy)
        elif name == REPLACED:
            self.replaced = frozenset(_words(copy, 1))
            if self._is_newest:
                self._told.tell(self.replaced)
        elif patch and patch[2] == IDS:
            ids = _words(copy, 2)
            self.patches[patch[1]] = dict(zip(ids[::2], ids[1::2], strict=True))
        elif patch:
            self._folder.mkdir(exist_ok=True)
            with (self._folder / patch[1]).open("xb") as file:
                copy(file)
                self.patch_bytes += file.tell()
        else:
            self._take_output(_output(name), copy)

    def take_patch(self, patch: str, encoding: Encoding, deadline: Deadline) -> None:
        """Make the outputs of a patch that GOCACHE lacks, once all entries have come. Raises ArchiveError, OSError.

        Raises StoreError (`store-no-room`, `store-slow`).
        """
        pairs = self.patches[patch]
        lacking = {one: size for one in pairs if (size := self._named.get(one)) and self._is_wanted(one, size)}
        if not lacking:
            return
        file = self._folder / patch
        old = [path for one in pairs.values() if (path := self._intake.path_of(one))]
        with suppress(FileNotFoundError):  # Go or another job may remove old outputs
            if len(old) == len(pairs):
                self._check_room(0, lacking.values())
                prefix = joined(file, old)
                with file.open("rb") as source:
                    taker = _PatchIntake(self, lacking)
                    read_members(source, prefixed(encoding, prefix), taker, deadline, most_output_bytes)
                prefix.unlink()
        self.lacks_outputs |= any(self._is_wanted(one, size) for one, size in lacking.items())

    def _is_wanted(self, output: str, size: int) -> bool:
        return output not in self._dropped and self._intake.lacks(output, size)

    def _take_output(self, output: OutputName, copy: Callable[[BinaryIO], None]) -> None:
        size = self._named.get(output.id, -1)
        is_right = size >= 0 and self.plain.get(output.id, size) == size
        if is_right and output.id in self._dropped:
            self._intake.take_replaced(output, copy)
        elif is_right and self._intake.accepts(output, size):
            self._intake.take_output(output, size, copy)
        else:
            self._refused += 1
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - not a path
                copy(nowhere)
            return
        self._taken.append(output.id)

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


class _PatchIntake:
    """Takes these outputs of a patch for its entry."""

    needs_all = True

    def __init__(self, entry: BuildEntryIntake, lacking: Mapping[str, int]) -> None:
        self._entry = entry
        self._lacking = lacking

    def choose(self, manifest: Manifest) -> frozenset[str]:
        """See Intake."""
        return frozenset(one.name for one in manifest.members if self._lacking.get(_output(one.name).id) == one.bytes)

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        """See Intake."""
        self._entry.take(name, copy)


def _output(path: str) -> OutputName:
    name = parse_output_name(path)
    if name is None:
        raise ArchiveError(f"{path!r:.200} is no file of Go's build cache")
    return name


def _is_note(name: str) -> bool:
    return name == REPLACED or _OF_PATCH.fullmatch(name) is not None


def _words(copy: Callable[[BinaryIO], None], each: int) -> tuple[str, ...]:
    """Return the ids of a list, `each` in a line. Raises ArchiveError."""
    text = io.BytesIO()
    copy(text)
    lines = [line.split(" ") for line in text.getvalue().decode("ascii", "replace").splitlines()]
    if not all(len(line) == each and all(map(is_id, line)) for line in lines):
        raise ArchiveError("a list of its outputs is not one")
    return tuple(one for line in lines for one in line)
