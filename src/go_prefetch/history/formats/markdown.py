"""A report over many runs as Markdown, fit for a job summary."""

from __future__ import annotations

from go_prefetch.history.formats.sections import Section, headline, notes, sections
from go_prefetch.history.report import HistoryReport
from go_prefetch.render.escape import cell, prose

_FOLDED = 8  # rows; longer tables are folded


def markdown(report: HistoryReport) -> str:
    """A heading, the headline, a table for each section."""
    lines = [f"### go-prefetch: {prose(report.history.repository)}", "", f"**{prose(headline(report))}**", ""]
    for note in notes(report):
        lines += [f"> {prose(note)}", ""]
    for section in sections(report):
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> list[str]:
    header = section.header or ("",) * len(section.rows[0])
    table = [_row(header), "|" + "---|" * len(header), *map(_row, section.rows), ""]
    note = [prose(section.note), ""] if section.note else []
    if len(section.rows) > _FOLDED:
        return [f"<details><summary>{prose(section.title)}</summary>", "", *table, *note, "</details>", ""]
    return [f"#### {prose(section.title)}", "", *table, *note]


def _row(texts: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell(prose(text)) for text in texts) + " |"
