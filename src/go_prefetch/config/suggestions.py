"""What is close to an input and is none: variables, which nobody reads and nobody would notice; flags, commands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from go_prefetch.config.inputs import GITLAB, OTHER_VARIABLES, Input

_PREFIX = "GO_PREFETCH_"
_CLOSE = 0.75  # share of the letters
_CLOSE_ON_OUR_COMMAND_LINE = 0.55  # where nothing can be meant for another program
_HIT_RATE = "GO_PREFETCH_HIT_RATE"  # an output as GitLab hands it to later jobs; the others are close to no input


def misspelt(environ: Mapping[str, str], rows: Iterable[Input]) -> list[tuple[str, str]]:
    """Each variable that is set, close to that of an input and no variable of ours, with the input's, by name."""
    right = {row.variable for row in (*rows, *GITLAB)}
    ours = right | OTHER_VARIABLES | {_HIT_RATE}
    found = []
    for name in sorted(environ):
        given = _letters(name)
        if name in ours or not environ[name] or not given.startswith(_letters(_PREFIX)):
            continue
        meant = closest(given.removeprefix(_letters(_PREFIX)), sorted(right), _CLOSE)
        found += [(name, meant)] if meant else []
    return found


def closest(given: str, names: Iterable[str], share: float = _CLOSE_ON_OUR_COMMAND_LINE) -> str:
    """The name that `given`, a flag, a command or a variable without its prefix, was meant to be; empty if none is."""
    letters = {_letters(name.removeprefix(_PREFIX)): name for name in names}
    close = difflib.get_close_matches(_letters(given), letters, 1, share)
    return letters[close[0]] if close else ""


def _letters(name: str) -> str:
    """What people mix up left out: underscores, dashes, capitals."""
    return re.sub("[^a-z0-9]", "", name.lower())
