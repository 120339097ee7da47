"""Parse go.mod and go.work: required modules, replacements, workspace folders.

The format is that of https://go.dev/ref/mod#go-mod-file and https://go.dev/ref/mod#go-work-file. Directives that
matter here (module, go, require, replace, exclude, use) are read as strictly as by the go command. Others are read
leniently, so that a directive of a later Go does not stop a run. Versions stay as they are written.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from go_prefetch.errors import GoSumError
from go_prefetch.golang import semver
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.toolchain import GoLines

_HINT = "Correct the file; `go mod edit -json` (for go.work: `go work edit -json`) shows whether Go can read it."

# Matched line by line, because a string cannot span lines. CRLF needs no special case: a CR is a blank.
_TOKEN = re.compile(
    r"""[ \t\r]+ | //.*
      | (?P<string> "(?:[^"\\]|\\.)*" | `[^`]*`)
      | (?P<mark> [()\[\]{},])
      | (?P<word> [^\s()\[\]{},"`] (?:(?!//)[^\s()\[\]{},])*)
      | (?P<bad> .)""",
    re.VERBOSE,
)
_CHARACTER = re.compile(r'\\(?:[abfnrtv\\"]|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|u[0-9a-fA-F]{4}|U00[0-9a-fA-F]{6})|[^\\]')
_MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||", "\0")  # found much faster than by the expression
_DAMAGE = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|\Z)|\0", re.MULTILINE)
_GO_VERSION = re.compile(r"([1-9][0-9]*)\.(0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?(?:[a-z]+[0-9]+)?")
# Go reads the first two numbers of anything else in a dependency, such as `v1.17` or `1.18.x`.
_LENIENT_GO_VERSION = re.compile(r"v?([1-9][0-9]*\.(?:0|[1-9][0-9]*))(?:[^0-9].*)?")
# Files move between systems, so folders in Unix and in Windows notation are recognised everywhere.
_FOLDER = re.compile(r"\.{1,2}(?:[/\\]|\Z)|[/\\]|[A-Za-z]:")

_LONGEST_LINE = 1 << 16
_MOST_KNOWN, _LONGEST_KNOWN = 1 << 16, 300  # lines that are parsed once, and their characters
# Go looks for these two lines before it reads the file, and as leniently.
_GO_LINE, _TOOLCHAIN_LINE = (
    re.compile(rf"^[ \t\r]*{key}[ \t]+((?:(?!//)[^\n])*)", re.MULTILINE) for key in ("go", "toolchain")
)
_UNDERSTOOD = frozenset({"module", "go", "toolchain", "require", "replace", "exclude", "use"})
_KNOWN = _UNDERSTOOD | {"godebug", "retract", "tool", "ignore"}  # up to Go 1.27


@dataclass(frozen=True)
class Replace:
    """One replacement; `old_version` is empty for "every version", `new_version` for a local folder."""

    old_path: str
    old_version: str
    new_path: str
    new_version: str


@dataclass(frozen=True)
class GoMod:
    """The part of a go.mod that decides which modules are needed; `go` and `toolchain` are empty if absent."""

    module: str
    go: str
    toolchain: str
    requires: tuple[ModuleVersion, ...]
    replaces: tuple[Replace, ...]
    excludes: tuple[ModuleVersion, ...] = ()
    has_unknown_directive: bool = False  # of a later Go, or misspelt


@dataclass(frozen=True)
class Dependency:
    """The part of a dependency's go.mod that counts for the main module; `go` is empty if absent."""

    module: str
    go: str
    requires: tuple[ModuleVersion, ...]


@dataclass(frozen=True)
class GoWork:
    """The part of a go.work that decides which modules are needed; `go` is empty if absent."""

    go: str
    uses: tuple[str, ...]
    replaces: tuple[Replace, ...]
    has_unknown_directive: bool = False


def parse_gomod(text: str, source: str) -> GoMod:
    """Parse the text of a go.mod; `source` is its name in errors."""
    found = _by_verb(text, source)
    return GoMod(
        module=_module_path(found["module"], source),
        go=_go_version(found["go"]),
        toolchain=_only(found["toolchain"], "toolchain go1.23.0"),
        requires=tuple(ModuleVersion(*line.strings(2, "require module/path v1.2.3")) for line in found["require"]),
        replaces=_replaces(found["replace"]),
        excludes=_excludes(found["exclude"]),
        has_unknown_directive=not _KNOWN.issuperset(found),
    )


def parse_dependency(text: str, source: str) -> Dependency:
    """Parse the go.mod of a dependency, as leniently as Go: other directives than these three do not count there."""
    found = _by_verb(text, source)
    return Dependency(
        module=_module_path(found["module"], source),
        go=_go_version(found["go"], lenient=True),
        requires=tuple(map(_canonical_requirement, found["require"])),
    )


def _canonical_requirement(line: _Directive) -> ModuleVersion:
    path, version = line.strings(2, "require module/path v1.2.3")
    if not semver.canonical(version):
        raise line.error(f"invalid version {version!r}")
    return ModuleVersion(path, semver.canonical(version))


def parse_gowork(text: str, source: str) -> GoWork:
    """Parse the text of a go.work; `source` is its name in errors."""
    found = _by_verb(text, source)
    return GoWork(
        go=_go_version(found["go"]),
        uses=tuple(line.strings(1, "use ./folder")[0] for line in found["use"]),
        replaces=_replaces(found["replace"]),
        has_unknown_directive=not _KNOWN.issuperset(found),
    )


def go_lines(text: str) -> GoLines:
    """Return the two lines of a go.mod or go.work that select a toolchain, as Go finds them: the first of each."""
    found = (line.search(text) for line in (_GO_LINE, _TOOLCHAIN_LINE))
    return GoLines(*(match[1].strip() if match else "" for match in found))


def go_line_at_least(go: str, major: int, minor: int) -> bool:
    """Return whether the version of a go line is at least `major.minor`. Without the line it is 1.16, as for Go."""
    match = _GO_VERSION.fullmatch(go or "1.16")
    if match is None:
        raise ValueError(f"not a Go version: {go!r}")
    # int() refuses thousands of digits. Without leading zeros, the first nine of them are enough.
    return (int(match[1][:9]), int(match[2][:9])) >= (major, minor)


class _Directive(NamedTuple):
    """A line outside blocks, or a line of a block with the block's verb. Its arguments are still quoted."""

    source: str
    line: int
    verb: str
    args: tuple[str, ...]

    def strings(self, count: int, usage: str) -> list[str]:
        if len(self.args) != count:
            raise self.error(f"expected: {usage}")
        return [self.string(index) for index in range(count)]

    def string(self, index: int) -> str:
        try:
            return _unquote(self.args[index])
        except ValueError:
            shown = self.args[index].encode(errors="backslashreplace").decode()
            raise self.error(f"bad string {shown} in a {self.verb} line") from None

    def error(self, problem: str) -> GoSumError:
        return _malformed(self.source, self.line, problem)


def _malformed(source: str, line: int, problem: str) -> GoSumError:
    return GoSumError("go-mod-malformed", source=source, number=line, problem=problem)


def _refuse_damage(text: str, source: str) -> None:
    # The two usual kinds of damage have their own error, because a syntax error would be confusing.
    if any(mark in text for mark in _MARKS) and (damage := _DAMAGE.search(text)):
        problem = f"unresolved merge conflict: {damage[0]}" if damage[0] != "\0" else "NUL byte; not a UTF-8 text"
        number = text.count("\n", 0, damage.start()) + 1
        raise GoSumError("go-mod-malformed", "damaged", source=source, number=number, problem=problem)


def _by_verb(text: str, source: str) -> defaultdict[str, list[_Directive]]:
    _refuse_damage(text, source)
    found: defaultdict[str, list[_Directive]] = defaultdict(list)
    block, opened_at = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            tokens = _tokens(line) if len(line) < _LONGEST_KNOWN else _tokens_of(line)
        except ValueError as refused:
            raise _malformed(source, number, str(refused)) from None
        if not tokens:
            continue
        if opened_at and tokens == (")",):
            opened_at = 0
        elif tokens[0] == ")" or (not opened_at and tokens[0] in "([]{},"):
            raise _malformed(source, number, f"unexpected {' '.join(tokens)}")
        elif opened_at:
            found[block].append(_Directive(source, number, block, tokens))
        elif tokens[-1] == "(" or tokens[-2:] == ("(", ")"):
            block, opened_at = tokens[0], number if tokens[-1] == "(" else 0
            if block in _UNDERSTOOD and tokens[1:] not in (("(",), ("(", ")")):
                raise _malformed(source, number, f"unexpected {' '.join(tokens[1:])} after {block}")
        else:
            found[tokens[0]].append(_Directive(source, number, tokens[0], tokens[1:]))
    if opened_at:
        raise _malformed(source, opened_at, f"the {block} block that starts here is never closed")
    return found


def _tokens_of(line: str) -> tuple[str, ...]:
    """Return the tokens of a line. Raises ValueError with what is wrong with it."""
    tokens = []
    if len(line) > _LONGEST_LINE:  # a token takes a hundred times as much memory
        raise ValueError(f"a line of {len(line)} characters")
    for match in _TOKEN.finditer(line):
        bad, word = match["bad"], match["word"] or ""
        if bad or "/*" in word or not word.isprintable():
            problem = "unterminated string" if bad in {'"', "`"} else f"unexpected {match[0]!r}"
            raise ValueError(problem)
        if match.lastgroup:
            tokens.append(match[0])
    return tuple(tokens)


# The go.mod files of a repository, and of its dependencies, have most lines in common.
_tokens = lru_cache(_MOST_KNOWN)(_tokens_of)


@lru_cache(_MOST_KNOWN)
def _unquote(token: str) -> str:
    """Undo Go's string syntax (https://go.dev/ref/spec#String_literals). Raises ValueError if invalid or empty."""
    if token.startswith('"'):
        characters = _CHARACTER.findall(token, 1, len(token) - 1)
        if "".join(characters) != token[1:-1]:
            raise ValueError("unknown escape")
        value = b"".join(map(_encoded, characters)).decode()
    elif token[0] != "`" and any(quote in token for quote in "\"'`"):
        raise ValueError("quote inside a bare word")
    else:
        value = token.strip("`")
    if not value:
        raise ValueError("empty string")
    value.encode()  # a string may hold bytes that are no text, and no name of a module does
    return value


def _encoded(character: str) -> bytes:
    if not character.startswith("\\"):
        return character.encode()
    # Go's escapes mean the same in Python, except that \x and octal name single bytes of UTF-8.
    return character.encode().decode("unicode_escape").encode("latin-1" if character[1] in "x0123" else "utf-8")


def _only(lines: list[_Directive], usage: str) -> str:
    if len(lines) > 1:
        raise lines[1].error(f"repeated {lines[1].verb} line")
    return lines[0].strings(1, usage)[0] if lines else ""


def _module_path(lines: list[_Directive], source: str) -> str:
    if not lines:
        raise _malformed(source, 1, "there is no module line")
    return _only(lines, "module module/path")


def _go_version(lines: list[_Directive], *, lenient: bool = False) -> str:
    version = _only(lines, "go 1.23.0")
    if lenient and (match := _LENIENT_GO_VERSION.fullmatch(version)):
        return match[1]
    if version and not _GO_VERSION.fullmatch(version):
        raise lines[0].error(f"invalid go version {version}; expected something like 1.23.0")
    return version


def _excludes(lines: list[_Directive]) -> tuple[ModuleVersion, ...]:
    # A repeated one counts once, as in `go mod edit`.
    return tuple(dict.fromkeys(ModuleVersion(*line.strings(2, "exclude module/path v1.2.3")) for line in lines))


def _replaces(lines: list[_Directive]) -> tuple[Replace, ...]:
    # The last of several replacements of one module version counts, as in `go mod edit`.
    return tuple({(replace.old_path, replace.old_version): replace for replace in map(_replace, lines)}.values())


def _replace(line: _Directive) -> Replace:
    arrow = 1 if line.args[1:2] == ("=>",) else 2
    if line.args[arrow : arrow + 1] != ("=>",) or len(line.args) not in {arrow + 2, arrow + 3}:
        raise line.error("expected: replace module/path [v1.2.3] => other/module v1.4.0, or => ./folder")
    new_path = line.string(arrow + 1)
    new_version = line.string(arrow + 2) if len(line.args) == arrow + 3 else ""
    if bool(_FOLDER.match(new_path)) == bool(new_version):
        raise line.error(f"{new_path}: a module needs a version; a folder starts with ./ or ../ or / and has none")
    return Replace(line.string(0), line.string(1) if arrow == 2 else "", new_path, new_version)
