"""A picture of where the time went: a Mermaid diagram if the platform draws it, bars of text otherwise.

It contains fixed words and numbers only.
"""

from __future__ import annotations

from collections.abc import Iterable

from go_prefetch.base.format import duration
from go_prefetch.model.report import Report
from go_prefetch.render.texts import STEPS

_BAR_CHARACTERS = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"
LEAST_SHOWN = 0.05  # seconds; shorter steps have no bar
_MOST_TICKS = 10
_TICKS_MS = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000)


def gantt(report: Report) -> str:
    """Return the steps in sequence, and below them the measured time without the store."""
    total = max(report.seconds, sum(seconds for _, seconds in _cold(report))) * 1000
    tick = next((ms for ms in _TICKS_MS if total / ms <= _MOST_TICKS), _TICKS_MS[-1])
    lines = [
        "gantt",
        "    dateFormat x",
        # Both count from the epoch, whatever the reader's time zone.
        f"    axisFormat {'%s s' if tick >= 1000 else '%Q ms'}",
        f"    tickInterval {tick}millisecond",
        "    section this run",
        *(_tasks([(STEPS[name], seconds) for name, seconds in report.steps.items()]) or ["    nothing :0, 1"]),
    ]
    # Not `done`: in the dark theme its text has the color of its bar.
    cold = _tasks(_cold(report), "active, ")
    lines += ["    section cold run", *cold] if cold else []
    return "\n".join(["```mermaid", *lines, "```"])


def bars(report: Report) -> str:
    """Return the same as bars of text."""
    rows = [(STEPS[name], seconds) for name, seconds in report.steps.items() if seconds >= LEAST_SHOWN]
    rows += [(f"cold {name}", seconds) for name, seconds in _cold(report)]
    longest = max([LEAST_SHOWN, *(seconds for _, seconds in rows)])
    lines = [
        f"{name:<15} {_bar(seconds / longest):<{_BAR_CHARACTERS}} {duration(seconds):>8}" for name, seconds in rows
    ]
    return "\n".join(["```text", *lines, "```"])


def _cold(report: Report) -> list[tuple[str, float]]:
    """Return what the cold run did, if it can be compared with this run: its download, and Go's work if it is known."""
    cold = report.restored.cold
    if cold is None or report.seconds_saved is None:
        return []
    return [("download", cold.seconds), *([("verify", cold.verify_seconds)] if cold.verify_seconds else [])]


def _tasks(parts: Iterable[tuple[str, float]], status: str = "") -> list[str]:
    """Return a bar for each part, one after the other."""
    tasks, at = [], 0
    for name, seconds in parts:
        until = at + round(seconds * 1000)
        if seconds >= LEAST_SHOWN:
            tasks.append(f"    {name} {duration(seconds)} :{status}{at}, {until}")
        at = until
    return tasks


def _bar(share: float) -> str:
    full, rest = divmod(max(1, round(share * _BAR_CHARACTERS * 8)), 8)
    return ("█" * full + _EIGHTHS[rest]).rstrip()
