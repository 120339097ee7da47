"""A report over many runs as text, as Markdown that fits a job summary, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from go_prefetch.history.formats.sections import Section, headline, notes, sections
from go_prefetch.history.metrics import Period
from go_prefetch.history.report import Comparison, HistoryReport, Side
from go_prefetch.render.escape import cell, prose
from go_prefetch.render.messages import reason

SCHEMA_VERSION = 1
_FOLDED = 8  # rows; longer tables are folded


def text(report: HistoryReport) -> str:
    """Return headline, sections and notes, with aligned columns."""
    parts = [f"{_one_line(report.history.repository)}: {headline(report)}", *map(_text_section, sections(report))]
    if found := notes(report):
        parts.append("\n".join(f"note: {_one_line(note)}" for note in found))
    return "\n\n".join(parts)


def _text_section(section: Section) -> str:
    rows = [tuple(map(_one_line, row)) for row in (section.header, *section.rows) if row]
    lines = [_one_line(section.title), *(f"  {line}" for line in _aligned_lines(rows))]
    return "\n".join([*lines, *([f"  {_one_line(section.note)}"] if section.note else [])])


def _aligned_lines(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return lines whose columns are as wide as their widest text, except for the last."""
    widths = [min(60, max(len(row[place]) for row in rows)) for place in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _one_line(text: str) -> str:
    """Return foreign text on one line."""
    return " ".join(text.split())


def markdown(report: HistoryReport) -> str:
    """Return a heading, the headline, and a table for each section."""
    lines = [f"### go-prefetch: {prose(report.history.repository)}", "", f"**{prose(headline(report))}**", ""]
    for note in notes(report):
        lines += [f"> {prose(note)}", ""]
    for section in sections(report):
        lines += _markdown_section(section)
    return "\n".join(lines).rstrip() + "\n"


def _markdown_section(section: Section) -> list[str]:
    header = section.header or ("",) * len(section.rows[0])
    table = [_markdown_row(header), "|" + "---|" * len(header), *map(_markdown_row, section.rows), ""]
    note = [prose(section.note), ""] if section.note else []
    if len(section.rows) > _FOLDED:
        return [f"<details><summary>{prose(section.title)}</summary>", "", *table, *note, "</details>", ""]
    return [f"#### {prose(section.title)}", "", *table, *note]


def _markdown_row(texts: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell(prose(text)) for text in texts) + " |"


def json_document(report: HistoryReport) -> str:
    """Return every figure. `schema` changes if a field changes its meaning, or is removed."""
    history = report.history
    values = {
        "schema": SCHEMA_VERSION,
        "repository": history.repository,
        "until": _moment(history.now),
        "since": _moment(history.selection.since),
        "workflows": list(history.selection.workflows),
        "branches": list(history.selection.branches),
        "incomplete_because": reason(history.incomplete_because),
        "notes": notes(report),
        **_figures(report),
        "storage": asdict(history.storage) if history.storage else None,
        "comparison": _comparison(report.comparison) if report.comparison else None,
        "gates": [asdict(gate) for gate in report.gates],
        "periods": [
            {"first": period.first.isoformat(), "days": period.days, **_figures(period)} for period in report.periods
        ],
    }
    return json.dumps(values, indent=2) + "\n"


def _comparison(compared: Comparison) -> dict[str, Any]:
    return {
        "at": _moment(compared.moment),
        "label": compared.label,
        "failures_differ": compared.failures_differ,
        "before": _figures(compared.before),
        "after": _figures(compared.after),
    }


def _figures(part: HistoryReport | Period | Side) -> dict[str, Any]:
    prefetched, delivered = part.prefetching, part.delivery
    rates = {
        "success_rate": delivered.success_rate,
        "change_failure_rate": delivered.change_failure_rate,
        "deployments_per_day": delivered.deployments_per_day,
    }
    return {
        "prefetching": _rounded({**asdict(prefetched), "hit_rate_by_modules": prefetched.hit_rate_by_modules}),
        "workflow_runs": _rounded({**asdict(delivered), **rates}),
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
