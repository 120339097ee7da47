"""Which order of proxies is best, and why. Pure.

A proxy is rated by the seconds it needs, on average, to bring one zip of usual size: its first byte, the transfer, and
what attempts that fail cost. A proxy that protects paths by a `,` keeps its place, and is never left out.
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

# usable: brings modules. empty: answers, and has none of them, though others do. unusable: brings nothing that could be
# used. unmeasured: there was no time, or nothing to ask for.
Worth = Literal["usable", "empty", "unusable", "unmeasured"]


@dataclass(frozen=True)
class Rating:
    """What a source is worth. `seconds` is per zip of usual size, where it is usable."""

    name: str
    worth: Worth
    seconds: float | None
    why: str  # the measured reason; where it is not usable, what is wrong


@dataclass(frozen=True)
class Rated:
    """A proxy with its rating and its place."""

    candidate: Candidate
    rating: Rating


@dataclass(frozen=True)
class Recommendation:
    """A `goproxy:` line without passwords (empty: there is none to give), and a reason for each proxy."""

    line: str
    reasons: tuple[str, ...]
    changes: bool = False  # whether it differs from the list there is


def usual_size(sources: Sequence[Measurement]) -> int:
    """Bytes of the median zip, as far as any source gave sizes; 0 if none did."""
    sizes = {holding.module: holding.size for source in sources for holding in source.holdings if holding.size}
    return int(median(sizes.values())) if sizes else 0


def rate(sources: Sequence[Measurement], zip_bytes: int) -> tuple[Rating, ...]:
    """A rating for each source; where a rate was not measured, the slowest of the others stands in for it.

    A source that lacks half of the modules takes twice as long for each that it brings.
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
    """A time as people read it; a dash for none."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.00995 else f"{seconds * 1e3:.0f} ms"


def pace(rate: float | None) -> str:
    """A rate as people read it; a dash for none."""
    if rate is None:
        return "-"
    return f"{rate / 1e6:.0f} MB/s" if rate >= 1e8 else f"{rate / 1e6:.1f} MB/s"


def recommend(rated: Sequence[Rated], proxies: ProxyList, written: str) -> Recommendation:
    """The line for these candidates, in place of the list there is, which is `written` so; both without passwords."""
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
    """Within a group the fastest first; one that protects paths ends its group, whatever it is worth."""
    return one.candidate.guards, math.inf if one.rating.seconds is None else one.rating.seconds


def _reason(one: Rated) -> str:
    if one.rating.worth in ("usable", "unmeasured"):
        return f"{one.rating.name}: {one.rating.why}"
    return f"{one.rating.name} stays, though it is of no use ({one.rating.why}): its `,` protects paths"


def _left_out(one: Rated) -> str:
    return f"{one.rating.name} is left out: {one.rating.why}"


def _words(line: str) -> list[str]:
    """The entries in order. Separators are `fallback`'s business as well, and no reason to change a list."""
    return [word.strip() for word in line.replace("|", ",").split(",") if word.strip()]
