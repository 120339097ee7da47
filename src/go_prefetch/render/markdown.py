"""A Report as a Markdown job summary: the result in the open, the rest folded.

A run with many jobs shows many summaries on one page. A job that went well takes two lines.
"""

from __future__ import annotations

from go_prefetch.base.format import counted, duration
from go_prefetch.model.report import Report
from go_prefetch.render import tables
from go_prefetch.render.escape import code, fenced, prose
from go_prefetch.render.gosum_diff import changes
from go_prefetch.render.messages import as_warning, hint, text
from go_prefetch.render.miss_reasons import why_not_exact
from go_prefetch.render.summary import has_no_details, headline, verified
from go_prefetch.render.time_saved import formula, in_full, measured_on
from go_prefetch.render.timeline import bars, gantt


def markdown(report: Report, *, mermaid: bool) -> str:
    """Return the summary. With `mermaid` it has a Mermaid diagram."""
    result, *figures = map(prose, headline(report).split(" · "))
    lines = [" · ".join([f"**go-prefetch: {result}**", *figures])]
    if report.ended_early:
        lines += _failure(report)
    elif not has_no_details(report):
        lines += [*_failure(report), *_notes(report), *_folded(report, mermaid=mermaid)]
    return "\n".join([*lines, *_warnings(report)]) + "\n"


def _failure(report: Report) -> list[str]:
    error = report.completed.failure
    return ["", fenced(text(error.notice)), "", prose(hint(error.notice))] if error else []


def _notes(report: Report) -> list[str]:
    """Return a list item for each reason why the result was not better, with advice."""
    notes = [f"- {prose(f'{_sentence(reason.text)} {reason.advice}')}" for reason in why_not_exact(report)]
    avoided = sum(fetched.plain_go_fails for fetched in report.fetched)
    if avoided:
        notes.append(f"- {prose(_avoided(avoided))}")
    return ["", *notes] if notes else []


def _avoided(count: int) -> str:
    came = f"{counted(count, 'file')} needed another attempt or another proxy"
    return f"Plain `go mod download` would have failed: {came}."


def _folded(report: Report, *, mermaid: bool) -> list[str]:
    return _fold(f"where the {duration(report.seconds)} went", [
            *["", gantt(report) if mermaid else bars(report)],
            *tables.steps(report),
            *tables.sources(report),
            *tables.slowest(report),
            *tables.retries(report),
            *_time_saved(report),
            *_gosum(report),
            *_facts(report),
        ])  # fmt: skip


def _time_saved(report: Report) -> list[str]:
    words, calculation, cold = in_full(report), formula(report), report.restored.cold
    if not words:
        return []
    if not calculation or cold is None:
        return ["", prose(f"Time saved: {words}.")]
    basis = f"Measured by {measured_on(cold)}, from the first request to the last byte."
    explained = ["", prose(f"{_sentence(words)} {basis}"), "", fenced(calculation)]
    return _fold("how the time saved is measured", explained)


def _gosum(report: Report) -> list[str]:
    found = changes(report)
    return _fold(f"changes of go.sum since the matched entry: {found}", tables.gosum(report)) if found.all else []


def _facts(report: Report) -> list[str]:
    entry = report.restored.entry
    facts = [
        ("key", report.plan.key.text),
        ("matched entry", entry.key if entry and report.restored.files else ""),
        ("saved entry", report.saved.key),
        ("verified", verified(report.completed, report.goversion)),
        ("for", ", ".join(str(scope.definition) for scope in report.plan.scopes[:5])),
        ("on", f"{report.machine}, {report.goversion}"),
    ]
    return ["", *(f"{label} {code(value)}  " for label, value in facts if value)]


def _warnings(report: Report) -> list[str]:
    count = len(report.warnings)
    if not count:
        return []
    return _fold(
        counted(count, "warning"), ["", fenced("\n".join(f"- {as_warning(warning)}" for warning in report.warnings))]
    )


def _fold(label: str, lines: list[str]) -> list[str]:
    """Return a folded part. The empty lines switch from HTML back to Markdown."""
    return ["", f"<details><summary>{label}</summary>", *lines, "", "</details>"]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
