"""A history and every figure that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from go_prefetch.history.comparison import Comparison, compare
from go_prefetch.history.gates import Gate, Limits, gates
from go_prefetch.history.metrics import Delivery, Period, Prefetching, delivery, periods, prefetching
from go_prefetch.history.model import History


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
