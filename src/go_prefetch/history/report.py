"""A history and every figure that follows from it: both sides of a moment compared, gates passed or missed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from go_prefetch.history.metrics import Delivery, Period, Prefetching, figures, periods
from go_prefetch.history.model import History

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
    """One figure, its limit, and what was measured."""

    flag: str
    wanted: str
    measured: str
    passed: bool


@dataclass(frozen=True)
class Limits:
    """The limits of gates; None: no such gate. Rates are shares from 0 to 1."""

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
    """Return all figures of a history. `split` is a moment to compare around, and how the user named it."""
    days = _days(_beginning(history), history.now)
    prefetched, delivered = figures(history.runs, history.default_branch, days)
    return HistoryReport(
        history=history,
        prefetching=prefetched,
        delivery=delivered,
        periods=tuple(periods(history.runs, history.default_branch)),
        comparison=compare(history, *split) if split else None,
        gates=gates(limits, prefetched, delivered),
    )


def compare(history: History, moment: datetime, label: str) -> Comparison:
    """Compare the runs before `moment` with those from it on."""
    before = [observed for observed in history.runs if observed.run.created < moment]
    after = [observed for observed in history.runs if observed.run.created >= moment]
    branch, days_before = history.default_branch, _days(_beginning(history), moment)
    was, now = figures(before, branch, days_before), figures(after, branch, _days(moment, history.now))
    return Comparison(label, moment, Side(*was), Side(*now))


def _beginning(history: History) -> datetime | None:
    """Return when the time of a history began. Older runs than the first may not have been read."""
    runs, selection = history.runs, history.selection
    is_whole = len(runs) < selection.most and not history.incomplete_because
    if selection.since and is_whole:
        return selection.since
    return runs[0].run.created if runs else None


def _days(begin: datetime | None, end: datetime) -> float | None:
    return (end - begin) / timedelta(days=1) if begin and end > begin else None


def interval(count: int, total: int) -> tuple[float, float] | None:
    """Return the two shares that the true one lies between, 19 times in 20 (Wilson's score interval)."""
    if total <= 0:
        return None
    share = count / total
    middle = (share + _Z**2 / (2 * total)) / (1 + _Z**2 / total)
    half = _Z / (1 + _Z**2 / total) * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def gates(limits: Limits, prefetched: Prefetching, delivered: Delivery) -> tuple[Gate, ...]:
    """Return the gates that have a limit. One without a measurement is missed: an empty report proves nothing."""
    p95, failures = prefetched.seconds_p95, delivered.failure_rate
    every = [
        _gate("--min-hit-rate", "at least", limits.min_hit_rate, _hit_rate(prefetched), _percent, lowest=True),
        _gate("--max-p95-seconds", "at most", limits.max_p95_seconds, p95, _seconds, lowest=False),
        _gate("--max-failure-rate", "at most", limits.max_failure_rate, failures, _percent, lowest=False),
    ]
    return tuple(gate for gate in every if gate)


def _hit_rate(prefetched: Prefetching) -> float | None:
    """Return the hit rate by modules; 1 if every module was present before, so that none could be missed."""
    if not prefetched.modules_wanted and prefetched.results.get("present"):
        return 1.0
    return prefetched.hit_rate_by_modules


def _gate(
    flag: str, word: str, limit: float | None, measured: float | None, text: Callable[[float], str], *, lowest: bool
) -> Gate | None:
    if limit is None:
        return None
    if measured is None:
        return Gate(flag, f"{word} {text(limit)}", "nothing to measure it by", passed=False)
    passed = measured >= limit if lowest else measured <= limit
    return Gate(flag, f"{word} {text(limit)}", text(measured), passed)


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"


def _seconds(seconds: float) -> str:
    return f"{seconds:.6g} s"
