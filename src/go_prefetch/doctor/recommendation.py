"""The best order of proxies, and the reasons. Pure.

A proxy that protects paths by a `,` keeps its position, and is never left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.rating import Rating
from go_prefetch.golang.goproxy import ProxyList


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
