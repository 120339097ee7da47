"""The name that a mistyped one was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LIKENESS = 0.55  # from 0 to 1
_LONGEST = 253  # characters, as many as a host may have (RFC 1035); the comparison takes time


def closest(given: str, names: Iterable[str], likeness: float = _LIKENESS) -> str:
    """Return the name that most resembles `given`; empty if none does.

    Capitals, dashes and underscores do not count, because they are often mistyped.
    """
    letters = {_letters(name): name for name in names}
    return letters.get(most_similar(_letters(given[:_LONGEST]), letters, likeness), "")


def most_similar(given: str, names: Iterable[str], likeness: float) -> str:
    """Return the name that most resembles `given`, letter by letter; empty if none is that similar (from 0 to 1)."""
    import difflib  # noqa: PLC0415 - a run without a mistake does not wait for this import

    return next(iter(difflib.get_close_matches(given[:_LONGEST], [*names], 1, likeness)), "")


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
