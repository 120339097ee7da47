"""Figures as text for people."""

from __future__ import annotations

from go_prefetch.base.format import duration as plain_duration

UNKNOWN = "–"  # noqa: RUF001 - a dash in place of a figure


def percent(share: float | None) -> str:
    """Return a share as a percentage. Only all is 100%, and only none is 0%."""
    if share is None:
        return UNKNOWN
    rounded = round(100 * share, 1)
    if rounded == 100 and share < 1:
        return "over 99.9%"
    if rounded == 0 and share > 0:
        return "under 0.1%"
    return f"{rounded:g}%"


def count(number: float | None) -> str:
    """Return a whole number."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def rate(number: float | None) -> str:
    """Return a number that need not be whole."""
    return UNKNOWN if number is None else f"{number:,.1f}"


def seconds(taken: float | None) -> str:
    """Return seconds as seconds."""
    return UNKNOWN if taken is None else f"{taken:.1f} s"


def duration(taken: float | None) -> str:
    """Return seconds in the units that fit, with a sign if they are negative."""
    if taken is None:
        return UNKNOWN
    return f"-{plain_duration(-taken)}" if taken < 0 else plain_duration(taken)


def clock(taken: float | None) -> str:
    """Return the same for a scale: `20 s`, `2 min`, `3 h`."""
    if taken is None or taken < 60:
        return UNKNOWN if taken is None else f"{taken:.3g} s"
    return "1 min" if taken == 60 else duration(taken).removesuffix(" 0 s").removesuffix(" 0 min").removesuffix(" 0 h")


def plural(number: int, one: str, many: str = "") -> str:
    """Return `1 run`, `2,000 runs`, `3 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def points(before: float | None, after: float | None) -> str:
    """Return how far two shares are apart, in points of a percentage."""
    return UNKNOWN if before is None or after is None else f"{100 * (after - before):+.1f} points"


def difference(before: float | None, after: float | None) -> str:
    """Return how much more or less the second is, relative to the first."""
    if before is None or after is None or not before:
        return UNKNOWN
    change = 100 * (after - before) / abs(before)
    return "same" if abs(change) < 0.5 else f"{change:+.0f}%"
