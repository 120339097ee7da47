"""Insertions into a text: whole lines, or a few characters. Everything that was there stays, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from go_prefetch.workflows.yaml_reader import BYTE_ORDER_MARK, split_lines
from go_prefetch.workflows.yaml_tree import Place

_NO_LINE_END = "\\ No newline at end of file\n"


@dataclass(frozen=True, order=True)
class Insertion:
    """A text that is inserted in front of what is at this place."""

    place: Place
    text: str


@dataclass(frozen=True)
class Lines:
    """The lines of a file, with their ends."""

    lines: Sequence[str]

    @classmethod
    def of(cls, text: str) -> Lines:
        """Return the lines of a text, without a byte order mark."""
        return cls(split_lines(text.removeprefix(BYTE_ORDER_MARK)))

    def is_blank(self, row: int) -> bool:
        """Return whether this line exists and is empty."""
        return 0 <= row < len(self.lines) and not self.lines[row].strip()

    def is_comment(self, row: int) -> bool:
        """Return whether this line exists and is a comment."""
        return 0 <= row < len(self.lines) and self.lines[row].lstrip().startswith("#")

    def before(self, row: int, added: Iterable[str]) -> Insertion:
        """Return the insertion of lines in front of a row, with the line end of that row."""
        return Insertion(Place(row, 0), "".join(line + self._end(row) for line in added))

    def after(self, row: int, added: Iterable[str]) -> Insertion:
        """Return the insertion of lines behind a row, with its line end. The last line of a file may lack one."""
        if not self.lines[row].endswith("\n"):
            return Insertion(Place(row, len(self.lines[row])), "".join(self._end(0) + line for line in added))
        return self.before(row + 1, added) if row + 1 < len(self.lines) else self._at_end(added)

    def _at_end(self, added: Iterable[str]) -> Insertion:
        end = self._end(len(self.lines) - 1)
        return Insertion(Place(len(self.lines), 0), "".join(line + end for line in added))

    def _end(self, row: int) -> str:
        rows = [line for line in (self.lines[row : row + 1] or self.lines[:1]) if line.endswith("\n")]
        line = (rows or [*self.lines[:1]] or ["\n"])[0]
        return "\r\n" if line.endswith("\r\n") else "\n"


def applied(text: str, insertions: Iterable[Insertion]) -> str:
    """Return the text with everything inserted. Insertions at the same place stay in their order."""
    body = text.removeprefix(BYTE_ORDER_MARK)
    lines = [*split_lines(body), ""]
    for insertion in sorted(insertions, key=lambda one: one.place)[::-1]:
        row, column = insertion.place
        lines[row] = lines[row][:column] + insertion.text + lines[row][column:]
    return text[: len(text) - len(body)] + "".join(lines)


def diff_of(name: str, old: str, new: str) -> str:
    """Return the unified diff of a file, as `git apply` and `patch` take it. A file that was empty is new."""
    source = f"a/{name}" if old else "/dev/null"
    rows = unified_diff(split_lines(old), split_lines(new), source, f"b/{name}")
    return "".join(row if row.endswith("\n") else f"{row}\n{_NO_LINE_END}" for row in rows)
