"""What GOCACHE holds, and what a job has used of it.

Go sets the time of a file that it uses, unless that is younger than an hour. So a file is used if its time is later
than an hour before the job began. This counts files of earlier jobs of that hour too. An action leads to its output,
whose own time says less: Go sets it only if it opens the output.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.golang.build_cache import (
    ACTION_BYTES,
    ACTION_SUFFIX,
    FOLDERS,
    OUTPUT_SUFFIX,
    USE_IS_NOTED_AFTER,
    Action,
    Contents,
    Output,
    OutputName,
    id_of,
    is_package_index,
    parse_action,
    parse_output_name,
)

_HEAD = 64  # bytes of an output that tell its kind


@dataclass(frozen=True)
class Listing:
    """The names in GOCACHE: the time of each action, and each output."""

    times: Mapping[str, float]  # of actions, in Unix seconds
    outputs: Mapping[str, Output]

    def used_since(self, moment: float) -> frozenset[str]:
        """Return the actions that Go has used since then, in Unix seconds."""
        return frozenset(one for one, time in self.times.items() if time > moment - USE_IS_NOTED_AFTER)


def listing(gocache: Path) -> Listing:
    """Return what is in GOCACHE; nothing of a folder that cannot be read. No link is followed in it."""
    times: dict[str, float] = {}
    outputs: dict[str, Output] = {}
    for folder in FOLDERS:
        with suppress(OSError), os.scandir(gocache / folder) as entries:
            for entry in entries:
                _note(entry, folder, times, outputs)
    return Listing(times, outputs)


def _note(entry: os.DirEntry[str], folder: str, times: dict[str, float], outputs: dict[str, Output]) -> None:
    with suppress(OSError):
        if action := id_of(entry.name, ACTION_SUFFIX):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_size == ACTION_BYTES:
                times[action] = found.st_mtime
        elif output := id_of(entry.name, OUTPUT_SUFFIX):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                outputs[output] = Output(OutputName(output, ""), found.st_size)
            elif stat.S_ISDIR(found.st_mode) and (executable := _executable(entry, folder)):
                outputs[output] = executable


def _executable(entry: os.DirEntry[str], folder: str) -> Output | None:
    """Return the one file in an output that is a folder; None if Go would not accept it."""
    with os.scandir(entry.path) as inside:
        files = list(itertools.islice(inside, 2))
    name = parse_output_name(f"{folder}/{entry.name}/{files[0].name}") if len(files) == 1 else None
    if name is None or not files[0].is_file(follow_symlinks=False):
        return None
    return Output(name, files[0].stat(follow_symlinks=False).st_size)


def contents(gocache: Path, found: Listing, actions: Iterable[str]) -> Contents:
    """Return these actions as far as they are right, and the outputs that they name."""
    read = (_read(gocache, action) for action in actions if action in found.times)
    right = {action.id: action for action in read if action and _has_output(found, action)}
    return Contents(right, {action.output: found.outputs[action.output] for action in right.values()})


def _read(gocache: Path, action: str) -> Action | None:
    with suppress(OSError):
        descriptor = os.open(
            gocache / action[:2] / f"{action}{ACTION_SUFFIX}", os.O_RDONLY | getattr(os, "O_BINARY", 0)
        )
        try:
            parsed = parse_action(os.read(descriptor, ACTION_BYTES + 1))
        finally:
            os.close(descriptor)
        return parsed if parsed and parsed.id == action else None
    return None


def _has_output(found: Listing, action: Action) -> bool:
    output = found.outputs.get(action.output)
    return output is not None and output.bytes == action.size


def has_compiled(gocache: Path, outputs: Iterable[Output]) -> bool:
    """Return whether any of these outputs is more than a list of a package's files."""
    return any(not is_package_index(head) for head in _heads(gocache, outputs))


def _heads(gocache: Path, outputs: Iterable[Output]) -> Iterator[bytes]:
    for output in outputs:
        with suppress(OSError), (gocache / output.name.path).open("rb") as file:
            yield file.read(_HEAD)
