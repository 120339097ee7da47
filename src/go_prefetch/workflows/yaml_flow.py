"""YAML in braces and brackets, on one line or several."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from go_prefetch.workflows.yaml_scalars import check_plain_start, is_marker, quoted
from go_prefetch.workflows.yaml_tree import (
    Alias,
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

_DEEPEST = 20
_END_OF_PLAIN = re.compile(r"[,\[\]{}]|:(?=[ \t,\[\]{}]|$)| +#| *$")
_ALIAS = re.compile(r"\*([\w.-]+)(?=[ ,\]}]|$)")
_TAG = re.compile(r"(![\w!-]*) ")
_CLOSING = {"{": "}", "[": "]"}


class FlowReader:
    """Reads one node in braces or brackets. `row` and `column` are behind what was read."""

    def __init__(self, lines: Sequence[str], start: Place, anchors: Collection[str]) -> None:
        self.row, self.column = start
        self._lines = lines
        self._anchors = anchors
        self._depth = 0

    def node(self, tag: str = "") -> Node:
        """Return the node that begins here. Raises NotUnderstoodError."""
        line, start = self._lines[self.row], Place(self.row, self.column)
        mark = line[self.column : self.column + 1]
        if alias := _ALIAS.match(line, self.column):
            if alias[1] not in self._anchors:
                raise NotUnderstoodError(Problem.ALIAS, self.row)
            self.column = alias.end()
            return Alias(alias[1], start, Place(self.row, self.column))
        if (found := _TAG.match(line, self.column)) and not tag:
            self.column = found.end()
            self._skip()
            return self.node(found[1])
        if mark in ("'", '"'):
            scalar = quoted(self._lines, start, -1)
            self.row, self.column = scalar.end
            return scalar
        if mark in ("{", "["):
            return self._collection(mark, start, tag)
        return self._plain(line, start)

    def _plain(self, line: str, start: Place) -> Scalar:
        check_plain_start(line[start.column :], start.row, is_flow=True)
        found = _END_OF_PLAIN.search(line, start.column)
        self.column = found.start() if found else len(line)
        if line[self.column : self.column + 1] == ":" and line[self.column + 1 : self.column + 2] in tuple(",[]{}"):
            raise NotUnderstoodError(Problem.SCALAR, start.row)  # readers disagree
        text = line[start.column : self.column].rstrip(" ")
        if "\t" in text or "?" in text or not text:  # readers disagree about `?`
            raise NotUnderstoodError(Problem.SCALAR, start.row)
        return Scalar(text, start, Place(start.row, start.column + len(text)))

    def _collection(self, mark: str, start: Place, tag: str) -> MappingNode | SequenceNode:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstoodError(Problem.DEPTH, self.row)
        self.column += 1
        entries: list[Entry] = []
        items: list[Item] = []
        while self._skip() != _CLOSING[mark]:
            if mark == "{":
                entries.append(self._entry())
            else:
                items.append(Item(Place(self.row, self.column), self.node()))
            if self._skip() == ",":
                self.column += 1
            elif self._skip() != _CLOSING[mark]:
                raise NotUnderstoodError(Problem.UNFINISHED, self.row)
        self.column += 1
        self._depth -= 1
        end = Place(self.row, self.column)
        if mark == "[":
            return SequenceNode(tuple(items), start, end, is_flow=True, tag=tag)
        if len({entry.key.text for entry in entries}) < len(entries):
            raise NotUnderstoodError(Problem.DUPLICATE, start.row)
        return MappingNode(tuple(entries), start, end, is_flow=True, tag=tag)

    def _entry(self) -> Entry:
        key = self.node()
        if not isinstance(key, Scalar) or key.start.row != key.end.row:
            raise NotUnderstoodError(Problem.COMPLEX_KEY, self.row)
        missing = Scalar("", key.end, key.end)
        if self._skip() != ":":
            return Entry(key, missing)
        if self.row > key.end.row:
            raise NotUnderstoodError(Problem.COMPLEX_KEY, self.row)
        self.column += 1
        return Entry(key, missing if self._skip() in (",", "}") else self.node())

    def _skip(self) -> str:
        """Go to the next character that is no blank, line end or comment, and return it."""
        while self.row < len(self._lines):
            line = self._lines[self.row]
            while line[self.column : self.column + 1] == " ":
                self.column += 1
            mark = line[self.column : self.column + 1]
            if mark == "\t":
                raise NotUnderstoodError(Problem.TAB, self.row)
            if mark == "#" and self.column and line[self.column - 1] != " ":
                raise NotUnderstoodError(Problem.SCALAR, self.row)
            if mark not in ("", "#"):
                return mark
            self.row, self.column = self.row + 1, 0
            if self.row < len(self._lines) and is_marker(self._lines[self.row]):
                break
        raise NotUnderstoodError(Problem.UNFINISHED, min(self.row, len(self._lines) - 1))
