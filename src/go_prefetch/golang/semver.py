"""Semantic versions as Go writes them: `v1.2.3`, `v1.2.3-pre.1`, `v2.0.0+incompatible`.

Follows golang.org/x/mod/semver, on full three-number versions only: go.sum and a tidy go.mod hold no others.
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
_Number = tuple[int, str]  # as many digits as somebody cared to write: int() has a limit
_Identifier = tuple[int, int, str]
SortKey = tuple[_Number, _Number, _Number, bool, tuple[_Identifier, ...]]


def is_canonical(version: str) -> bool:
    """Whether `version` is complete and carries no build metadata but Go's own `+incompatible`."""
    match = _VERSION.fullmatch(version)
    return match is not None and match["build"] in (None, "+incompatible")


def major(version: str) -> str:
    """`v2` of `v2.3.4`; the empty string if `version` is not a complete version."""
    match = _VERSION.fullmatch(version)
    return f"v{match['major']}" if match else ""


@cache
def sort_key(version: str) -> SortKey:
    """A key that sorts versions by precedence (https://semver.org, 11); build metadata does not count.

    Raises ValueError for what is not a complete version.
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
    """Sorts by value, as there are no leading zeros."""
    return len(digits), digits
