"""Scalars of YAML: plain, quoted, and blocks behind `|` and `>`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from go_prefetch.workflows.yaml_tree import NotUnderstoodError, Place, Problem, Scalar, Style

NOT_PLAIN = ",[]{}#&*!|>'\"%@`"  # a plain scalar begins with none of these
_HEADER = re.compile(r"(?P<style>[|>])(?P<keep>[+-]?)[ ]*(?:(?<= )#.*)?$")
_SINGLE = re.compile(r"(?:[^']|'')*'(?!')")
_DOUBLE = re.compile(r'(?:[^"\\]|\\.)*"')
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", '"': '"', "\\": "\\", "/": "/", " ": " "}
_END_OF_PLAIN = re.compile(r" +#|:(?=[ \t]|$)")
_COLON = re.compile(r" *:(?=[ \t]|$)")
_REST = re.compile(r"[ ]*(?: #.*)?$")


class Key(NamedTuple):
    """A key, and the column behind its colon."""

    scalar: Scalar
    behind: int


def indent_of(line: str) -> int:
    """Return the number of spaces at the beginning. Tabs do not count."""
    return len(line) - len(line.lstrip(" "))


def is_end(line: str, column: int) -> bool:
    """Return whether only blanks or a comment follow."""
    return bool(_REST.match(line, column)) or (column == 0 and line.startswith("#"))


def is_marker(line: str) -> bool:
    """Return whether this line begins or ends a document."""
    return line[:3] in ("---", "...") and line[3:4] in ("", " ", "\t")


def key_at(line: str, row: int, column: int) -> Key | None:
    """Return the key that begins here, or None if there is none."""
    if line[column : column + 1] in ("'", '"'):
        end = _closing_quote(line, column + 1, line[column])
        colon = _COLON.match(line, end) if end else None
        if not colon or end is None:
            return None
        text = _unquoted([line[column + 1 : end - 1]], line[column], row)
        scalar = Scalar(text, Place(row, column), Place(row, end), Style(line[column]))
        return Key(scalar, colon.end())
    found = _END_OF_PLAIN.search(line, column)
    if not found or line[found.start()] != ":":
        return None
    text = line[column : found.start()].rstrip(" ")
    check_plain_start(text, row, is_flow=False)
    if "\t" in text:
        raise NotUnderstoodError(Problem.TAB, row)
    return Key(Scalar(text, Place(row, column), Place(row, column + len(text))), found.end())


def check_plain_start(text: str, row: int, *, is_flow: bool) -> None:
    """Raise NotUnderstoodError for a text that cannot begin a plain scalar."""
    follows = text[1:2]
    if text[:1] in ("*", "&", "!"):
        raise NotUnderstoodError(Problem.ALIAS, row)
    if text[:1] == "?" and follows in ("", " ", "\t"):
        raise NotUnderstoodError(Problem.COMPLEX_KEY, row)
    is_indicator = text[:1] in ("-", "?", ":") and (follows in ("", " ", "\t") or (is_flow and follows in ",[]{}"))
    is_indicator = is_indicator or (is_flow and text[:1] == ":")  # readers disagree
    if not text or text[0] in NOT_PLAIN or is_indicator:
        raise NotUnderstoodError(Problem.SCALAR, row)


def plain(lines: Sequence[str], start: Place, parent: int) -> tuple[Scalar, int]:
    """Return a plain scalar and the next row. Lines that are indented deeper than `parent` continue it."""
    row, column = start
    text, has_comment = _plain_line(lines[row], row, column)
    check_plain_start(text, row, is_flow=False)
    parts, end = [text], Place(row, column + len(text))
    ahead = row + 1
    while not has_comment and ahead < len(lines):
        line = lines[ahead]
        at = indent_of(line)
        if line.strip(" ") == "":
            ahead += 1
            continue
        if at <= parent or line[at] == "#" or is_marker(line):
            break
        text, has_comment = _plain_line(line, ahead, at)
        parts += [""] * (ahead - end.row - 1) + [text]
        end = Place(ahead, at + len(text))
        ahead += 1
    return Scalar(_folded(parts), start, end), end.row + 1


def _plain_line(line: str, row: int, column: int) -> tuple[str, bool]:
    """Return one line of a plain scalar, and whether a comment ends it. Raises NotUnderstoodError for a key."""
    if line[column : column + 1] == "\t":
        raise NotUnderstoodError(Problem.TAB, row)
    found = _END_OF_PLAIN.search(line, column)
    if found and line[found.start()] == ":":
        raise NotUnderstoodError(Problem.SCALAR, row)
    text = line[column : found.start() if found else None].rstrip(" ")
    if "\t" in text:
        raise NotUnderstoodError(Problem.TAB, row)
    return text, bool(found)


def quoted(lines: Sequence[str], start: Place, parent: int) -> Scalar:
    """Return a quoted scalar, which may have several lines. Its place includes the quotes."""
    row, first = start.row, start.column + 1
    mark = lines[row][start.column]
    parts: list[str] = []
    while True:
        line = lines[row]
        end = _closing_quote(line, first, mark)
        if line[first : first + 1] == "\t" and row > start.row:
            raise NotUnderstoodError(Problem.TAB, row)
        if end:
            parts.append(line[first : end - 1])
            return Scalar(_unquoted(parts, mark, row), start, Place(row, end), Style(mark))
        parts.append(line[first:].rstrip(" ") if row > start.row or line[first:].strip(" ") else "")
        row += 1
        if row == len(lines) or is_marker(lines[row]) or _ends_collection(lines[row], parent):
            raise NotUnderstoodError(Problem.UNFINISHED, start.row)
        first = indent_of(lines[row])


def _ends_collection(line: str, parent: int) -> bool:
    return bool(line.strip(" ")) and indent_of(line) <= parent


def _closing_quote(line: str, first: int, mark: str) -> int | None:
    """Return the column behind the quote that ends the text which begins at `first`, or None."""
    found = (_SINGLE if mark == "'" else _DOUBLE).match(line, first)
    return found.end() if found else None


def _unquoted(parts: Sequence[str], mark: str, row: int) -> str:
    """Return the text between the quotes. Raises NotUnderstoodError for an escape that no workflow needs."""
    if mark == "'":
        return _folded(parts).replace("''", "'")
    if any(part.endswith("\\") for part in parts[:-1]):
        raise NotUnderstoodError(Problem.SCALAR, row)  # a line end that is escaped
    return _ESCAPE.sub(lambda match: _escaped(match, row), _folded(parts))


def _escaped(match: re.Match[str], row: int) -> str:
    if match[1] or match[2]:
        return chr(int(match[1] or match[2], 16))
    if match[3] not in _ESCAPES:
        raise NotUnderstoodError(Problem.SCALAR, row)
    return _ESCAPES[match[3]]


def block(lines: Sequence[str], start: Place, parent: int) -> tuple[Scalar, int]:
    """Return the block behind `|` or `>`, and the next row. Its lines are indented deeper than `parent`."""
    header = _HEADER.match(lines[start.row], start.column)
    if not header:
        raise NotUnderstoodError(Problem.SCALAR, start.row)
    content = indent = _block_indent(lines, start.row + 1, parent)
    row, last = start.row + 1, start.row
    while row < len(lines) and content is not None and indent is not None:
        line = lines[row]
        if line.strip(" ") and indent_of(line) < indent:
            if not line.strip():
                raise NotUnderstoodError(Problem.TAB, row)
            break
        last = row if line.strip(" ") or header["keep"] == "+" else last
        row += 1
    cut = [line[indent:] for line in lines[start.row + 1 : last + 1]]
    end = Place(last, len(lines[last]))
    style = Style(header["style"])
    text = "\n".join(cut) if style is Style.LITERAL else _folded_block(cut)
    return Scalar(text, start, end, style), last + 1 if content is not None else start.row + 1


def _block_indent(lines: Sequence[str], first: int, parent: int) -> int | None:
    """Return the indent of the first line with a text, or None if the block is empty."""
    widest = 0
    for row in range(first, len(lines)):
        line = lines[row]
        if not line.strip(" "):
            widest = max(widest, len(line))
            continue
        if indent_of(line) <= parent or is_marker(line):
            return None
        if widest > indent_of(line):
            raise NotUnderstoodError(Problem.INDENT, row)
        if line[indent_of(line)] == "\t":  # some readers take it for indent
            raise NotUnderstoodError(Problem.TAB, row)
        return indent_of(line)
    return None


def _folded(parts: Sequence[str]) -> str:
    """Return lines as one text: a line break is a blank, and an empty line is a line break."""
    text = parts[0]
    breaks = 0
    for part in parts[1:]:
        if part:
            text += "\n" * (breaks) + ("" if breaks else " ") + part
            breaks = 0
        else:
            breaks += 1
    return text


def _folded_block(parts: Sequence[str]) -> str:
    """Return the lines of a `>` block as one text. Lines that are indented deeper keep their line breaks."""
    text = ""
    for part in parts:
        keeps = not part or part[0] in " \t"
        text += ("\n" if keeps or text[-1:] == "\n" else " ") + part if text else part
    return text
