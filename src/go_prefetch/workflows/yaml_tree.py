"""The nodes of a YAML file. Each has its place in the text, so that an edit can insert next to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias


class Place(NamedTuple):
    """A place in the text: row and column, both from 0. As an end, it is behind the last character."""

    row: int
    column: int


class Style(Enum):
    """How a scalar is written."""

    PLAIN = ""
    SINGLE = "'"
    DOUBLE = '"'
    LITERAL = "|"
    FOLDED = ">"

    @property
    def is_block(self) -> bool:
        """Return whether the text is on lines of its own."""
        return self in (Style.LITERAL, Style.FOLDED)


class Problem(Enum):
    """Why a file is refused. The values are cases of the notice `workflow-not-understood`."""

    ALIAS = "alias"
    CHARACTER = "character"
    COMPLEX_KEY = "complex-key"
    DEPTH = "depth"
    DIRECTIVE = "directive"
    DOCUMENTS = "documents"
    DUPLICATE = "duplicate"
    INDENT = "indent"
    SCALAR = "scalar"
    TAB = "tab"
    UNFINISHED = "unfinished"


class NotUnderstoodError(Exception):
    """The text is not YAML, or YAML that this reader does not know."""

    def __init__(self, problem: Problem, row: int) -> None:
        super().__init__(problem, row)
        self.problem = problem
        self.row = row


@dataclass(frozen=True, eq=False)
class Scalar:
    """A text; empty for a missing value."""

    text: str
    start: Place
    end: Place
    style: Style = Style.PLAIN
    tag: str = ""

    @property
    def fits_brackets(self) -> bool:
        """Return whether this text means the same between brackets, as it is written."""
        is_plain = self.style is Style.PLAIN
        is_on_one_line = self.start.row == self.end.row and not self.style.is_block
        return bool(self.text) and is_on_one_line and not (is_plain and set(self.text) & set(",[]{}?"))


@dataclass(frozen=True, eq=False)
class Alias:
    """The name of an anchor, in place of a node."""

    name: str
    start: Place
    end: Place


class Entry(NamedTuple):
    """One key of a mapping, and its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, eq=False)
class MappingNode:
    """Keys and values, in their order. `is_flow` means that it is in braces."""

    entries: tuple[Entry, ...]
    start: Place
    end: Place
    is_flow: bool = False
    tag: str = ""


class Item(NamedTuple):
    """One value of a sequence, and the place of its dash; in brackets, its own place."""

    dash: Place
    value: Node


@dataclass(frozen=True, eq=False)
class SequenceNode:
    """Values, in their order. `is_flow` means that it is in brackets."""

    items: tuple[Item, ...]
    start: Place
    end: Place
    is_flow: bool = False
    tag: str = ""


Node: TypeAlias = "Scalar | Alias | MappingNode | SequenceNode"


@dataclass(frozen=True)
class Document:
    """A file as read. `anchors` are the nodes that aliases stand for, by name."""

    root: Node
    anchors: Mapping[str, Node] = field(default_factory=dict)

    def resolved(self, node: Node | None) -> Node | None:
        """Return the node that an alias stands for, or the node itself."""
        return self.anchors.get(node.name) if isinstance(node, Alias) else node

    def get(self, node: Node | None, key: str) -> Node | None:
        """Return the value of a key, as it is written: it may be an alias. Keys that are merged in do not count."""
        entry = self.entry(node, key)
        return entry.value if entry else None

    def entry(self, node: Node | None, key: str) -> Entry | None:
        """Return the entry with this key."""
        return next((entry for entry in self.entries(node) if entry.key.text == key), None)

    def entries(self, node: Node | None) -> tuple[Entry, ...]:
        """Return the entries of a mapping; none for another node."""
        node = self.resolved(node)
        return node.entries if isinstance(node, MappingNode) else ()

    def items(self, node: Node | None) -> tuple[Item, ...]:
        """Return the items of a sequence; none for another node."""
        node = self.resolved(node)
        return node.items if isinstance(node, SequenceNode) else ()

    def text(self, node: Node | None, key: str = "") -> str:
        """Return the text of a scalar, or of the scalar with this key; empty for anything else."""
        node = self.resolved(self.get(node, key) if key else node)
        return node.text if isinstance(node, Scalar) else ""

    def texts(self, node: Node | None) -> Iterator[str]:
        """Yield the text of a scalar, or of every scalar of a sequence, also of sequences in it.

        Aliases of aliases may stand for more nodes than any memory has, so it ends after `_MOST_NODES`.
        """
        left = [node]
        for _ in range(_MOST_NODES):
            if not left:
                return
            found = self.resolved(left.pop())
            if isinstance(found, Scalar):
                yield found.text
            elif isinstance(found, SequenceNode) and not found.tag:
                left += [item.value for item in reversed(found.items[:_MOST_NODES])]


_MOST_NODES = 2_000  # of one script
