"""Time saved: the seconds that cold runs waited for downloads, minus those of this run. See docs/time-saved.md."""

from __future__ import annotations

from go_prefetch.base.format import counted, duration
from go_prefetch.model.cold_runs import Baseline, Machine
from go_prefetch.model.report import WAITING, Report
from go_prefetch.render.texts import STEPS


def in_short(report: Report) -> str:
    """Return a few words for a headline; none if no time could be saved."""
    saved, estimate = report.seconds_saved, report.seconds_saved_estimate
    if saved is None and estimate is None:
        return "time saved not measured" if report.cache_result == "exact" and not report.completed.failure else ""
    machine = ", measured on another kind of machine" if _elsewhere(report) else ""
    if saved is None:
        return f"{_saved_or_not(report)}{_figure(report)} (estimate{machine})"
    return f"{_saved_or_not(report)}{_figure(report)}{machine}"


def in_full(report: Report) -> str:
    """Return the figure and its basis, or why there is none; empty if no time could be saved."""
    cold, saved = report.restored.cold, report.seconds_saved
    if cold and saved is not None:
        waited = duration(sum(report.steps[name] for name in WAITING))
        basis = f"Cold runs waited {duration(cold.seconds)} for downloads{_elsewhere(report)}, and this run {waited}"
        return f"{_figure(report)}{_measured_for(cold)}. {basis}{_uncounted(report)}"
    if cold and report.seconds_saved_estimate is not None:
        share = f"The share of the restored bytes in the cold download is {duration(cold.estimate)}{_elsewhere(report)}"
        restore = duration(report.steps["restore"])
        figure = f"{_figure(report)} (estimate){_measured_for(cold)}"
        return f"{figure}. {share}, and restore took {restore}{_uncounted(report)}"
    return _why_not_measured(report)


def _saved_or_not(report: Report) -> str:
    figure = report.seconds_saved_estimate if report.seconds_saved is None else report.seconds_saved
    return "" if figure is not None and figure < 0 else "saved "


def _figure(report: Report) -> str:
    """Return the seconds saved, or lost. There must be a figure or an estimate."""
    saved, estimate, cold = report.seconds_saved, report.seconds_saved_estimate or 0.0, report.restored.cold
    if saved is None:
        return f"about {duration(abs(estimate))}{' slower' if estimate < 0 else ''}"
    minimum = cold is not None and cold.is_minimum
    if saved < 0:
        return f"{'at most ' if minimum else ''}{duration(-saved)} slower than downloading"
    return f"{'at least ' if minimum else ''}{duration(saved)}"


def _measured_for(cold: Baseline) -> str:
    if cold.modules == cold.modules_restored:
        return ""
    return f", measured for {cold.modules} of {counted(cold.modules_restored, 'module')}"


def _uncounted(report: Report) -> str:
    """Return what a filled folder hides: the CI system has fetched it before this command began."""
    skipped = report.saved.skipped_reason
    is_fill = skipped is not None and skipped.slug == "fill-keeps-folder"
    return ". The time in which the CI system fetched the folder is not counted" if is_fill else ""


def formula(report: Report) -> str:
    """Return the formula with this run's figures; empty if nothing was measured."""
    cold = report.restored.cold
    if cold and report.seconds_saved is not None:
        own = " - ".join(f"{report.steps[name]:.2f} {STEPS[name]}" for name in WAITING)
        return f"{cold.seconds:.2f} cold download - {own} = {report.seconds_saved:.2f} s"
    if cold and report.seconds_saved_estimate is not None:
        own = f"{report.steps['restore']:.2f} restore"
        return f"{cold.estimate:.2f} share of the cold download - {own} = {report.seconds_saved_estimate:.2f} s"
    return ""


def measured_on(cold: Baseline) -> str:
    """Return the number of cold runs behind the figure, and their machines."""
    return f"{counted(cold.runs, 'cold run')} on {' and on '.join(map(str, cold.machines))}"


def _why_not_measured(report: Report) -> str:
    if report.completed.failure or report.cache_result not in ("exact", "partial"):
        return ""
    cold = report.restored.cold
    if cold:
        return f"not measured, because cold runs measured only {cold.modules} of {cold.modules_restored} modules"
    return "not measured, because no cold run measured these files"


def _elsewhere(report: Report) -> str:
    """Return the other kinds of machine of the cold runs, in parentheses; empty if they are the same, or unknown."""
    noted = set(report.restored.cold.machines if report.restored.cold else ()) - {Machine()}
    others = sorted(str(machine) for machine in noted - {report.machine})
    return f" (on {' and on '.join(others)}; this is {report.machine})" if others else ""
