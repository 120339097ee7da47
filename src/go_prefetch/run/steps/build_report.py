"""Put together what the run did."""

from __future__ import annotations

from collections.abc import Mapping

from go_prefetch.config.settings import Settings
from go_prefetch.errors import PrefetchError, notice
from go_prefetch.model.machine import this_machine
from go_prefetch.model.plan import NO_PLAN, Plan
from go_prefetch.model.report import Report
from go_prefetch.model.results import Admitted, Completed, Downloaded, Restored, Saved


def report(  # noqa: PLR0913 - one part a step
    settings: Settings,
    plan: Plan,
    restored: Restored,
    downloaded: Downloaded,
    admitted: Admitted,
    completed: Completed,
    saved: Saved,
    *,
    seconds: float,
    goversion: str,
    warnings: tuple[str, ...] = (),
) -> Report:
    """The whole as one value."""
    notices = (admitted.notice,) if admitted.notice else ()
    return Report(
        plan=plan,
        restored=restored,
        downloaded=downloaded,
        admitted=admitted,
        completed=completed,
        saved=saved,
        seconds=seconds,
        machine=this_machine(),
        goversion=goversion,
        settings_shown=settings.shown,
        warnings=(*plan.warnings, *warnings, *restored.warnings, *notices, *completed.warnings, *saved.warnings),
    )


def ended_early(
    settings_shown: Mapping[str, str],
    error: PrefetchError,
    *,
    plan: Plan = NO_PLAN,
    seconds: float,
    goversion: str = "",
) -> Report:
    """The report of a run that `error` ended before Go's verdict, perhaps before there was a plan, or settings."""
    return Report(
        plan=plan,
        restored=Restored(""),
        downloaded=Downloaded(),
        admitted=Admitted(),
        completed=Completed(failure=error),
        saved=Saved(skipped_reason=notice("run-failed")),
        seconds=seconds,
        machine=this_machine(),
        goversion=goversion,
        settings_shown=settings_shown,
        warnings=plan.warnings,
        ended_early=True,
    )


def nothing_to_report(settings: Settings, plan: Plan, *, seconds: float, goversion: str) -> Report:
    """The report of a run that had nothing to do."""
    parts = Restored(""), Downloaded(), Admitted(), Completed(), Saved()
    return report(settings, plan, *parts, seconds=seconds, goversion=goversion)
