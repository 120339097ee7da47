"""The percentile of a few values, by the nearest rank."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the least value that `percent` of the values do not exceed; None if there are none."""
    rank = max(1, -(-percent * len(values) // 100))  # rounded up, in whole numbers
    return sorted(values)[rank - 1] if values else None
