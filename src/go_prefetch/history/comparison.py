"""Before and after: the same figures on both sides of a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from go_prefetch.history.metrics import Delivery, Prefetching, delivery, prefetching
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


def _side(observed: list[Observed], history: History) -> Side:
    return Side(
        prefetching(recorded.record for seen in observed for recorded in seen.records),
        delivery((seen.run for seen in observed), history.default_branch),
    )
