"""Module paths and versions: which are valid, their spelling on disk, which are private.

Follows golang.org/x/mod/module. A path or version that fails `check` never becomes a file name or a URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from go_prefetch.golang import semver

# The module of the Go toolchains. It is never part of a build list, and go.sum never has its hash (see toolchain.py).
TOOLCHAIN = "golang.org/toolchain"

_ELEMENT = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
_FIRST_ELEMENT = re.compile(r"[a-z0-9.-]+", re.ASCII)
_WINDOWS_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])", re.IGNORECASE)
_WINDOWS_SHORT_NAME = re.compile(r".*~[0-9]+", re.DOTALL)
_GOPKG_MAJOR = re.compile(r"\.v(?:0|[1-9][0-9]*(?:-unstable)?)$")
_TRAILING_MAJOR = re.compile(r"/v([0-9.]+)$")
# path.Match, token by token.
_GLOB_RANGE = re.compile(r"(\\.|[^\\\]-])(?:-(\\.|[^\\\]-]))?", re.DOTALL)
_GLOB_TOKEN = re.compile(
    rf"[*?]|\[(?P<negated>\^|(?!\^))(?P<ranges>(?:{_GLOB_RANGE.pattern})+)\]|\\(?P<escaped>.)|[^*?\[\\]", re.DOTALL
)
_CAPITAL = re.compile("[A-Z]")


class ModuleVersion(NamedTuple):
    """One version of one module, as go.mod and go.sum name it."""

    path: str
    version: str

    def __str__(self) -> str:
        return f"{self.path}@{self.version}"


@cache
def check(path: str, version: str) -> str:
    """Return why Go would not accept `path` at `version` as a module version, or an empty string if it would.

    The rules are those of x/mod's `module.Check`. In addition, the version must be canonical.
    """
    if not semver.is_canonical(version):
        return f"version {version!r} is not canonical"
    problem = _path_problem(path)
    if problem:
        return problem
    major_suffix = _major_suffix(path)
    if major_suffix is None:
        return f"path {path!r} ends in a malformed major version"
    if not _major_fits(version, major_suffix):
        return f"version {version} does not belong to path {path!r}"
    return ""


def _path_problem(path: str) -> str:
    first, *rest = path.split("/")
    if first.startswith("-") or "." not in first or not _FIRST_ELEMENT.fullmatch(first):
        return f"path {path!r} does not begin with a host name"
    if not all(_element_is_fine(element) for element in (first, *rest)):
        return f"path {path!r} has an element that Go does not allow"
    return ""


def _element_is_fine(element: str) -> bool:
    short = element.split(".", 1)[0]
    return bool(
        _ELEMENT.fullmatch(element)
        and not element.startswith(".")
        and not element.endswith(".")
        and not _WINDOWS_RESERVED.fullmatch(short)
        and not _WINDOWS_SHORT_NAME.fullmatch(short)
    )


def _major_suffix(path: str) -> str | None:
    """Return `/v2`, `.v2` or an empty string; None for an invalid suffix (`/v1`, `/v02`, gopkg.in without one)."""
    if path.startswith("gopkg.in/"):
        match = _GOPKG_MAJOR.search(path)
        return match.group().removesuffix("-unstable") if match else None
    match = _TRAILING_MAJOR.search(path)
    if match is None:
        return ""
    digits = match[1]
    malformed = "." in digits or digits.startswith("0") or digits == "1"
    return None if malformed else f"/v{digits}"


def _major_fits(version: str, major_suffix: str) -> bool:
    if major_suffix == "":
        return semver.major(version) in ("v0", "v1") or version.endswith("+incompatible")
    if major_suffix == ".v1" and version.startswith("v0.0.0-"):
        return True  # gopkg.in before modules existed
    return semver.major(version) == major_suffix[1:]


def escape(text: str) -> str:
    """Spell `text` as the module cache and the proxy protocol do: each upper-case letter as `!` and its lower case."""
    return _CAPITAL.sub(lambda letter: "!" + letter.group().lower(), text)


def unescape(text: str) -> str:
    """Undo `escape`."""
    return re.sub(r"!([a-z])", lambda letter: letter[1].upper(), text)


def matches_prefix_patterns(patterns: str, path: str) -> bool:
    """Return whether one of the comma-separated `patterns` (GOPRIVATE, GONOPROXY, GONOSUMDB) matches a prefix of it.

    As x/mod's `MatchPrefixPatterns`: a pattern of n elements is compared with the first n elements of the path.
    """
    elements = path.split("/")
    for pattern in patterns.split(","):
        wanted = pattern.removesuffix("/")
        count = wanted.count("/") + 1
        if wanted and count <= len(elements) and _matches(_glob(wanted), "/".join(elements[:count])):
            return True
    return False


class _Class(NamedTuple):
    """One character of a pattern: in one of the `ranges` of first and last characters, or in none of them."""

    ranges: Sequence[tuple[str, str]]
    negated: bool = False

    def holds(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) is not self.negated


_STAR = "*"  # any number of characters that are no slash
_WILDCARDS: Mapping[str, _Class | str] = {"*": _STAR, "?": _Class([("/", "/")], negated=True)}
# No character at all: a pattern with it matches nothing.
_NOTHING = _Class([])


@cache
def _glob(pattern: str) -> Sequence[_Class | str]:
    """Return the tokens of a pattern of Go's `path.Match`. A malformed pattern matches nothing."""
    tokens: list[_Class | str] = []
    position = 0
    while position < len(pattern):
        token = _GLOB_TOKEN.match(pattern, position)
        if token is None:
            return [_NOTHING]
        position = token.end()
        if token["ranges"]:
            pairs = [(low[-1], (high or low)[-1]) for low, high in _GLOB_RANGE.findall(token["ranges"])]
            tokens.append(_Class(pairs, negated=bool(token["negated"])))
        else:
            character = token["escaped"] or token[0]
            tokens.append(_WILDCARDS.get(token[0]) or _Class([(character, character)]))
    return tokens


def _matches(tokens: Sequence[_Class | str], text: str) -> bool:
    """Return whether the tokens match the whole text.

    As `path.Match`, only the last star ever takes more after a mismatch. So no pattern takes longer than the product
    of both lengths.
    """
    token = at = 0
    star = taken = -1  # the place of the last star, and where its share of the text ends
    while True:
        wanted = tokens[token] if token < len(tokens) else None
        if wanted is None and at == len(text):
            return True
        if wanted == _STAR:
            star, taken = token, at
            token += 1
        elif isinstance(wanted, _Class) and at < len(text) and wanted.holds(text[at]):
            token, at = token + 1, at + 1
        elif 0 <= taken < len(text) and text[taken] != "/":
            taken += 1
            token, at = star + 1, taken
        else:
            return False
