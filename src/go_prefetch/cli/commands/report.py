"""`go-prefetch report`: hit rate, time saved and failures over many runs of a repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from go_prefetch.base.atomic_file import write_named
from go_prefetch.base.retry import Deadline
from go_prefetch.base.untrusted_json import parse_moment
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import ReportFormat
from go_prefetch.config.forge_inputs import REPORT, ReportSettings, report_settings
from go_prefetch.errors import GateError, InputError, notice
from go_prefetch.forge.access import Access, find_access
from go_prefetch.forge.api import Patience
from go_prefetch.history.cache import RunCache
from go_prefetch.history.collect import Collector, open_forge
from go_prefetch.history.formats.documents import json_document, markdown, text
from go_prefetch.history.formats.html_page import page
from go_prefetch.history.model import Forge, Selection
from go_prefetch.history.report import Gate, HistoryReport, Limits, history_report
from go_prefetch.model.ports import Platform

_DAYS = 30
_MOST_RUNS = 100_000
_FORMATS: dict[ReportFormat, Callable[[HistoryReport], str]] = {
    ReportFormat.TEXT: lambda report: text(report) + "\n",
    ReportFormat.MARKDOWN: markdown,
    ReportFormat.JSON: json_document,
    ReportFormat.HTML: page,
}


def report(invocation: Invocation) -> int:
    """Collect runs, count, print. Raises PrefetchError; GateError comes after the report is printed."""
    platform, environ, cwd = invocation.platform, invocation.environ, invocation.cwd
    settings = report_settings(invocation.values(REPORT), environ, cwd)
    access = find_access(settings.repo, settings.api_url, environ, cwd)
    platform.hide(frozenset({access.token}))
    result = _collect(settings, access, platform, environ)
    if result.history.incomplete_because:
        platform.warn(notice("report-incomplete", cause=result.history.incomplete_because))
    document = _FORMATS[settings.format](result)
    if settings.output:
        _write(settings.output, platform.clean(document))
    else:
        platform.show(document.removesuffix("\n"), invocation.stdout)
    platform.publish({}, markdown(result))
    missed = [gate for gate in result.gates if not gate.passed]
    if missed:
        raise _missed(missed)
    return 0


def _collect(settings: ReportSettings, access: Access, platform: Platform, environ: Mapping[str, str]) -> HistoryReport:
    end, now = Deadline(), datetime.now(timezone.utc)

    def open_cache(name: str) -> RunCache:
        return RunCache(settings.history_dir, access.host, name, platform.clean)

    forge = open_forge(access, Patience(settings.wait, platform.warn), open_cache, end, environ)
    with platform.working("Report") as meter:
        meter.wait_for(access.host)
        history = Collector(forge, open_cache, meter.say, end, now).history(_selection(settings, now))
    limits = Limits(settings.min_hit_rate, settings.max_p95_seconds, settings.max_failure_rate)
    return history_report(history, limits, _split(settings.compare_at, forge))


def _selection(settings: ReportSettings, now: datetime) -> Selection:
    days = settings.days or (None if settings.runs else _DAYS)
    return Selection(
        since=now - timedelta(days=days) if days else None,
        most=settings.runs or _MOST_RUNS,
        workflows=settings.workflow,
        branches=settings.branch,
    )


def _split(text: str, forge: Forge) -> tuple[datetime, str] | None:
    """Return the moment of a date, a time or a commit, and its text. Raises InputError if it is none."""
    if not text:
        return None
    moment = parse_moment(text) or forge.moment_of(text)
    if moment is None:
        raise InputError("compare-at-unknown", text=text)
    return moment, text[:40]


def _write(path: Path, document: str) -> None:
    try:
        write_named(path, document.encode(errors="replace"))
    except OSError as error:
        raise InputError("report-file-unwritable", name="output", path=path, words=error.strerror) from None


def _missed(gates: list[Gate]) -> GateError:
    figures = tuple((gate.flag, gate.wanted, gate.measured) for gate in gates)
    return GateError("gate-missed", count=len(gates), gates=figures)
