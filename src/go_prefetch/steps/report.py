"""Put together what the run did."""

from __future__ import annotations

from go_prefetch.results import Completed, Downloaded, Plan, Report, Restored, Saved
from go_prefetch.settings import Settings


def report(  # noqa: PLR0913 - one part a step
    settings: Settings,
    plan: Plan,
    restored: Restored,
    downloaded: Downloaded,
    completed: Completed,
    saved: Saved,
    *,
    seconds: float,
) -> Report:
    """The whole as one value."""
    return Report(
        plan=plan,
        restored=restored,
        downloaded=downloaded,
        completed=completed,
        saved=saved,
        seconds=seconds,
        settings_shown=settings.shown,
        warnings=(*plan.warnings, *restored.warnings, *completed.warnings, *saved.warnings),
    )


def nothing_to_report(settings: Settings, plan: Plan, seconds: float) -> Report:
    """The report of a run that had nothing to do."""
    return report(settings, plan, Restored(""), Downloaded(), Completed(), Saved(), seconds=seconds)
