"""A Dockerfile as instructions with line numbers, split as BuildKit does.

https://docs.docker.com/reference/dockerfile/: parser directives, escape, continuations, here-documents. stages.py
interprets the instructions. Unknown ones are kept, because newer syntax must not stop a check.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from go_prefetch.base.untrusted_json import parse

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)")
_DIRECTIVES = ("syntax", "escape", "check")
_IGNORE = re.compile(r"^\s*#\s*go-prefetch\s+ignore=([a-z0-9,\- ]+)$")
_FLAG = re.compile(r"\s*--([a-zA-Z0-9][a-zA-Z0-9-]*)(?:=((?:\"[^\"]*\"|'[^']*'|\S)*))?(?=\s|$)")
_HEREDOC = re.compile(r"""(?<!\S)\d*<<(-?)(["']?)([a-zA-Z0-9_.][a-zA-Z0-9_.-]*)\2(?=[\s;|&)>]|$)""")
_TAKE_HEREDOCS = ("RUN", "COPY", "ADD")
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_GIVEN_TO = re.compile(r"(?:\S*/)?(?:(?:ba|da|a|z|k)?sh)?(?:\s|$)")  # a shell, or no command, which means the shell too
_OTHER_LANGUAGE = re.compile(r"#!(?!.*\b(?:ba|da|a|z|k)?sh\b)")


@dataclass(frozen=True)
class Instruction:
    """One instruction. `text` follows its name: joined continuations, without flags and here-documents."""

    name: str  # upper case
    line: int  # of its first line, starting at 1
    text: str
    flags: tuple[tuple[str, str], ...] = ()  # name without dashes, value; a name may repeat
    heredocs: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()  # names of the findings that a comment above it waives

    @property
    def words(self) -> list[str]:
        """Return its arguments: the strings of the JSON form, otherwise the words without quotes."""
        listed = self.json_form
        return _words(self.text) if listed is None else listed

    @property
    def json_form(self) -> list[str] | None:
        """Return the strings of `["go", "build"]`, or None for another form."""
        if not self.text.lstrip().startswith("["):
            return None
        value = parse(self.text)
        return value if isinstance(value, list) and all(isinstance(word, str) for word in value) else None

    @property
    def script(self) -> str:
        """Return the script of a RUN: its text, and the here-documents that are a script (others are data)."""
        listed = self.json_form
        if listed is not None:
            return shlex.join(listed)
        if not self.heredocs or not _GIVEN_TO.match(re.split(r"[;&|]", _HEREDOC.sub("", self.text))[-1].strip()):
            return self.text
        return "\n".join((self.text, *(body for body in self.heredocs if not _OTHER_LANGUAGE.match(body))))

    def flag(self, name: str) -> list[str]:
        """Return the values of every `--name=`."""
        return [value for key, value in self.flags if key == name]


def parse_dockerfile(text: str) -> tuple[Instruction, ...]:
    """Parse the instructions of a Dockerfile, in order."""
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    return tuple(_instructions(lines, _escape(lines)))


def _escape(lines: Sequence[str]) -> str:
    """Return the escape character. A parser directive at the top can make it a backtick."""
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if not match or match[1].lower() not in _DIRECTIVES:
            break
        if match[1].lower() == "escape" and match[2] in ("\\", "`"):
            return match[2]
    return "\\"


def _instructions(lines: Sequence[str], escape: str) -> Iterator[Instruction]:
    continued = re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*$")
    at = 0
    waived: frozenset[str] = frozenset()
    while at < len(lines):
        line = lines[at].strip()
        if not line or line.startswith("#"):
            match = _IGNORE.match(line)
            waived = frozenset(re.split(r"[,\s]+", match[1].strip())) if match else waived if line else frozenset()
            at += 1
            continue
        first = at
        joined, at = _logical_line(lines, at, continued)
        name, rest = _name_and_rest(joined)
        if name == "ONBUILD":  # checked as if it were in the file that builds on this one
            name, rest = _name_and_rest(rest)
        flags, rest = _flags(rest)
        heredocs: list[str] = []
        if name in _TAKE_HEREDOCS:
            heredocs, at = _heredocs(rest, lines, at)
        yield Instruction(name, first + 1, rest.strip(), flags, tuple(heredocs), waived)
        waived = frozenset()


def _name_and_rest(text: str) -> tuple[str, str]:
    name, *rest = _BLANKS.split(text.strip(), maxsplit=1)
    return name.upper(), rest[0] if rest else ""


def _logical_line(lines: Sequence[str], at: int, continued: re.Pattern[str]) -> tuple[str, int]:
    """Join continued lines, without comments and empty lines between them. Return the index of the next line too."""
    parts: list[str] = []
    while at < len(lines):
        line = lines[at]
        at += 1
        if parts and (not line.strip() or line.lstrip().startswith("#")):
            continue
        parts.append(continued.sub("", line).replace("\t", " "))
        if not continued.search(line):
            break
    return "".join(parts), at


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    found, at = [], 0
    while match := _FLAG.match(text, at):
        found.append((match[1], (match[2] or "").strip("\"'")))
        at = match.end()
    return tuple(found), text[at:]


def _heredocs(text: str, lines: Sequence[str], at: int) -> tuple[list[str], int]:
    bodies = []
    for match in _HEREDOC.finditer(text):
        body = []
        while at < len(lines):
            line = lines[at].lstrip("\t") if match[1] else lines[at]
            at += 1
            if line == match[3]:
                break
            body.append(line)
        bodies.append("\n".join(body))
    return bodies, at


def _words(text: str) -> list[str]:
    return [re.sub(r"[\"']", "", word) for word in re.findall(r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\\S|\S)+", text)]
