"""The best order of proxies, and the reasons. Pure.

A proxy is rated by the average seconds for one zip of typical size: first byte, transfer, and the cost of failed
attempts. A proxy that protects paths by a `,` keeps its position, and is never left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Literal

from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.measurement import Figures, Measurement, condense
from go_prefetch.golang.goproxy import ProxyList

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
class Rated:
    """A proxy with its rating and its position."""

    candidate: Candidate
    rating: Rating


@dataclass(frozen=True)
class Recommendation:
    """A `goproxy:` line without passwords (or empty), and a reason for each proxy."""

    line: str
    reasons: tuple[str, ...]
    changes: bool = False  # whether it differs from the present list


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
    rate_there = source.transfer.rate or slowest
    again = figures.failed / (1 - figures.failed) * figures.failed_seconds
    seconds = figures.first_byte + (zip_bytes / rate_there if rate_there else 0.0) + again
    lacking = len(source.lacks) / len(source.holdings) if source.holdings else 0.0
    return Rating(source.name, "usable", seconds / (1 - lacking), _why(source, figures))


def _why(source: Measurement, figures: Figures) -> str:
    parts = [f"first byte {milliseconds(figures.first_byte)}"]
    if source.transfer.rate:
        parts.append(pace(source.transfer.rate))
    if figures.failed:
        parts.append(f"{figures.failed:.0%} of requests fail")
    if source.lacks:
        parts.append(f"lacks {len(source.lacks)} of {len(source.holdings)} modules")
    return ", ".join(parts)


def milliseconds(seconds: float | None) -> str:
    """Format a time; a dash for none."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.00995 else f"{seconds * 1e3:.0f} ms"


def pace(rate: float | None) -> str:
    """Format a rate; a dash for none."""
    if rate is None:
        return "-"
    return f"{rate / 1e6:.0f} MB/s" if rate >= 1e8 else f"{rate / 1e6:.1f} MB/s"


def recommend(rated: Sequence[Rated], proxies: ProxyList, written: str) -> Recommendation:
    """Return the line for these candidates, in place of the present list `written`; both without passwords."""
    parts: list[str] = []
    reasons: list[str] = []
    for _, members in groupby(rated, key=lambda one: one.candidate.group):
        group = list(members)
        kept = sorted((one for one in group if _stays(one)), key=_order)
        parts += ["|".join(one.rating.name for one in kept)] if kept else []
        reasons += [_reason(one) for one in kept] + [_left_out(one) for one in group if one not in kept]
    if not parts:
        return Recommendation("", tuple(reasons))
    line = ",".join(parts)
    if proxies.ending:
        line += ("|" if proxies.proxies and proxies.proxies[-1].on_any_error else ",") + proxies.ending
    changes = _words(line) != _words(proxies.shown)
    return Recommendation(line if changes else written, tuple(reasons), changes)


def _stays(one: Rated) -> bool:
    return one.rating.worth in ("usable", "unmeasured") or one.candidate.guards


def _order(one: Rated) -> tuple[bool, float]:
    """Sort each group, fastest first. A proxy that protects paths ends its group, whatever its rating."""
    return one.candidate.guards, math.inf if one.rating.seconds is None else one.rating.seconds


def _reason(one: Rated) -> str:
    if one.rating.worth in ("usable", "unmeasured"):
        return f"{one.rating.name}: {one.rating.why}"
    return f"{one.rating.name} stays, because its `,` protects paths, although it is unusable ({one.rating.why})"


def _left_out(one: Rated) -> str:
    return f"{one.rating.name} is left out: {one.rating.why}"


def _words(line: str) -> list[str]:
    """Return the entries in order. Separators belong to `fallback` too, and are no reason to change a list."""
    return [word.strip() for word in line.replace("|", ",").split(",") if word.strip()]
