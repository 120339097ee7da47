"""Samples of a watch."""

from __future__ import annotations

from go_prefetch.doctor.measurement import Sample


def watched(after: float, *, lost: bool = False) -> Sample:
    """One good or lost sample, so many seconds after the watch began."""
    if lost:
        return Sample(0.004, 0.009, 0.0185, None, 15.0, "no answer within 15s", lost=True, after=after)
    return Sample(0.004, 0.009, 0.0185, 0.06, 0.1, after=after)
