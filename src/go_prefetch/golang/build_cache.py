"""The files of Go's build cache (GOCACHE), as cmd/go/internal/cache of Go 1.21 to 1.27 writes them.

    xx/<64 hex>-a          an action: the output that it had, and its size; 175 bytes
    xx/<64 hex>-d          an output
    xx/<64 hex>-d/<name>   an output that is an executable (Go 1.24 and later)

`xx` are the first two digits. Ids of outputs are the SHA-256 of their bytes, which Go does not compare again when it
uses them. Everything else in GOCACHE (`fuzz`, `trim.txt`, `testexpire.txt`, `README`) belongs to Go alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

ACTION_BYTES = 175
ACTION_SUFFIX = "-a"
OUTPUT_SUFFIX = "-d"
FOLDERS = tuple(f"{number:02x}" for number in range(256))

# Go sets the time of a file that it uses, unless that is less than this before now (`mtimeInterval`).
USE_IS_NOTED_AFTER = 3600.0  # seconds

MOST_OUTPUT_BYTES = 4 << 30

_HEX = "[0-9a-f]{64}"
_ACTION = re.compile(rf"v1 ({_HEX}) ({_HEX}) ( {{0,19}}[0-9]{{1,20}}) ( {{0,19}}[0-9]{{1,20}})\n".encode())
_ID = re.compile(_HEX)
_OUTPUT_NAME = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})-d(?:/([A-Za-z0-9_][A-Za-z0-9._+@=-]{0,99}))?", re.ASCII)
# Names that Windows gives to devices, with any extension. https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


class Action(NamedTuple):
    """An action: its output, the size of that in bytes, and the content of its file."""

    id: str
    output: str
    size: int
    line: bytes

    @property
    def name(self) -> str:
        """Return its path in GOCACHE."""
        return f"{self.id[:2]}/{self.id}{ACTION_SUFFIX}"


class OutputName(NamedTuple):
    """The parts of an output's path in GOCACHE. `executable` is empty for an output that is a file."""

    id: str
    executable: str

    @property
    def path(self) -> str:
        """Return its path in GOCACHE."""
        return f"{self.id[:2]}/{self.id}{OUTPUT_SUFFIX}" + (f"/{self.executable}" if self.executable else "")


@dataclass(frozen=True)
class Output:
    """An output in GOCACHE."""

    name: OutputName
    bytes: int


@dataclass(frozen=True)
class Contents:
    """Actions, and the outputs that they name. Each action's output is there, with the bytes that the action says."""

    actions: Mapping[str, Action]
    outputs: Mapping[str, Output]

    @property
    def files(self) -> int:
        """Return the number of files."""
        return len(self.actions) + len(self.outputs)

    @property
    def bytes(self) -> int:
        """Return the bytes of all files."""
        return len(self.actions) * ACTION_BYTES + sum(output.bytes for output in self.outputs.values())

    def only(self, actions: Iterable[str]) -> Contents:
        """Return these actions, and the outputs that they name."""
        kept = {one: self.actions[one] for one in actions if one in self.actions}
        outputs = {action.output for action in kept.values()}
        return Contents(kept, {one: output for one, output in self.outputs.items() if one in outputs})

    def without_outputs(self, ids: frozenset[str]) -> Contents:
        """Return the same without these outputs, which an entry has already. Their actions stay."""
        return Contents(self.actions, {one: output for one, output in self.outputs.items() if one not in ids})


def parse_action(data: bytes) -> Action | None:
    """Parse the content of an action's file; return None if Go would not accept it."""
    match = _ACTION.fullmatch(data) if len(data) == ACTION_BYTES else None
    if match is None:
        return None
    size = int(match[3])
    return Action(match[1].decode(), match[2].decode(), size, data) if size <= MOST_OUTPUT_BYTES else None


def parse_actions(data: bytes) -> tuple[Action, ...] | None:
    """Parse the contents of many actions, one after the other; return None unless each is right and has its own id."""
    pieces = [data[at : at + ACTION_BYTES] for at in range(0, len(data), ACTION_BYTES)]
    actions = tuple(filter(None, map(parse_action, pieces)))
    return actions if len(actions) == len(pieces) == len({action.id for action in actions}) else None


def parse_output_name(path: str) -> OutputName | None:
    """Parse the path of an output in GOCACHE, with slashes; return None for every other text."""
    match = _OUTPUT_NAME.fullmatch(path)
    if match is None or (match[3] and (match[3].endswith(".") or _DEVICE.fullmatch(match[3]))):
        return None
    return OutputName(match[2], match[3] or "")


def id_of(name: str, suffix: str) -> str:
    """Return the id in the name of a file of GOCACHE with this suffix; empty for other names."""
    text = name.removesuffix(suffix)
    return text if text != name and is_id(text) else ""


def is_id(text: str) -> bool:
    """Return whether this is the id of an action or output."""
    return _ID.fullmatch(text) is not None


def is_package_index(head: bytes) -> bool:
    """Return whether an output that begins with `head` lists the files of a package, and is no compiled code.

    Go makes a new one whenever the files of the main module have other times, as in each checkout.
    """
    return head.startswith(b"go index v")
