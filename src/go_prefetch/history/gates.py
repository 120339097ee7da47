"""Gates: figures that must not be worse than was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from go_prefetch.history.metrics import Delivery, Prefetching


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


def gates(limits: Limits, prefetched: Prefetching, delivered: Delivery) -> tuple[Gate, ...]:
    """Every gate that was asked for. What could not be measured passes none: an empty report proves nothing."""
    p95, failures = prefetched.seconds_p95, delivered.failure_rate
    asked = [
        _gate("--min-hit-rate", "at least", limits.min_hit_rate, _hit_rate(prefetched), _percent, lowest=True),
        _gate("--max-p95-seconds", "at most", limits.max_p95_seconds, p95, _seconds, lowest=False),
        _gate("--max-failure-rate", "at most", limits.max_failure_rate, failures, _percent, lowest=False),
    ]
    return tuple(gate for gate in asked if gate)


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
