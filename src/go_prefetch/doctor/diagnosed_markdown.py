"""A Diagnosis as Markdown, for a job summary or an issue."""

from __future__ import annotations

from go_prefetch.doctor.diagnosis import Diagnosis
from go_prefetch.doctor.render import HEADINGS, cells, headline, sections
from go_prefetch.render.escape import cell, prose


def diagnosis_markdown(diagnosis: Diagnosis) -> str:
    """A heading, the table, and the lists."""
    lines = ["### go-prefetch doctor", "", prose(headline(diagnosis)), ""]
    if diagnosis.rows:
        lines += [_row(list(HEADINGS)), _row(["---"] * len(HEADINGS))]
        lines += [_row([cell(prose(text)) for text in cells(row, "█")]) for row in diagnosis.rows]
        lines.append("")
    for title, entries in sections(diagnosis):
        lines += [f"**{title}**", "", *(f"- {prose(entry)}" for entry in entries), ""]
    return "\n".join(lines).rstrip() + "\n"


def _row(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"
