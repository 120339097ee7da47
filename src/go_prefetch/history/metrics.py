"""Figures of many runs: pure arithmetic."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from go_prefetch.base.percentile import percentile
from go_prefetch.history.model import ObservedRun, WorkflowRun
from go_prefetch.render.record import Record

_HITS = ("present", "exact")
_WITHOUT_CACHE = ("disabled", "failed")


@dataclass(frozen=True)
class Prefetching:
    """What go-prefetch did in some runs. Sizes are bytes, times seconds; None: nothing to measure it by."""

    runs: int = 0
    results: Mapping[str, int] = field(default_factory=dict)
    hit_rate_by_runs: float | None = None
    modules_wanted: int = 0  # planned and not present
    modules_from_cache: int = 0
    bytes_restored: int = 0
    bytes_downloaded: int = 0
    bytes_saved: int = 0
    seconds_saved: float = 0.0
    runs_measured: int = 0  # for which the time saved is known
    runs_slower: int = 0  # of these: a hit that took longer than downloading had taken
    runs_at_least: int = 0  # of these: more may have been saved
    seconds_saved_estimate: float = 0.0  # of partial hits; never part of `seconds_saved`
    runs_estimated: int = 0
    seconds_p50: float | None = None
    seconds_p95: float | None = None
    misses: Mapping[str, int] = field(default_factory=dict)  # reason to runs that were not exact
    failed_attempts: int = 0
    failures_avoided: int = 0  # files on which plain `go mod download` would have failed
    runs_rescued: int = 0  # with at least one of these
    failures: Mapping[str, int] = field(default_factory=dict)  # slug to runs

    @property
    def hit_rate_by_modules(self) -> float | None:
        """Share of the modules not present that came from the store, over all runs."""
        return self.modules_from_cache / self.modules_wanted if self.modules_wanted else None


@dataclass(frozen=True)
class Delivery:
    """How workflow runs went: the success and the pace of a pipeline, as DORA measures delivery. Seconds."""

    runs: int = 0
    succeeded: int = 0
    failed: int = 0
    other: int = 0  # cancelled, skipped …
    seconds_p50: float | None = None
    seconds_p95: float | None = None
    lead_p50: float | None = None  # commit to success, pushes to the default branch
    lead_p95: float | None = None
    changes: int = 0  # commits pushed to the default branch that ran to an end
    changes_failed: int = 0
    restore_p50: float | None = None  # first failure to the next success of the same workflow there
    deployments: int = 0  # of these commits: those whose runs all succeeded
    days: float | None = None  # in which these runs were; None: not known

    @property
    def success_rate(self) -> float | None:
        """Of the runs that succeeded or failed."""
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended else None

    @property
    def failure_rate(self) -> float | None:
        """Of the runs that succeeded or failed."""
        rate = self.success_rate
        return None if rate is None else 1 - rate

    @property
    def change_failure_rate(self) -> float | None:
        """Of the commits pushed to the default branch."""
        return self.changes_failed / self.changes if self.changes else None

    @property
    def deployments_per_day(self) -> float | None:
        """Return how many commits a day went through; None if the time is not known."""
        return self.deployments / self.days if self.days else None


@dataclass(frozen=True)
class Period:
    """A stretch of time: from the beginning of `first` for `days`."""

    first: date
    days: int
    prefetching: Prefetching
    delivery: Delivery


def prefetching(records: Iterable[Record]) -> Prefetching:
    """Return the figures of these records. Runs without a result of the cache count as runs and failures only."""
    every = list(records)
    counted = [record for record in every if record.result not in _WITHOUT_CACHE]
    missed = [record for record in counted if record.result not in _HITS]
    measured = [record for record in counted if record.seconds_saved is not None]
    saved = [record.seconds_saved or 0.0 for record in measured]
    estimates = [r.seconds_saved_estimate for r in counted if r.seconds_saved_estimate is not None]
    return Prefetching(
        runs=len(every),
        results=_counted(record.result for record in every),
        hit_rate_by_runs=1 - len(missed) / len(counted) if counted else None,
        modules_wanted=sum(max(0, record.modules - record.modules_present) for record in counted),
        modules_from_cache=sum(min(r.modules_from_cache, max(0, r.modules - r.modules_present)) for r in counted),
        bytes_restored=sum(record.bytes_restored for record in counted),
        bytes_downloaded=sum(record.bytes_downloaded for record in counted),
        bytes_saved=sum(record.saved_bytes for record in counted),
        seconds_saved=math.fsum(saved),
        runs_measured=len(saved),
        runs_slower=sum(seconds < 0 for seconds in saved),
        runs_at_least=sum(record.seconds_saved_is_minimum for record in measured),
        seconds_saved_estimate=math.fsum(estimates),
        runs_estimated=len(estimates),
        seconds_p50=percentile([record.seconds for record in counted], 50),
        seconds_p95=percentile([record.seconds for record in counted], 95),
        misses=_counted(record.reason or "no reason was given" for record in missed),
        failed_attempts=sum(record.failed_attempts for record in counted),
        failures_avoided=sum(record.failures_avoided for record in counted),
        runs_rescued=sum(record.failures_avoided > 0 for record in counted),
        failures=_counted(record.failure for record in every if record.failure),
    )


def delivery(runs: Iterable[WorkflowRun], default_branch: str, days: float | None = None) -> Delivery:
    """Return the figures of these workflow runs, which were in a time of so many days."""
    every = list(runs)
    ended = [run for run in every if run.succeeded or run.failed]
    changes = [run for run in ended if run.branch == default_branch and run.event == "push"]
    leads = [run.lead_seconds for run in changes if run.succeeded]
    commits = {(run.workflow, run.commit) for run in changes}
    return Delivery(
        runs=len(every),
        succeeded=sum(run.succeeded for run in ended),
        failed=sum(run.failed for run in ended),
        other=len(every) - len(ended),
        seconds_p50=percentile([run.seconds for run in ended], 50),
        seconds_p95=percentile([run.seconds for run in ended], 95),
        lead_p50=percentile(leads, 50),
        lead_p95=percentile(leads, 95),
        changes=len(commits),
        changes_failed=len({(run.workflow, run.commit) for run in changes if run.failed}),
        restore_p50=percentile(_times_to_restore(changes), 50),
        deployments=len({run.commit for run in changes} - {run.commit for run in changes if run.failed}),
        days=days,
    )


def figures(
    runs: Sequence[ObservedRun], default_branch: str, days: float | None = None
) -> tuple[Prefetching, Delivery]:
    """Return the figures of these runs, and of the records in their logs."""
    records = (one.record for observed in runs for one in observed.records)
    return prefetching(records), delivery((observed.run for observed in runs), default_branch, days)


def by_workflow(runs: Sequence[ObservedRun]) -> dict[str, list[WorkflowRun]]:
    """Return runs by the name of their workflow, those with most runs first."""
    groups: dict[str, list[WorkflowRun]] = {}
    for observed in runs:
        groups.setdefault(observed.run.workflow, []).append(observed.run)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


def periods(runs: Sequence[ObservedRun], default_branch: str, most: int = 26) -> list[Period]:
    """Return the figures day by day, or by stretches of whole weeks if there were more than `most` days."""
    if not runs:
        return []
    first = min(observed.run.created for observed in runs).date()
    last = max(observed.run.created for observed in runs).date()
    span = (last - first).days + 1
    days = 1 if span <= most else 7 * math.ceil(span / (7 * most))
    groups: dict[int, list[ObservedRun]] = {}
    for observed in runs:
        groups.setdefault((observed.run.created.date() - first).days // days, []).append(observed)
    return [
        Period(first + timedelta(days=days * number), days, *figures(groups.get(number, []), default_branch))
        for number in range((span - 1) // days + 1)
    ]


def _times_to_restore(changes: Iterable[WorkflowRun]) -> list[float]:
    """Return the seconds from each first failure to the next success, workflow by workflow, by their ends."""
    broken: dict[str, datetime] = {}
    times = []
    for run in sorted(changes, key=lambda run: run.finished):
        if run.failed:
            broken.setdefault(run.workflow, run.finished)
        elif run.workflow in broken:
            times.append((run.finished - broken.pop(run.workflow)).total_seconds())
    return times


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))
