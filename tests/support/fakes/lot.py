"""Drawing by lot, with the same result in every run."""

from __future__ import annotations

import random
from collections import Counter


class Lot:
    """What befalls the n-th request of a kind depends on seed, kind and n alone: requests at once come in any order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: Counter[str] = Counter()

    def draw(self, kind: str) -> random.Random:
        """The numbers for the next request of this kind."""
        self._drawn[kind] += 1
        return random.Random(f"{self._seed} {self._drawn[kind]} {kind}")
