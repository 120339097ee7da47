"""Read YAML line by line, with the place of each node, and refuse what workflows do not use instead of guessing.

It reads block mappings and sequences, scalars of every style, braces and brackets, anchors, aliases, tags and comments.
It refuses several documents, directives, keys that are not scalars, duplicate keys, tabs as indent, and escapes that no
workflow needs. https://yaml.org/spec/1.2.2/
"""

from __future__ import annotations

import re

from go_prefetch.workflows.yaml_flow import FlowReader
from go_prefetch.workflows.yaml_scalars import Key, block, indent_of, is_end, is_marker, key_at, plain, quoted
from go_prefetch.workflows.yaml_tree import (
    Alias,
    Document,
    Entry,
    Item,
    MappingNode,
    Node,
    NotUnderstoodError,
    Place,
    Problem,
    Scalar,
    SequenceNode,
)

BYTE_ORDER_MARK = "\ufeff"
_DEEPEST = 40
_MERGE = "<<"
# What some readers of YAML take for a line end, and others do not; and characters that YAML does not allow.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]|\r(?!\n)")
_PROPERTY = re.compile(r"(?:&(?P<anchor>[\w.-]+)|(?P<tag>![\w!-]*))(?= |$)")
_ALIAS = re.compile(r"\*(?P<name>[\w.-]+)")


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their ends."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def read_yaml(text: str) -> Document:
    """Return the nodes of a YAML text. Columns do not count a byte order mark. Raises NotUnderstoodError."""
    body = text.removeprefix(BYTE_ORDER_MARK)
    if found := _FORBIDDEN.search(body):
        raise NotUnderstoodError(Problem.CHARACTER, body.count("\n", 0, found.start()))
    reader = _Reader([line.rstrip("\n").removesuffix("\r") for line in split_lines(body)])
    return Document(reader.document(), reader.anchors)


class _Reader:
    """`_row` is the next row that was not read. `parent` is the column of the collection around a node."""

    def __init__(self, lines: list[str]) -> None:
        self.anchors: dict[str, Node] = {}
        self._lines = lines
        self._row = 0
        self._depth = 0

    def document(self) -> Node:
        """Return the root."""
        if self._is_content() and self._lines[self._row].startswith("%"):
            raise NotUnderstoodError(Problem.DIRECTIVE, self._row)
        if self._row < len(self._lines) and is_marker(self._lines[self._row]):
            if not self._lines[self._row].startswith("---") or not is_end(self._lines[self._row], 3):
                raise NotUnderstoodError(Problem.DOCUMENTS, self._row)
            self._row += 1
        root = self._nested(-1, Place(self._row, 0))
        if self._is_content() or self._row < len(self._lines):
            is_second = is_marker(self._lines[self._row])
            raise NotUnderstoodError(Problem.DOCUMENTS if is_second else Problem.INDENT, self._row)
        return root

    def _is_content(self) -> bool:
        """Go to the next line that has more than a comment. Return False at the end of the document."""
        while self._row < len(self._lines):
            line = self._lines[self._row]
            bare = line.lstrip(" ")
            if bare.startswith("\t"):
                raise NotUnderstoodError(Problem.TAB, self._row)
            if bare and not bare.startswith("#"):
                return not is_marker(line)
            self._row += 1
        return False

    def _column(self) -> int:
        """Return the indent of the next line with content, or -1 at the end."""
        return indent_of(self._lines[self._row]) if self._is_content() else -1

    def _is_dash(self, row: int, column: int) -> bool:
        text = self._lines[row][column : column + 2]
        if text == "-\t":
            raise NotUnderstoodError(Problem.TAB, row)
        return text in ("-", "- ")

    def _nested(self, parent: int, header: Place, *, in_mapping: bool = False) -> Node:
        """Return the node on the lines below a key or dash, or an empty scalar."""
        column = self._column()
        if column > parent:
            return self._node(Place(self._row, column), parent)
        if in_mapping and column == parent and self._is_dash(self._row, column):
            return self._sequence(Place(self._row, column))
        return Scalar("", header, header)

    def _node(self, start: Place, parent: int, *, in_mapping: bool = False) -> Node:
        """Return the node at this place. `in_mapping`: it is behind a key, where no block collection begins."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstoodError(Problem.DEPTH, start.row)
        row, column = start
        anchor, tag, end = "", "", column
        while found := _PROPERTY.match(self._lines[row], column):
            if (found["anchor"] and anchor) or (found["tag"] and tag):
                raise NotUnderstoodError(Problem.ALIAS, row)
            anchor, tag = found["anchor"] or anchor, found["tag"] or tag
            end = found.end()
            column = end + indent_of(self._lines[row][end:])
        has_property = column > start.column
        if has_property and is_end(self._lines[row], end):
            self._row = row + 1
            node = self._nested(parent, Place(row, start.column), in_mapping=in_mapping)
        else:
            node = self._inline(Place(row, column), parent, tag, is_bare=in_mapping or has_property)
        if has_property and isinstance(node, Alias):
            raise NotUnderstoodError(Problem.ALIAS, row)
        if anchor:
            self.anchors[anchor] = node
        self._depth -= 1
        return node

    def _inline(self, start: Place, parent: int, tag: str, *, is_bare: bool) -> Node:
        """Return the node whose text begins here. `is_bare`: it is no block collection."""
        row, column = start
        line = self._lines[row]
        mark = line[column : column + 1]
        if mark in ("|", ">"):
            scalar, self._row = block(self._lines, start, parent)
            return scalar
        if alias := _ALIAS.match(line, column):
            return self._ended(Alias(alias["name"], start, Place(row, alias.end())))
        if mark in ("{", "["):
            return self._ended(FlowReader(self._lines, start, self.anchors).node(tag))
        if not is_bare and self._is_dash(row, column):
            return self._sequence(start)
        key = key_at(line, row, column)
        if key and is_bare:
            raise NotUnderstoodError(Problem.COMPLEX_KEY, row)
        return self._mapping(start, key) if key else self._flowing(start, parent)

    def _flowing(self, start: Place, parent: int) -> Node:
        """Return a quoted or plain scalar."""
        if self._lines[start.row][start.column : start.column + 1] in ("'", '"'):
            return self._ended(quoted(self._lines, start, parent))
        scalar, self._row = plain(self._lines, start, parent)
        return scalar

    def _ended(self, node: Node) -> Node:
        """Return a node that ends with its line. Raises NotUnderstoodError if something follows."""
        if not is_end(self._lines[node.end.row], node.end.column):
            raise NotUnderstoodError(Problem.SCALAR, node.end.row)
        if isinstance(node, Alias) and node.name not in self.anchors:
            raise NotUnderstoodError(Problem.ALIAS, node.start.row)
        self._row = node.end.row + 1
        return node

    def _sequence(self, start: Place) -> SequenceNode:
        items: list[Item] = []
        row = start.row
        while True:
            dash = Place(row, start.column)
            line = self._lines[row]
            at = start.column + 1
            at += indent_of(line[at:])
            if is_end(line, start.column + 1):
                self._row = row + 1
                value = self._nested(start.column, Place(row, start.column + 1))
            else:
                value = self._node(Place(row, at), start.column)
            items.append(Item(dash, value))
            row = self._next_row(start.column)
            if row < 0 or not self._is_dash(row, start.column):
                return SequenceNode(tuple(items), start, items[-1].value.end)

    def _mapping(self, start: Place, key: Key) -> MappingNode:
        entries: list[Entry] = []
        keys: set[str] = set()
        row = start.row
        while True:
            if key.scalar.text in keys:
                raise NotUnderstoodError(Problem.DUPLICATE, row)
            keys.add(key.scalar.text)
            entries.append(Entry(key.scalar, self._value(row, start.column, key.behind)))
            row = self._next_row(start.column)
            if row < 0:
                return MappingNode(tuple(entries), start, entries[-1].value.end)
            if self._is_dash(row, start.column):
                raise NotUnderstoodError(Problem.INDENT, row)
            if _PROPERTY.match(self._lines[row], start.column) or _ALIAS.match(self._lines[row], start.column):
                raise NotUnderstoodError(Problem.COMPLEX_KEY, row)
            following = key_at(self._lines[row], row, start.column)
            if following is None:
                raise NotUnderstoodError(Problem.SCALAR, row)
            key = following

    def _value(self, row: int, column: int, behind: int) -> Node:
        line = self._lines[row]
        if is_end(line, behind):
            self._row = row + 1
            return self._nested(column, Place(row, behind), in_mapping=True)
        at = behind + indent_of(line[behind:])
        if line[at] == "\t":
            raise NotUnderstoodError(Problem.TAB, row)
        return self._node(Place(row, at), column, in_mapping=True)

    def _next_row(self, column: int) -> int:
        """Return the next row of the collection at this column, or -1 if it ends. Raises NotUnderstoodError."""
        found = self._column()
        if found > column:
            raise NotUnderstoodError(Problem.INDENT, self._row)
        return self._row if found == column else -1
