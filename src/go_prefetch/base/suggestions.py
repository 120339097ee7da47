"""The name that a mistyped one was meant to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_LIKENESS = 0.55  # from 0 to 1
_LONGEST = 200  # characters; the comparison takes time


def closest(given: str, names: Iterable[str], likeness: float = _LIKENESS) -> str:
    """Return the name that most resembles `given`; empty if none does.

    Capitals, dashes and underscores do not count, because they are often mistyped.
    """
    letters = {_letters(name): name for name in names}
    close = difflib.get_close_matches(_letters(given[:_LONGEST]), letters, 1, likeness)
    return letters[close[0]] if close else ""


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
