"""A Diagnosis on one screen of text."""

from __future__ import annotations

from collections.abc import Sequence

from go_prefetch.doctor.diagnosis import Diagnosis
from go_prefetch.doctor.render import HEADINGS, cells, headline, sections

_LEFT = ("speed", "source")  # all other columns are numbers, and end under each other


def diagnosis_text(diagnosis: Diagnosis, block: str, width: int = 0) -> str:
    """The table, then the lists. `block` is what the bars are made of, `width` that of the screen; 0: of no matter."""
    lines = [f"go-prefetch doctor: {headline(diagnosis)}", ""]
    if diagnosis.rows:
        lines += _table([HEADINGS, *(cells(row, block) for row in diagnosis.rows)], width)
    for title, entries in sections(diagnosis):
        lines += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join(lines)


def _table(table: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """A line for each row; where that is too long for the screen the source, which is last, has one of its own."""
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    lines = [_line(row, widths, "  ") for row in table]
    if not width or max(map(len, lines)) <= width:
        return lines
    figures, sources = ([row[:-1] for row in table], [row[-1] for row in table])
    pairs = [(_line(row, widths, " "), f"      {source}") for row, source in zip(figures, sources, strict=True)]
    return [pairs[0][0], *(line for pair in pairs[1:] for line in pair)]


def _line(row: tuple[str, ...], widths: Sequence[int], between: str) -> str:
    padded = (
        text.ljust(width) if heading in _LEFT else text.rjust(width)
        for heading, text, width in zip(HEADINGS, row, widths, strict=False)
    )
    return "  " + between.join(padded).rstrip()
