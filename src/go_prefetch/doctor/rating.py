"""What a source is worth: the average seconds for one zip of typical size. Pure.

They are the first byte, the transfer, and the cost of failed attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from go_prefetch.base.format import milliseconds, pace
from go_prefetch.doctor.measurement import Figures, Measurement, condense

# usable: has modules. empty: answers, but has no module, while others do. unusable: sends nothing usable. unmeasured:
# there was no time, or nothing to request.
Worth = Literal["usable", "empty", "unusable", "unmeasured"]


@dataclass(frozen=True)
class Rating:
    """The rating of a source. `seconds` is per zip of typical size, if it is usable."""

    name: str
    worth: Worth
    seconds: float | None
    why: str  # the measured reason, or the problem if it is not usable


@dataclass(frozen=True)
class Row:
    """One source: its figures and its rating."""

    measurement: Measurement
    figures: Figures
    rating: Rating
    rank: int  # 1 is the best proxy; 0: the store, or an unusable proxy
    speed: float  # 0 to 1: the share of the best one's


def usual_size(sources: Sequence[Measurement]) -> int:
    """Return the bytes of the median zip, from any source with sizes; 0 if there is none."""
    sizes = {holding.module: holding.size for source in sources for holding in source.holdings if holding.size}
    return int(median(sizes.values())) if sizes else 0


def rate(sources: Sequence[Measurement], zip_bytes: int) -> tuple[Rating, ...]:
    """Return a rating for each source. A missing rate is replaced by the slowest of the others.

    A source that lacks half of the modules takes twice as long for each that it has.
    """
    slowest = min((source.transfer.rate for source in sources if source.transfer.rate), default=None)
    some_have = any(source.holdings and not source.is_empty for source in sources if source.role == "list")
    return tuple(_rating(source, zip_bytes, slowest, others_have=some_have) for source in sources)


def _rating(source: Measurement, zip_bytes: int, slowest: float | None, *, others_have: bool) -> Rating:
    figures = condense(source.samples)
    if figures.samples and figures.failed == 1:
        return Rating(source.name, "unusable", None, figures.failures[0][0])
    if source.is_empty:
        alone = source.role == "list" and not others_have
        words = f"it has none of the {len(source.holdings)} modules"
        return Rating(source.name, "unusable" if alone else "empty", None, words)
    if source.holdings and len(source.unclear) == len(source.holdings):
        return Rating(source.name, "unusable", None, source.unclear[0].failure)
    if figures.first_byte is None:
        return Rating(source.name, "unmeasured", None, "it was not measured")
    if not source.has_modules:
        return Rating(source.name, "usable", None, _why(source, figures))
    seconds = seconds_per_zip(source, figures, zip_bytes, source.transfer.rate or slowest)
    lacking = len(source.lacks) / len(source.holdings) if source.holdings else 0.0
    return Rating(source.name, "usable", seconds / (1 - lacking), _why(source, figures))


def seconds_per_zip(source: Measurement, figures: Figures, zip_bytes: int, rate: float | None) -> float:
    """Return the average seconds for a zip that the source has: first byte, transfer, failed attempts before it.

    A source that sends all zips in one answer has no first byte for each of them.
    """
    first = 0.0 if source.is_archive else figures.first_byte or 0.0
    again = figures.failed / (1 - figures.failed) * figures.failed_seconds if figures.failed < 1 else 0.0
    return first + (zip_bytes / rate if rate else 0.0) + again


def _why(source: Measurement, figures: Figures) -> str:
    parts = [f"first byte {milliseconds(figures.first_byte)}"]
    if source.transfer.rate:
        parts.append(pace(source.transfer.rate))
    if figures.failed:
        parts.append(f"{figures.failed:.0%} of requests fail")
    if source.lacks:
        parts.append(f"lacks {len(source.lacks)} of {len(source.holdings)} modules")
    return ", ".join(parts)


def rows_of(sources: Sequence[Measurement], ratings: Sequence[Rating]) -> tuple[Row, ...]:
    """Return the sources in order of rank, the store last."""
    proxies = [rating.seconds for source, rating in zip(sources, ratings, strict=True) if source.is_proxy]
    order = sorted(seconds for seconds in proxies if seconds is not None)
    best = min((rating.seconds for rating in ratings if rating.seconds is not None), default=0.0)
    rows = [
        Row(
            source,
            condense(source.samples),
            rating,
            rank=0 if rating.seconds is None or not source.is_proxy else 1 + order.index(rating.seconds),
            speed=0.0 if rating.seconds is None else best / rating.seconds if rating.seconds else 1.0,
        )
        for source, rating in zip(sources, ratings, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (not row.measurement.is_proxy, row.rank == 0, row.rank)))
