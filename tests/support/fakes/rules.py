"""Which of the requests that a fake gets fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

Kind = TypeVar("Kind")


@dataclass
class Rule(Generic[Kind]):
    """Which paths fail, how, how many times more (None: always), and which requests for them, counted from 1."""

    pattern: str
    fault: Kind
    remaining: int | None
    picks: Callable[[int], bool]
    seen: int = 0

    def befalls(self, path: str) -> bool:
        """Whether this request is one of those that fail; counts it."""
        if self.remaining == 0 or not fnmatchcase(path, self.pattern):
            return False
        self.seen += 1
        if not self.picks(self.seen):
            return False
        self.remaining = None if self.remaining is None else self.remaining - 1
        return True
