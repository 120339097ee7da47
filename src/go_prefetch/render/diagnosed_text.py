"""A Diagnosis on one screen of text."""

from __future__ import annotations

from go_prefetch.diagnosis.conclusion import Diagnosis
from go_prefetch.render.diagnosed import HEADINGS, cells, headline, sections

_LEFT = ("speed", "source")  # all other columns are numbers, and end under each other


def diagnosis_text(diagnosis: Diagnosis, block: str) -> str:
    """The table, then the lists. `block` is what the bars are made of."""
    table = [HEADINGS, *(cells(row, block) for row in diagnosis.rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    lines = [f"go-prefetch doctor: {headline(diagnosis)}", ""]
    if diagnosis.rows:
        lines += [_line(row, widths) for row in table]
    for title, entries in sections(diagnosis):
        lines += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join(lines)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    padded = (
        text.ljust(width) if heading in _LEFT else text.rjust(width)
        for heading, text, width in zip(HEADINGS, row, widths, strict=True)
    )
    return "  " + "  ".join(padded).rstrip()
