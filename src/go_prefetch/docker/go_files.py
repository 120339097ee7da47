"""What Go files mean for a build for Linux: whether they belong to it, what they import and embed, whether they start.

https://pkg.go.dev/cmd/go#hdr-Build_constraints. The tags of a build with cgo on amd64 are taken as given.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from go_prefetch.base.trees import walk

_TAGS = frozenset(("linux", "unix", "amd64", "gc", "cgo"))
_OTHER_SYSTEMS = re.compile(
    r"aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|nacl|netbsd|openbsd|plan9|solaris|wasip1|windows|zos"
    r"|386|amd64p32|arm(?:64)?(?:be)?|loong64|mips(?:64)?(?:p32)?(?:le)?|ppc(?:64)?(?:le)?|riscv(?:64)?|s390x?"
    r"|sparc(?:64)?|wasm"
)
_BUILD = re.compile(r"^//go:build[ \t]+(.{1,2000})$", re.MULTILINE)
_OLD_BUILD = re.compile(r"^//[ \t]*\+build[ \t]+(.{1,2000})$", re.MULTILINE)
_TERM = re.compile(r"[\w.]+|&&|\|\||[!()]")
# Strings too, because `"/*"` begins no comment. A string without an end ends with its line: otherwise the rest of the
# line would be read again from each of its quotes.
_STRING_OR_COMMENT = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*"?|`[^`]*`|'(?:[^'\\\n]|\\.)*'?)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|//[^\n]*"""
)
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+(\w+)", re.MULTILINE)
_IMPORT = re.compile(r"[\s;]*import\s*(?:\(([^)]*)\)|(?:[\w.]+\s+)?([\"`][^\"`\n]+[\"`]))")
_PATH = re.compile(r"[\"`]([^\"`\n]+)[\"`]")
_MAIN = re.compile(r"^func main\(\)\s*\{(\s*\})?", re.MULTILINE)
_EMBED = re.compile(r"^//go:embed[ \t]+(.{1,2000})$", re.MULTILINE)
MOST_BYTES = 1 << 20  # bytes of a Go file that are looked at


@dataclass(frozen=True)
class GoFile:
    """One file that a build for Linux reads. `embeds` has its line numbers and patterns."""

    package: str
    imports: frozenset[str]
    embeds: tuple[tuple[int, str], ...]
    has_main: bool
    main_is_empty: bool


class Embed(NamedTuple):
    """One pattern of a `//go:embed` line: a path relative to the context, and where the line is."""

    file: str
    line: int
    path: str


def parse_go_file(name: str, data: bytes) -> GoFile | None:
    """Return what a build needs to know of a file, or None if it does not read the file."""
    text = data.decode(errors="replace").replace("\r\n", "\n")
    code = _STRING_OR_COMMENT.sub(lambda match: match["string"] or " ", text)
    package = _PACKAGE.search(code)
    if not name.endswith(".go") or name.endswith("_test.go") or name[0] in "._" or not package:
        return None
    head = f"\n{text}".partition("\npackage ")[0]
    if _names_other_system(name[:-3].split("_")[1:]) or not _is_built(head):
        return None
    main = _MAIN.search(code)
    return GoFile(
        package[1],
        frozenset(_imports(code, package.end())),
        tuple(_embeds(text)),
        has_main=bool(main and package[1] == "main"),
        main_is_empty=bool(main and main[1]),
    )


def _embeds(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the patterns of each line that embeds files."""
    line, counted = 1, 0
    for match in _EMBED.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        yield line, match[1]


def embeds_of(path: str, file: GoFile) -> Iterator[Embed]:
    """Yield what a file at this path, relative to the context, embeds."""
    for line, patterns in file.embeds:
        for pattern in re.findall(r"[^\s\"`]+", patterns):
            name = pattern.removeprefix("all:")
            yield Embed(path, line, posixpath.normpath(f"/{path}/../{name}").lstrip("/"))


def _imports(code: str, at: int) -> Iterator[str]:
    """Yield what is imported. Imports come before all other declarations."""
    while match := _IMPORT.match(code, at):
        yield from _PATH.findall(match[1] or match[2] or "")
        at = match.end()


def _names_other_system(parts: list[str]) -> bool:
    """Return whether a name ends in `_GOOS`, `_GOARCH` or `_GOOS_GOARCH` of others."""
    last = parts[-2:] if parts[-1:] == ["amd64"] or _OTHER_SYSTEMS.fullmatch("".join(parts[-1:])) else parts[-1:]
    return any(_OTHER_SYSTEMS.fullmatch(part) for part in last)


def _is_built(head: str) -> bool:
    if match := _BUILD.search(head):
        return _Constraint(_TERM.findall(match[1])).holds()
    lines = (line.split() for line in _OLD_BUILD.findall(head))
    return all(any(all(map(_is_set, term.split(","))) for term in line) for line in lines)


def _is_set(tag: str) -> bool:
    return not _is_set(tag[1:]) if tag[:1] == "!" and tag[1:2] != "!" else tag in _TAGS or tag.startswith("go1.")


class _Constraint:
    """A `//go:build` line: `||` of `&&` of tags, negated tags and lines in brackets."""

    def __init__(self, terms: list[str]) -> None:
        self._terms = terms[:200][::-1]  # Go's own limit of nesting is higher, and no file comes near

    def holds(self) -> bool:
        value = self._all()
        while self._take("||"):
            value = self._all() or value
        return value

    def _all(self) -> bool:
        value = self._one()
        while self._take("&&"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            value = self.holds()
            self._take(")")
            return value
        return bool(self._terms) and _is_set(self._terms.pop())

    def _take(self, mark: str) -> bool:
        return self._terms[-1:] == [mark] and bool(self._terms.pop())


def go_files(folder: Path) -> Iterator[tuple[Path, GoFile]]:
    """Yield the files of a module that a build reads: no tests, no ignored files, no nested modules."""
    for here, _ in walk(folder, enter=_is_searched):
        yield from package_files(here)


def package_files(folder: Path) -> Iterator[tuple[Path, GoFile]]:
    """Yield the files of a folder that a build reads. A pipe or device is not opened, and may be a link's target."""
    for path in sorted(folder.glob("*.go")):
        if path.is_file():
            with path.open("rb") as content:
                found = parse_go_file(path.name, content.read(MOST_BYTES))
            if found:
                yield path, found


def _is_searched(folder: Path) -> bool:
    ours = folder.name[0] not in "._" and folder.name not in ("vendor", "testdata", "node_modules")
    return ours and not (folder / "go.mod").is_file()
