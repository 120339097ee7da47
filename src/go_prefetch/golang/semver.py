"""Semantic versions as Go writes them: `v1.2.3`, `v1.2.3-pre.1`, `v2.0.0+incompatible`.

Follows golang.org/x/mod/semver, for complete three-number versions only: go.sum and a tidy go.mod have no others.
"""

from __future__ import annotations

import re
from functools import cache

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"v(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?P<build>\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_SHORT = re.compile(rf"v{_NUMBER}(?:\.{_NUMBER})?", re.ASCII)
_Number = tuple[int, str]  # any number of digits: int() has a limit
_Identifier = tuple[int, int, str]
SortKey = tuple[_Number, _Number, _Number, bool, tuple[_Identifier, ...]]


@cache
def is_canonical(version: str) -> bool:
    """Return whether `version` is complete and has no build metadata except Go's own `+incompatible`."""
    match = _VERSION.fullmatch(version)
    return match is not None and match["build"] in (None, "+incompatible")


@cache
def canonical(version: str) -> str:
    """Return `version` with three numbers and without build metadata except `+incompatible`; empty if it is none.

    `v1` is v1.0.0, and `v1.2` is v1.2.0. A go.mod of a dependency may have such a version.
    """
    padded = version + (".0" * (2 - version.count(".")) if _SHORT.fullmatch(version) else "")
    match = _VERSION.fullmatch(padded)
    if match is None:
        return ""
    return padded if match["build"] in (None, "+incompatible") else padded.partition("+")[0]


def major(version: str) -> str:
    """Return `v2` of `v2.3.4`, or an empty string if `version` is not complete."""
    match = _VERSION.fullmatch(version)
    return f"v{match['major']}" if match else ""


@cache
def sort_key(version: str) -> SortKey:
    """Return a key that sorts versions by precedence (https://semver.org, 11). Build metadata does not count.

    Raises ValueError for a version that is not complete.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"not a semantic version: {version!r}")
    pre: tuple[_Identifier, ...] = ()
    if match["pre"]:
        # Numbers sort below words, and by value.
        pre = tuple((0, *_number(part)) if part.isdigit() else (1, 0, part) for part in match["pre"].split("."))
    return _number(match["major"]), _number(match["minor"]), _number(match["patch"]), not pre, pre


def _number(digits: str) -> _Number:
    """Return a key that sorts by value, because there are no leading zeros."""
    return len(digits), digits
