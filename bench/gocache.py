"""What is in a GOCACHE, what a job has used of it, and how to make a larger one of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

Files = Mapping[str, tuple[int, int]]  # by path below GOCACHE: bytes, mtime in ns


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the actions and outputs in a GOCACHE: the files in its folders of two hexadecimal digits."""
    found = {}
    for below in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        for where, _, names in os.walk(below):
            for name in names:
                file = Path(where, name)
                status = file.stat()
                found[str(file.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found


def size_of(files: Files) -> int:
    """Return the bytes of all these files together."""
    return sum(size for size, _ in files.values())


def used_bytes(folder: Path, restored: Files) -> int:
    """Return the bytes that a job has used: the actions touched or made since `restored`, and the outputs they name."""
    now = files_of(folder)
    actions = [name for name, status in now.items() if name.endswith("-a") and restored.get(name) != status]
    outputs = {output_of(folder / name) for name in actions}
    of_outputs = sum(size for name, (size, _) in now.items() if _output_id(name) in outputs)
    return sum(now[name][0] for name in actions) + of_outputs


def output_of(action: Path) -> str:
    """Return the id of the output that an action's file names: `v1 ACTION OUTPUT SIZE TIME`."""
    return action.read_text(encoding="ascii").split()[2]


def add_copies(folder: Path, more: int) -> int:
    """Copy actions and their outputs to other ids until about that many bytes are added; return how many are.

    A copy's bytes are exchanged one for one. So a copy is as hard to compress as its source, and no repetition of it.
    """
    added = 0
    for action in _endless(sorted(folder.glob("??/*-a"))):
        if added >= more:
            break
        added += _copied(folder, *action)
    return added


def _endless(actions: list[Path]) -> Iterator[tuple[Path, int]]:
    number = 0
    while True:
        yield actions[number % len(actions)], number // len(actions)
        number += 1


def _copied(folder: Path, action: Path, round_: int) -> int:
    """Copy one action and its output, unless an earlier one has brought it; return the bytes."""
    _, own, output, *rest = action.read_text(encoding="ascii").split(" ")
    source = _file(folder, output, "d")
    if not source.is_file():  # a folder with an executable
        return 0
    own, output = (sha256(f"{round_} {one}".encode()).hexdigest() for one in (own, output))
    copy, added = _file(folder, output, "d"), 0
    if not copy.exists():
        copy.write_bytes(source.read_bytes().translate(bytes(byte ^ round_ + 1 for byte in range(256))))
        added = copy.stat().st_size
    target = _file(folder, own, "a")
    target.write_text(" ".join(["v1", own, output, *rest]), encoding="ascii")
    return added + target.stat().st_size


def _file(folder: Path, name: str, kind: str) -> Path:
    (folder / name[:2]).mkdir(exist_ok=True)
    return folder / name[:2] / f"{name}-{kind}"


def _output_id(name: str) -> str:
    """Return the id of the output to which a file belongs, or nothing."""
    own = name.split("/")[1]
    return own.removesuffix("-d") if own.endswith("-d") else ""
