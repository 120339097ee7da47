"""A picture of where the time went: a Mermaid diagram if the platform draws it, bars of text otherwise.

It contains fixed words and numbers only.
"""

from __future__ import annotations

from go_prefetch.base.format import duration
from go_prefetch.model.report import Report
from go_prefetch.render.texts import STEPS

_BAR_CHARACTERS = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEAST_SHOWN = 0.05  # seconds; shorter steps have no bar
_MOST_TICKS = 10
_TICKS_MS = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000)


def gantt(report: Report) -> str:
    """Return the steps in sequence, and below them the measured time without the store."""
    total = max(report.seconds, report.restored.cold_seconds or 0.0) * 1000
    tick = next((ms for ms in _TICKS_MS if total / ms <= _MOST_TICKS), _TICKS_MS[-1])
    lines = [
        "gantt",
        "    dateFormat x",
        # Both count from the epoch, whatever the reader's time zone.
        f"    axisFormat {'%s s' if tick >= 1000 else '%Q ms'}",
        f"    tickInterval {tick}millisecond",
        "    section this run",
        *_tasks(report),
    ]
    cold = report.restored.cold_seconds
    if cold and report.seconds_saved is not None:
        lines += [
            "    section cold",
            f"    download to go mod download {duration(cold)} :done, 0, {round(cold * 1000)}",
        ]
    return "\n".join(["```mermaid", *lines, "```"])


def bars(report: Report) -> str:
    """Return the same as bars of text."""
    rows = [(STEPS[name], seconds) for name, seconds in report.steps.items() if seconds >= _LEAST_SHOWN]
    if report.seconds_saved is not None and report.restored.cold_seconds:
        rows.append(("cold run", report.restored.cold_seconds))
    longest = max((seconds for _, seconds in rows), default=1.0)
    lines = [
        f"{name:<15} {_bar(seconds / longest):<{_BAR_CHARACTERS}} {duration(seconds):>8}" for name, seconds in rows
    ]
    return "\n".join(["```text", *lines, "```"])


def _tasks(report: Report) -> list[str]:
    tasks, at = [], 0
    for name, seconds in report.steps.items():
        until = at + round(seconds * 1000)
        if seconds >= _LEAST_SHOWN:
            tasks.append(f"    {STEPS[name]} {duration(seconds)} :{at}, {until}")
        at = until
    return tasks or ["    nothing :0, 1"]


def _bar(share: float) -> str:
    full, rest = divmod(max(1, round(share * _BAR_CHARACTERS * 8)), 8)
    return ("█" * full + _EIGHTHS[rest]).rstrip()
