"""Match patterns of .dockerignore in linear time. An author of both pattern and path must not be able to cost hours.

Docker's own matcher is linear too (Go's regexp). Python's `re` tries every way to share a path among the wildcards.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# The parts that dockerignore.py makes of a pattern: folders with their slash, or nothing; one character, or any number.
_ATOM = re.compile(
    r"(?P<folders>\(\?:\.\*/\)\?)|(?P<one>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[*()?^])(?P<many>\*?)", re.DOTALL
)
_MOST_REMEMBERED = 10_000

_States = frozenset[int]


class Automaton:
    """Matches `expression`. Raises ValueError if it has other parts than those above, and re.error as `re` does.

    State i: the parts before part i are matched. State -1 - i: inside the folders that are part i.
    """

    def __init__(self, expression: str) -> None:
        self._parts: list[Callable[[str], object] | None] = []  # None: folders
        self._repeats: list[bool] = []
        at = 0
        while at < len(expression):
            atom = _ATOM.match(expression, at)
            if atom is None:
                raise ValueError(expression)
            self._parts.append(re.compile(atom["one"]).fullmatch if atom["one"] else None)
            self._repeats.append(bool(atom["folders"] or atom["many"]))
            at = atom.end()
        self._begin = self._closed({0})
        self._known: dict[tuple[_States, str], _States] = {}

    def matches_from_top(self, path: str) -> bool:
        """Return whether the pattern matches `path` or a folder above it."""
        states, end = self._begin, len(self._parts)
        for character in path:
            if character == "/" and end in states:
                return True
            known = self._known.get((states, character))
            states = self._stepped(states, character) if known is None else known
            if not states:
                return False
        return end in states

    def _stepped(self, states: _States, character: str) -> _States:
        following: set[int] = set()
        for state in states:
            part = -1 - state if state < 0 else state
            if part == len(self._parts):
                continue
            takes = self._parts[part]
            if takes is None:
                if character != "\n":  # a dot does not match it
                    following |= {-1 - part, part + 1} if character == "/" else {-1 - part}
            elif takes(character):
                following.add(part if self._repeats[part] else part + 1)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        closed = self._known[states, character] = self._closed(following)
        return closed

    def _closed(self, states: set[int]) -> _States:
        """Return these states, and those that are reached by leaving out optional parts."""
        every = set(states)
        for state in states:
            part = state
            while 0 <= part < len(self._parts) and self._repeats[part]:
                part += 1
                every.add(part)
        return frozenset(every)
