"""A report over many runs as text."""

from __future__ import annotations

from collections.abc import Sequence

from go_prefetch.history.formats.sections import Section, headline, notes, sections
from go_prefetch.history.report import HistoryReport


def text(report: HistoryReport) -> str:
    """Headline, sections, notes; columns that line up."""
    parts = [f"{_line(report.history.repository)}: {headline(report)}", *map(_section, sections(report))]
    if found := notes(report):
        parts.append("\n".join(f"note: {_line(note)}" for note in found))
    return "\n\n".join(parts)


def _section(section: Section) -> str:
    rows = [tuple(map(_line, row)) for row in (section.header, *section.rows) if row]
    lines = [_line(section.title), *(f"  {line}" for line in _aligned(rows))]
    return "\n".join([*lines, *([f"  {_line(section.note)}"] if section.note else [])])


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Each column as wide as its widest text, but for the last."""
    widths = [min(60, max(len(row[place]) for row in rows)) for place in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _line(text: str) -> str:
    """Foreign text on one line."""
    return " ".join(text.split())
