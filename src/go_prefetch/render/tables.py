"""The tables of a job summary: lists of lines of Markdown, empty if there is nothing to show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from go_prefetch.base.format import counted, duration, size
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.report import GO_ITSELF, Report
from go_prefetch.model.results import Fetched, Source
from go_prefetch.render.escape import cell, code, prose
from go_prefetch.render.gosum_diff import changes
from go_prefetch.render.messages import attempt, deferral, reason
from go_prefetch.render.texts import STEPS
from go_prefetch.render.timeline import LEAST_SHOWN

_MOST_COSTLY, _MOST_RETRIED, _MOST_CHANGES = 8, 10, 100


def steps(report: Report) -> list[str]:
    """Return the seconds of each step, and its result; last what was done at the same time as other steps."""
    rows = [(STEPS[name], duration(seconds), prose(_brought(name, report))) for name, seconds in report.steps.items()]
    meanwhile = (
        ("download", report.downloaded.overlapping_seconds, "at the same time as restore"),
        ("unpack", report.admitted.overlapping_seconds, "at the same time as restore and download"),
    )
    rows += [(name, f"({duration(seconds)})", why) for name, seconds, why in meanwhile if seconds >= LEAST_SHOWN]
    rows = [(name, _unbroken(time), result) for name, time, result in rows]
    return _table("| step | time | |\n|---|--:|---|", rows)


def sources(report: Report) -> list[str]:
    """Return the files and bytes from each source."""
    rows = map(_source, report.suppliers)
    return _table("| source | files | bytes | failed attempts |\n|---|--:|--:|--:|", rows)


def costliest(report: Report) -> list[str]:
    """Return the modules that cost most. Downloads by the time of the slowest file, then restored zips by bytes."""
    by_module: dict[ModuleVersion, list[Fetched]] = defaultdict(list)
    for fetched in report.fetched:
        by_module[fetched.file.module].append(fetched)
    rows = [
        (max(f.seconds for f in files), sum(f.bytes for f in files), module, files[-1].source)
        for module, files in by_module.items()
    ]
    rows += [(0.0, count, module, "") for module, count in report.largest_restored.items() if module not in by_module]
    shown = [
        (size(count), code(str(module)), f"{code(source)} in {duration(seconds)}" if source else "cache")
        for seconds, count, module, source in sorted(rows, reverse=True)[:_MOST_COSTLY]
    ]
    return _table("| bytes | module | from |\n|--:|---|---|", [map(_unbroken, row) for row in shown])


def retries(report: Report) -> list[str]:
    """Return files that needed several attempts, or failed, with the last failure."""
    late = sorted((f for f in report.fetched if f.failed), key=lambda f: (-len(f.failed), f.file))
    rows = [(str(f.file), len(f.failed), attempt(f.failed[-1]), f.source) for f in late]
    failures = (*report.downloaded.failures, *report.completed.refetched.failures)
    lost = [failure for failure in failures if not failure.not_found]
    rows = [*((str(f.file), len(f.attempts), attempt(f.attempts[-1]) if f.attempts else "", "") for f in lost), *rows]
    shown = [
        (_unbroken(code(file)), str(failed), code(words), code(source) or "failed")
        for file, failed, words, source in rows[:_MOST_RETRIED]
    ]
    if len(rows) > len(shown):
        shown.append((f"and {len(rows) - len(shown)} more", "", "", ""))
    return _table("| retries | failed attempts | last failure | source |\n|---|--:|---|---|", shown)


def gosum(report: Report) -> list[str]:
    """Return the changes of go.sum since the matched entry."""
    found = changes(report).all
    shown = [
        (change.kind, code(change.path), code(", ".join(change.old)), code(", ".join(change.new)))
        for change in found[:_MOST_CHANGES]
    ]
    if len(found) > len(shown):
        shown.append((f"and {len(found) - len(shown)} more", "", "", ""))
    return _table("| change | module | matched entry | go.sum now |\n|---|---|---|---|", shown)


def _table(head: str, rows: Iterable[Iterable[str]]) -> list[str]:
    lines = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return ["", *head.splitlines(), *lines] if lines else []


def _place(source: str) -> str:
    return source if source == GO_ITSELF else _unbroken(code(source))


def _unbroken(text: str) -> str:
    """Return words that stay on one line, also on a phone. A table that is too wide can be scrolled."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _source(source: Source) -> tuple[str, str, str, str]:
    return _place(source.name), str(source.files), _unbroken(size(source.bytes)), str(source.failed_attempts)


def _brought(step: str, report: Report) -> str:
    restored, downloaded, saved = report.restored, report.downloaded, report.saved
    left = ", ".join(f"{count} ({deferral(why)})" for why, count in report.admitted.deferred_to_go.items())
    admitted, private = len(report.admitted.modules), len(report.plan.private)
    unpacked = f"{counted(admitted, 'module')} unpacked and verified" if admitted else ""
    rejected, by_go = len(report.completed.rejected), len(report.completed.by_go)
    return {
        "plan": f"{counted(len(report.plan.modules), 'module')}, {len(report.plan.missing)} of "
        f"{counted(len(report.plan.files), 'file')} missing"
        + (f", {counted(private, 'private module')} left to Go" if private else ""),
        "restore": reason(restored.skipped_reason)
        or _amount(len(restored.files), restored.bytes)
        or "nothing restored",
        "download": _amount(len(downloaded.files), downloaded.bytes)
        or ("nothing downloaded" if downloaded.failures else "nothing to download"),
        "admit": "; ".join(filter(None, [unpacked, left and f"left to go mod download: {left}"])) or "nothing unpacked",
        "complete": ("failed" if report.completed.failure else "checked by Go")
        + (f", which downloaded {counted(by_go, 'file')} itself" if by_go else "")
        + (f", which rejected {counted(rejected, 'file')}" if rejected else ""),
        "save": reason(saved.skipped_reason) or _amount(saved.files, saved.bytes) or "nothing saved",
    }[step]


def _amount(files: int, total: int) -> str:
    return f"{counted(files, 'file')}, {size(total)}" if files else ""
