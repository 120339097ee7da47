"""Parse go.sum and go.work.sum: which zips and go.mod files Go accepts, by hash.

Format: https://go.dev/ref/mod#go-sum-files. The hashes are passed on, never computed. Go checks them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from go_prefetch.base.format import counted
from go_prefetch.errors import GoSumError, Notice, notice
from go_prefetch.golang import module
from go_prefetch.golang.module import ModuleVersion

# The hash of an empty go.mod, left in go.sum by an old bug. Go skips such lines.
_EMPTY_GO_MOD = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="
_DIGEST = re.compile("h1:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")  # 32 bytes in Base64
_CONFLICT_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_MOD_SUFFIX = "/go.mod"
# File systems allow 255 bytes in a name and at least 1,024 in a path. Temporary names are longer by some digits.
_LONGEST_NAME = 200
_LONGEST_PATH = 700
_MOST_KNOWN = 1 << 16  # lines
_LONGEST_KNOWN = 300  # bytes

Kind = Literal["mod", "zip"]


class GoSumLine(NamedTuple):
    """One line that names a file that Go may accept, by its hash."""

    module: ModuleVersion
    kind: Kind
    digest: str

    @property
    def text(self) -> str:
        """Return the line with single blanks and without a newline."""
        suffix = _MOD_SUFFIX if self.kind == "mod" else ""
        return f"{self.module.path} {self.module.version}{suffix} {self.digest}"


@dataclass(frozen=True)
class GoSum:
    """The usable lines of one file, in order, and a notice for each ignored line."""

    lines: tuple[GoSumLine, ...]
    ignored: tuple[Notice, ...] = ()

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """Return the warnings about ignored lines: one for all of them."""
        if len(self.ignored) < 2:
            return self.ignored
        return (notice("go-sum-line-ignored", "lines", count=len(self.ignored), lines=self.ignored),)


def parse_gosum(data: bytes, source: str) -> GoSum:
    """Parse the bytes of a go.sum file; `source` is its name in messages.

    Raises GoSumError with file and line number for a line that Go refuses (not three fields, a merge conflict), for a
    hash that nothing can match, and for a damaged file (a NUL byte). Other bytes that are no text are allowed, as for
    Go: such a line names no module.
    """
    lines: dict[GoSumLine, None] = {}
    ignored: list[Notice] = []
    for number, raw in enumerate(data.split(b"\n"), start=1):
        try:
            line, problem = _known_line(raw) if len(raw) < _LONGEST_KNOWN else _read_line(raw)
        except _RefusedError as refused:
            raise refused.at(f"{source}:{number}") from None
        if line:
            lines[line] = None
        elif problem:
            ignored.append(notice("go-sum-line-ignored", source=source, number=number, problem=problem))
    return GoSum(tuple(lines), tuple(ignored))


class _RefusedError(Exception):
    """A line that Go refuses."""

    def __init__(self, problem: str, slug: str = "go-sum-malformed") -> None:
        super().__init__(problem)
        self._facts = {"problem": problem} if problem else {}
        self._slug = slug

    def at(self, where: str) -> GoSumError:
        return GoSumError(self._slug, where=where, **self._facts)


def _read_line(raw: bytes) -> tuple[GoSumLine | None, str]:
    """Return a line as a value, or the reason why it is ignored. Return neither for lines that Go skips silently."""
    fields = _fields(raw)
    line, problem = _read_fields(*fields) if fields else (None, "")
    if line and not _DIGEST.fullmatch(line.digest):
        raise _RefusedError("a hash that is not 32 bytes in Base64")
    return line, problem


# The go.sum files of a repository have most lines in common.
_known_line = lru_cache(_MOST_KNOWN)(_read_line)


def _fields(raw: bytes) -> tuple[str, str, str] | None:
    text = raw.decode("utf-8", errors="surrogateescape")
    if "\0" in text:
        raise _RefusedError("a NUL byte")
    if text.startswith(_CONFLICT_MARKERS):
        raise _RefusedError("", "go-sum-conflict")
    fields = text.split()
    if not fields:
        return None
    if len(fields) != 3:
        raise _RefusedError(f"{counted(len(fields), 'field')}, not three (module, version, hash)")
    return fields[0], fields[1], fields[2]


def _read_fields(path: str, version: str, digest: str) -> tuple[GoSumLine | None, str]:
    if digest == _EMPTY_GO_MOD:
        return None, ""
    if not digest.startswith("h1:"):
        return None, f"unknown hash {digest[:20]!r}"
    kind: Kind = "mod" if version.endswith(_MOD_SUFFIX) else "zip"
    found = ModuleVersion(path, version.removesuffix(_MOD_SUFFIX))
    problem = module.check(*found) or _length_problem(found)
    if problem:
        return None, problem
    if path == module.TOOLCHAIN:
        return None, ""
    return GoSumLine(found, kind, digest), ""


def _length_problem(version: ModuleVersion) -> str:
    names = [*module.escape(version.path).split("/"), module.escape(version.version)]
    if max(map(len, names)) > _LONGEST_NAME or sum(map(len, names)) + len(names) > _LONGEST_PATH:
        return f"{str(version)[:40]}… is too long to be the name of a file"
    return ""
