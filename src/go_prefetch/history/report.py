"""A history and every figure that follows from it: both sides of a moment compared, gates passed or missed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from go_prefetch.history.metrics import Delivery, Period, Prefetching, delivery, periods, prefetching
from go_prefetch.history.model import History, Observed

FEW = 20  # runs on one side; fewer tell little
_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Side:
    """One side of the moment."""

    prefetching: Prefetching
    delivery: Delivery


@dataclass(frozen=True)
class Comparison:
    """Both sides. `label` is how the user named the moment."""

    label: str
    moment: datetime
    before: Side
    after: Side

    @property
    def is_thin(self) -> bool:
        """Whether one side has few runs."""
        return min(self.before.delivery.runs, self.after.delivery.runs) < FEW

    @property
    def failures_differ(self) -> bool | None:
        """Whether the failure rates differ by more than chance explains; None where a side has none."""
        sides = [
            interval(side.delivery.failed, side.delivery.succeeded + side.delivery.failed)
            for side in (self.before, self.after)
        ]
        if sides[0] is None or sides[1] is None:
            return None
        return sides[0][1] < sides[1][0] or sides[1][1] < sides[0][0]


@dataclass(frozen=True)
class Gate:
    """One figure, what was wanted of it, and what was measured (None: nothing to measure it by)."""

    flag: str
    wanted: str
    measured: str
    passed: bool


@dataclass(frozen=True)
class Limits:
    """What was asked for; None: no such gate. Rates are shares from 0 to 1."""

    min_hit_rate: float | None = None
    max_p95_seconds: float | None = None
    max_failure_rate: float | None = None


@dataclass(frozen=True)
class HistoryReport:
    """What `go-prefetch report` shows."""

    history: History
    prefetching: Prefetching
    delivery: Delivery
    periods: tuple[Period, ...]
    comparison: Comparison | None
    gates: tuple[Gate, ...]


def history_report(history: History, limits: Limits, split: tuple[datetime, str] | None) -> HistoryReport:
    """All figures of a history. `split` is a moment to compare around, and how the user named it."""
    prefetched = prefetching(recorded.record for _, recorded in history.records())
    delivered = delivery((seen.run for seen in history.observed), history.default_branch)
    return HistoryReport(
        history=history,
        prefetching=prefetched,
        delivery=delivered,
        periods=tuple(periods(history.observed, history.default_branch)),
        comparison=compare(history, *split) if split else None,
        gates=gates(limits, prefetched, delivered),
    )


def compare(history: History, moment: datetime, label: str) -> Comparison:
    """The history before `moment`, and from it on."""
    before = [seen for seen in history.observed if seen.run.created < moment]
    after = [seen for seen in history.observed if seen.run.created >= moment]
    return Comparison(label, moment, _side(before, history), _side(after, history))


def interval(count: int, total: int) -> tuple[float, float] | None:
    """Between which two shares the true one lies, 19 times in 20 (Wilson's score interval); None of none."""
    if total <= 0:
        return None
    share = count / total
    middle = (share + _Z**2 / (2 * total)) / (1 + _Z**2 / total)
    half = _Z / (1 + _Z**2 / total) * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def gates(limits: Limits, prefetched: Prefetching, delivered: Delivery) -> tuple[Gate, ...]:
    """Every gate that was asked for. What could not be measured passes none: an empty report proves nothing."""
    p95, failures = prefetched.seconds_p95, delivered.failure_rate
    asked = [
        _gate("--min-hit-rate", "at least", limits.min_hit_rate, _hit_rate(prefetched), _percent, lowest=True),
        _gate("--max-p95-seconds", "at most", limits.max_p95_seconds, p95, _seconds, lowest=False),
        _gate("--max-failure-rate", "at most", limits.max_failure_rate, failures, _percent, lowest=False),
    ]
    return tuple(gate for gate in asked if gate)


def _side(observed: list[Observed], history: History) -> Side:
    return Side(
        prefetching(recorded.record for seen in observed for recorded in seen.records),
        delivery((seen.run for seen in observed), history.default_branch),
    )


def _hit_rate(prefetched: Prefetching) -> float | None:
    """By modules; where every module was there before, nothing was left to miss."""
    if not prefetched.modules_wanted and prefetched.results.get("present"):
        return 1.0
    return prefetched.hit_rate_by_modules


def _gate(
    flag: str, word: str, limit: float | None, measured: float | None, shown: Callable[[float], str], *, lowest: bool
) -> Gate | None:
    if limit is None:
        return None
    if measured is None:
        return Gate(flag, f"{word} {shown(limit)}", "nothing to measure it by", passed=False)
    passed = measured >= limit if lowest else measured <= limit
    return Gate(flag, f"{word} {shown(limit)}", shown(measured), passed)


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"


def _seconds(seconds: float) -> str:
    return f"{seconds:.6g} s"
