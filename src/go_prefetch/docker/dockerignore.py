""".dockerignore by Docker's own rules: those of github.com/moby/patternmatcher, which BuildKit and the clients use.

https://docs.docker.com/build/concepts/context/#dockerignore-files. Paths have slashes and no leading slash. The last
pattern that matches a path or a folder above it decides.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from go_prefetch.docker.linear_matcher import Automaton
from go_prefetch.errors import InputError

_SPECIAL = frozenset(".+()|{}$")  # no special meaning in Go's filepath.Match
_WILD = re.compile(r"[*?\[\]\\]")
_MOST_STARS = 3  # in a pattern that `re` matches, which is slow with many
_PLAIN_SUFFIX = re.compile(r"\*\*[^/*?\[\]\\][^*?\[\]\\]*")  # `**x` matches `yx` too, unlike `**/x`


@dataclass(frozen=True)
class Pattern:
    """One line: what it matches, and whether it includes a path again (`!`)."""

    text: str
    line: int
    includes: bool
    matches: Callable[[str], bool]  # a path, or a folder above it


@dataclass(frozen=True)
class Ignore:
    """The patterns of a .dockerignore, in order."""

    patterns: tuple[Pattern, ...] = ()

    def excludes(self, path: str) -> bool:
        """Return whether `path` stays out of the build context."""
        excluded = False
        for pattern in self.patterns:
            if pattern.includes == excluded and pattern.matches(path):
                excluded = not pattern.includes
        return excluded

    def may_include_below(self, folder: str) -> bool:
        """Return whether the context may contain something below an excluded folder."""
        return any(pattern.includes and _can_reach(pattern.text, folder) for pattern in self.patterns)


def parse_ignore(text: str, source: str) -> Ignore:
    """Parse a .dockerignore; `source` is its name. Raises InputError for a line that no builder accepts."""
    lines = text.removeprefix("\ufeff").split("\n")
    return Ignore(tuple(_patterns(enumerate(lines, start=1), source)))


def _patterns(lines: Iterable[tuple[int, str]], source: str) -> Iterator[Pattern]:
    for number, line in lines:
        if line.startswith("#") or not line.strip():
            continue
        text = line.strip()
        includes = text.startswith("!")
        text = text[1:].strip() if includes else text
        if not text:
            if includes:
                raise _bad(f"{source}:{number}", "`!` alone takes nothing back in")
            continue
        cleaned = posixpath.normpath(text)
        cleaned = re.sub(r"^//", "/", cleaned)  # posixpath keeps two leading slashes, Go does not
        cleaned = cleaned[1:] if len(cleaned) > 1 and cleaned.startswith("/") else cleaned
        if includes:  # normalized again with the mark, as Docker does: `!../../a` becomes plain `a`
            marked = posixpath.normpath(f"!{cleaned}")
            includes, cleaned = marked.startswith("!"), marked.removeprefix("!")
        yield Pattern(cleaned, number, includes, _compiled(cleaned, f"{source}:{number}"))


def _compiled(pattern: str, where: str) -> Callable[[str], bool]:
    """Return a function that matches whole paths, with the same steps as patternmatcher.go."""
    if not _WILD.search(pattern):
        return lambda path: path == pattern or path.startswith(f"{pattern}/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `[[` is a plain class in Go
            expression = _expression(pattern)
            whole = re.compile(expression).fullmatch
            return Automaton(expression).matches_from_top
    except ValueError:
        if pattern.count("*") > _MOST_STARS:
            raise _bad(where, f"{pattern[:100]} has more wildcards than can be looked at") from None
        return lambda path: any(whole(part) for part in _parents(path))
    except re.error as error:
        raise _bad(where, f"{pattern} is no pattern ({error})") from None


def _bad(where: str, problem: str) -> InputError:
    return InputError("dockerignore-malformed", where=where, problem=problem)


def _expression(pattern: str) -> str:
    if _PLAIN_SUFFIX.fullmatch(pattern):
        return ".*" + re.escape(pattern[2:])
    expression, at = "", 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*" and pattern[at : at + 1] == "*":
            at += 1 + (pattern[at + 1 : at + 2] == "/")
            expression += ".*" if at >= len(pattern) else "(?:.*/)?"
        elif character == "\\" and at < len(pattern):
            expression += re.escape(pattern[at])
            at += 1
        else:
            expression += _translated(character)
    return expression


def _translated(character: str) -> str:
    if character == "*":
        return "[^/]*"
    if character == "?":
        return "[^/]"
    return "\\" + character if character in _SPECIAL or character == "\\" else character


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _can_reach(pattern: str, folder: str) -> bool:
    """Return whether a pattern could match below `folder`, judged by its leading parts without wildcards."""
    for mine, theirs in zip(pattern.split("/"), folder.split("/"), strict=False):
        if re.search(r"[*?\[\\]", mine):
            return True
        if mine != theirs:
            return False
    return True
