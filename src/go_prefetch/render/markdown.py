"""A Report as a Markdown job summary: the result in the open, the rest folded.

A run with many jobs shows many summaries on one page. A job that went well takes one line, which unfolds.
"""

from __future__ import annotations

import html
import re

from go_prefetch import PROJECT_URL
from go_prefetch.base.format import counted, duration
from go_prefetch.model.report import Report
from go_prefetch.render import tables
from go_prefetch.render.build_cache import lines_of
from go_prefetch.render.escape import code, fenced, prose
from go_prefetch.render.gosum_diff import changes
from go_prefetch.render.messages import as_warning, hint, text
from go_prefetch.render.miss_reasons import why_not_exact
from go_prefetch.render.summary import has_no_details, headline, verified
from go_prefetch.render.time_saved import formula, in_full, measured_on
from go_prefetch.render.timeline import bars, gantt

_DIGEST = re.compile("([0-9a-f]{12})[0-9a-f]{20,}")
_LINKS = " · ".join(
    f"[{label}]({PROJECT_URL}/blob/main/{place})"
    for label, place in (
        ("what the words mean", "docs/glossary.md"),
        ("inputs and defaults", "README.md#inputs"),
        ("time saved", "docs/time-saved.md"),
    )
)


def markdown(report: Report, *, mermaid: bool) -> str:
    """Return the summary. With `mermaid` it has a Mermaid diagram."""
    if not _notes(report) and report.cache_result == "exact" and not report.completed.failure:
        return "\n".join([*_folded(report, _one_line(report), mermaid=mermaid)[1:], *_warnings(report)]) + "\n"
    result, *figures = map(prose, headline(report).split(" · "))
    lines = [" · ".join([f"**go-prefetch: {result}**", *figures])]
    if report.ended_early:
        lines += _failure(report)
    elif has_no_details(report):
        lines += ["", *_besides(report)] if _besides(report) else []
    else:
        where = f"where the {duration(report.seconds)} went"
        lines += [*_failure(report), *_notes(report), *_folded(report, where, mermaid=mermaid)]
    return "\n".join([*lines, *_warnings(report)]) + "\n"


def _one_line(report: Report) -> str:
    """Return the headline of an exact hit as HTML, for the visible line of a fold. It has no untrusted text."""
    result, *figures = map(html.escape, headline(report).split(" · "))
    return " · ".join([f"<strong>go-prefetch: {result}</strong>", *figures])


def _failure(report: Report) -> list[str]:
    error = report.completed.failure
    return ["", fenced(text(error.notice)), "", prose(hint(error.notice))] if error else []


def _notes(report: Report) -> list[str]:
    """Return a list item for each reason why the result was not better, with advice. A failure says that itself."""
    reasons = () if report.completed.failure else why_not_exact(report)
    notes = [f"- {prose(f'{_sentence(reason.text)} {reason.advice}')}" for reason in reasons]
    avoided = sum(fetched.plain_go_fails for fetched in report.fetched)
    if avoided:
        notes.append(f"- {prose(_avoided(avoided))}")
    return ["", *notes] if notes else []


def _avoided(count: int) -> str:
    came = f"{counted(count, 'file')} needed another attempt or another proxy"
    return f"Plain `go mod download` would have failed: {came}."


def _folded(report: Report, label: str, *, mermaid: bool) -> list[str]:
    return _fold(label, [
            *["", gantt(report) if mermaid else bars(report)],
            *tables.steps(report),
            *tables.sources(report),
            *_fold("modules that cost most", tables.costliest(report)),
            *tables.retries(report),
            *_time_saved(report),
            *_gosum(report),
            *_facts(report),
            *_besides(report),
            *["", _LINKS],
        ])  # fmt: skip


def _time_saved(report: Report) -> list[str]:
    words, calculation, cold = in_full(report), formula(report), report.restored.cold
    if not words:
        return []
    if not calculation or cold is None:
        return ["", prose(f"Time saved: {words}.")]
    basis = f"Measured by {measured_on(cold)}, from the first request to the last byte."
    explained = ["", prose(f"Time saved: {words}. {basis}"), "", fenced(calculation)]
    return _fold("how the time saved is measured", explained)


def _gosum(report: Report) -> list[str]:
    found = changes(report)
    return _fold(f"changes of go.sum since the matched entry: {found}", tables.gosum(report)) if found.all else []


def _facts(report: Report) -> list[str]:
    entry = report.restored.entry
    facts = [
        ("key", report.plan.key.text),
        ("matched entry", _shortened(entry.key) if entry and report.restored.files else ""),
        ("saved entry", _shortened(report.saved.key)),
        ("verified", verified(report.completed, report.goversion)),
        ("for", ", ".join(str(scope.definition) for scope in report.plan.scopes[:5])),
        ("on", f"{report.machine}, {report.goversion}"),
    ]
    return ["", *(f"- {label}: {code(value)}" for label, value in facts if value)]


def _besides(report: Report) -> list[str]:
    """Return a list item for each thing that the run did in addition to modules."""
    return [f"- {prose(line)}" for line in lines_of(report)]


def _shortened(key: str) -> str:
    """Return the name of an entry with the beginning of each digest. The report file has the whole name."""
    return _DIGEST.sub(r"\1…", key)


def _warnings(report: Report) -> list[str]:
    count = len(report.warnings)
    if not count:
        return []
    return _fold(
        counted(count, "warning"), ["", fenced("\n".join(f"- {as_warning(warning)}" for warning in report.warnings))]
    )


def _fold(label: str, lines: list[str]) -> list[str]:
    """Return a folded part, or nothing for no lines. The empty lines switch from HTML back to Markdown."""
    return [] if not lines else ["", f"<details><summary>{label}</summary>", *lines, "", "</details>"]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
