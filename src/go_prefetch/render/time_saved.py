"""Time saved: measured seconds of cold runs minus this run's own. Never estimated. See docs/time-saved.md."""

from __future__ import annotations

from go_prefetch.base.format import counted, duration
from go_prefetch.model.cold_runs import Machine
from go_prefetch.model.report import STEPS_THAT_COUNT, Report
from go_prefetch.render.texts import STEPS

# The step that took most of a slower hit, and what to change.
_INSTEAD = {
    "restore": "Most of the time went into restore. Use a closer store, or `store: none` if the proxies are close.",
    "download": "Most of the time went into unsaved downloads. In a private repository, set `save-private: true`.",
    "admit": "Most of the time went into unpacking and verifying. Use more cores, a faster disk, or `store: none`.",
    "complete": "Most of the time went into `go mod download`. Use more cores or a faster disk. See the log.",
}


def in_short(report: Report) -> str:
    """Return a few words for a headline; none if no time could be saved."""
    saved = report.seconds_saved
    if saved is None:
        return "time saved not measured" if report.cache_result == "exact" and not report.completed.failure else ""
    if saved < 0:
        return f"{duration(-saved)} slower than downloading"
    return f"saved {duration(saved)}{', measured on another kind of machine' if _elsewhere(report) else ''}"


def in_full(report: Report) -> str:
    """Return the figure and its basis, or why there is none; empty if no time could be saved."""
    saved, cold = report.seconds_saved, report.restored.cold_seconds
    if saved is None or cold is None:
        return _why_not_measured(report)
    basis = f"downloading these files took {duration(cold)}{_elsewhere(report)}"
    if saved < 0:
        return f"none: {basis}, and this hit took {duration(-saved)} longer"
    return f"{duration(saved)}: {basis}"


def formula(report: Report) -> str:
    """Return the formula with this run's figures; empty if nothing was measured."""
    if report.seconds_saved is None:
        return ""
    runs = " + ".join(f"{run.seconds:.2f}" for run in report.restored.cold)
    own = " - ".join(f"{report.steps[name]:.2f} {STEPS[name]}" for name in STEPS_THAT_COUNT)
    return f"{runs} cold - {own} = {report.seconds_saved:.2f} s"


def measured_on(report: Report) -> str:
    """Return the number of cold runs behind the figure, and their machines."""
    machines = dict.fromkeys(str(run.machine) for run in report.restored.cold)
    return f"{counted(len(report.restored.cold), 'cold run')} on {' and on '.join(machines)}"


def instead(report: Report) -> str:
    """Return what to change after a hit that was slower than downloading, in Markdown; otherwise nothing."""
    if report.seconds_saved is None or report.seconds_saved >= 0:
        return ""
    if _elsewhere(report):
        return "The cold run was on another kind of machine. Remove the pool or change `cache-name` to measure here."
    return _INSTEAD[max(STEPS_THAT_COUNT, key=lambda name: report.steps[name])]


def _why_not_measured(report: Report) -> str:
    if report.completed.failure or report.cache_result not in ("exact", "partial"):
        return ""
    if report.cache_result == "partial":
        return "not measured, because only an exact hit can be compared with cold runs"
    return "not measured, because no cold run measured these files"


def _elsewhere(report: Report) -> str:
    """Return the other kinds of machine of the cold runs, in parentheses; empty if they are the same, or unknown."""
    noted = {run.machine for run in report.restored.cold} - {Machine()}
    others = sorted(str(machine) for machine in noted - {report.machine})
    return f" (on {' and on '.join(others)}; this is {report.machine})" if others else ""
