"""A report in words: sections of rows, which text, Markdown and HTML all show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from go_prefetch.base.format import size
from go_prefetch.history.formats.number_format import (
    count,
    difference,
    duration,
    percent,
    plural,
    points,
    rate,
    seconds,
)
from go_prefetch.history.metrics import Delivery, Prefetching, by_workflow, delivery
from go_prefetch.history.model import Storage
from go_prefetch.history.report import FEW, Comparison, HistoryReport, Side
from go_prefetch.render.messages import reason

_MOST_ROWS = 12


@dataclass(frozen=True)
class Section:
    """A table: `header` is empty where rows are a label and its text. `note` is a sentence below."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    header: tuple[str, ...] = ()
    note: str = ""


def headline(report: HistoryReport) -> str:
    """Return the report in one sentence."""
    p = report.prefetching
    if not p.runs:
        return f"no go-prefetch run in the logs of {plural(report.delivery.runs, 'workflow run')}"
    parts = [plural(p.runs, "run")]
    if p.hit_rate_by_modules is not None:
        parts.append(f"{percent(p.hit_rate_by_modules)} of modules from cache")
    if p.runs_measured:
        parts.append(_saved(p.seconds_saved, at_least=p.runs_at_least > 0))
    if p.runs_estimated:
        parts.append(
            f"about {_saved(p.seconds_saved_estimate)} in {plural(p.runs_estimated, 'partial hit')} (estimate)"
        )
    if p.failures_avoided:
        parts.append(f"{plural(p.failures_avoided, 'failure')} avoided")
    return " · ".join(parts)


def sections(report: HistoryReport) -> list[Section]:
    """Return the sections that are not empty."""
    every = [
        _gates(report),
        _comparison(report.comparison) if report.comparison else None,
        Section("Prefetching", tuple(_prefetching(report.prefetching))) if report.prefetching.runs else None,
        _reasons("Reasons for misses", "reason", report.prefetching.misses),
        _reasons("Failures of go-prefetch", "error", report.prefetching.failures),
        Section("Workflow runs", tuple(_delivery(report.delivery))) if report.delivery.runs else None,
        _workflows(report),
        _storage(report.history.storage) if report.history.storage else None,
        _periods(report),
    ]
    return [section for section in every if section and section.rows]


def notes(report: HistoryReport) -> list[str]:
    """Return what limits the figures."""
    history = report.history
    logs = Counter(observed.logs for observed in history.runs)
    found = [f"Incomplete: {reason(history.incomplete_because)}."] if history.incomplete_because else []
    if logs["gone"]:
        found.append(f"{plural(logs['gone'], 'run')} without logs, which the forge has deleted.")
    if logs["unasked"]:
        found.append(f"{plural(logs['unasked'], 'run')} with logs that were not read.")
    problems = Counter(observed.problem for observed in history.runs if observed.logs == "unreadable")
    found += [f"{plural(count, 'run')} with unreadable logs: {problem}." for problem, count in problems.most_common(3)]
    return [*found, *history.warnings]


def _gates(report: HistoryReport) -> Section | None:
    rows = tuple(
        (gate.flag, gate.wanted, gate.measured, "passed" if gate.passed else "missed") for gate in report.gates
    )
    return Section("Gates", rows, ("gate", "wanted", "measured", "")) if rows else None


def _prefetching(p: Prefetching) -> list[tuple[str, str]]:
    moved = (size(count) for count in (p.bytes_restored, p.bytes_downloaded, p.bytes_saved))
    files, runs = plural(p.failures_avoided, "file"), plural(p.runs_rescued, "run")
    avoided = f"{files} on which plain Go would have failed, in {runs}" if p.failures_avoided else "none"
    return [
        ("runs", f"{p.runs}: " + ", ".join(f"{count} {result}" for result, count in p.results.items())),
        ("hit rate by runs", percent(p.hit_rate_by_runs)),
        ("hit rate by modules", f"{percent(p.hit_rate_by_modules)} ({p.modules_from_cache:,} of {p.modules_wanted:,})"),
        ("bytes", "{} restored, {} downloaded, {} saved".format(*moved)),
        ("time saved", _time_saved(p)),
        *([("estimated", _estimated(p))] if p.runs_estimated else []),
        ("seconds a run", f"half took at most {seconds(p.seconds_p50)}, 95% at most {seconds(p.seconds_p95)}"),
        ("failed attempts", f"{p.failed_attempts:,}"),
        ("failures avoided", avoided),
    ]


def _time_saved(p: Prefetching) -> str:
    if not p.runs_measured:
        return "not measured"
    slower = f", {p.runs_slower} of them slower than downloading" if p.runs_slower else ""
    saved = _saved(p.seconds_saved, at_least=p.runs_at_least > 0).removesuffix(" saved")
    return f"{saved}, measured in {plural(p.runs_measured, 'run')}{slower}"


def _estimated(p: Prefetching) -> str:
    return (
        f"about {_saved(p.seconds_saved_estimate)} in {plural(p.runs_estimated, 'partial hit')}, not in the sum above"
    )


def _saved(seconds: float, *, at_least: bool = False) -> str:
    if seconds < 0:
        return f"{'at most ' if at_least else ''}{duration(-seconds)} lost"
    return f"{'at least ' if at_least else ''}{duration(seconds)} saved"


def _delivery(d: Delivery) -> list[tuple[str, str]]:
    rows = [
        ("runs", f"{d.runs}: {d.succeeded} succeeded, {d.failed} failed, {d.other} neither"),
        ("success rate", percent(d.success_rate)),
        ("duration", f"half took at most {duration(d.seconds_p50)}, 95% at most {duration(d.seconds_p95)}"),
    ]
    if d.changes:
        lead = f"half at most {duration(d.lead_p50)}, 95% at most {duration(d.lead_p95)}"
        changes = plural(d.changes, "change")
        rows.append(("lead time", f"from commit to success, on the default branch: {lead}"))
        rows.append(("deployments", _deployments(d)))
        rows.append(("change failure rate", f"{percent(d.change_failure_rate)} of {changes} on the default branch"))
    if d.restore_p50 is not None:
        rows.append(("time to restore", f"half at most {duration(d.restore_p50)}"))
    return rows


def _deployments(d: Delivery) -> str:
    """Return how often a commit went through: a day, or a longer time if that is less than once."""
    commits = f"{plural(d.deployments, 'commit')} on the default branch succeeded"
    a_day = d.deployments_per_day
    if a_day is None or d.days is None:
        return commits
    days, unit = next(((n, word) for n, word in ((1, "a day"), (7, "a week")) if a_day * n >= 1), (30, "in 30 days"))
    return f"{a_day * days:.1f} {unit}: {commits} in {d.days:.3g} days"


def _workflows(report: HistoryReport) -> Section | None:
    groups = by_workflow(report.history.runs)
    if len(groups) < 2:
        return None
    rows = []
    for name, runs in list(groups.items())[:_MOST_ROWS]:
        d = delivery(runs, report.history.default_branch)
        rows.append((name, str(d.runs), percent(d.success_rate), duration(d.seconds_p50), duration(d.seconds_p95)))
    note = f"and {len(groups) - _MOST_ROWS} more workflows" if len(groups) > _MOST_ROWS else ""
    return Section("Workflows", tuple(rows), ("workflow", "runs", "success", "half within", "95% within"), note)


def _reasons(title: str, word: str, counted: Mapping[str, int]) -> Section | None:
    items = list(counted.items())
    note = f"and {len(items) - _MOST_ROWS} more" if len(items) > _MOST_ROWS else ""
    rows = tuple((str(count), words) for words, count in items[:_MOST_ROWS])
    return Section(title, rows, ("runs", word), note) if rows else None


def _storage(storage: Storage) -> Section:
    default = " (GitHub's default)" if storage.limit_is_default else ""
    share = storage.used / storage.limit
    return Section(
        "Cache storage",
        (
            ("used", f"{size(storage.used)} of {size(storage.limit)}{default}: {percent(share)}"),
            ("go-prefetch", f"{size(storage.ours_used)} in {plural(storage.ours_entries, 'entry', 'entries')}"),
        ),
        note="" if share <= 1 else "Above the limit, GitHub deletes the least recently read entries.",
    )


def _comparison(c: Comparison) -> Section:
    rows = (
        _row(c, "workflow runs", lambda side: side.delivery.runs, count),
        _row(c, "duration, half within", lambda side: side.delivery.seconds_p50, duration),
        _row(c, "duration, 95% within", lambda side: side.delivery.seconds_p95, duration),
        _row(c, "failures", lambda side: side.delivery.failure_rate, percent),
        _row(c, "deployments a day", lambda side: side.delivery.deployments_per_day, rate),
        _row(c, "go-prefetch runs", lambda side: side.prefetching.runs, count),
        _row(c, "modules from cache", lambda side: side.prefetching.hit_rate_by_modules, percent),
        _row(c, "seconds, half within", lambda side: side.prefetching.seconds_p50, seconds),
        _row(c, "seconds, 95% within", lambda side: side.prefetching.seconds_p95, seconds),
    )
    return Section(f"Before and after {c.label}", rows, ("", "before", "after", "difference"), comparison_note(c))


def comparison_note(c: Comparison) -> str:
    """Return the comparison in one sentence, and whether it may be chance."""
    was, now = (
        f"{duration(side.delivery.seconds_p50)} and {percent(side.delivery.failure_rate)} failures"
        for side in (c.before, c.after)
    )
    words = f"Was {was}, is {now}."
    if c.is_thin:
        return f"{words} One side has fewer than {FEW} runs: this may be chance."
    if c.failures_differ is False:
        return f"{words} So small a difference in failures may be chance."
    return words


def _row(
    c: Comparison, label: str, figure: Callable[[Side], float | None], text: Callable[[float | None], str]
) -> tuple[str, str, str, str]:
    before, after = figure(c.before), figure(c.after)
    apart = points if text is percent else difference
    return label, text(before), text(after), apart(before, after)


def _periods(report: HistoryReport) -> Section | None:
    if len(report.periods) < 2:
        return None
    rows = tuple(
        (
            period.first.isoformat(),
            str(period.delivery.runs),
            percent(period.delivery.success_rate),
            duration(period.delivery.seconds_p50),
            percent(period.prefetching.hit_rate_by_modules),
            seconds(period.prefetching.seconds_p50),
        )
        for period in report.periods
        if period.delivery.runs
    )
    days = report.periods[0].days
    title = {1: "Day by day", 7: "Week by week"}.get(days, f"In stretches of {days // 7} weeks")
    return Section(title, rows, ("from", "runs", "success", "duration", "modules from cache", "prefetching"))
