"""Figures and lists as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_UNITS = (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))


def size(count: int) -> str:
    """Format bytes in powers of ten."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def duration(seconds: float) -> str:
    """Format seconds with one decimal if it matters; from two minutes on in the two largest units."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    larger, length, smaller, part = next(row for row in _UNITS if whole >= row[1])
    return f"{whole // length} {larger} {whole % length // part} {smaller}"


def counted(count: int, noun: str) -> str:
    """Return `1 file` or `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def some(things: Sequence[object], most: int) -> str:
    """Return `a, b, c`, or the first `most` items and `3 more`."""
    shown = ", ".join(map(str, things[:most]))
    return f"{shown} and {len(things) - most} more" if len(things) > most else shown


def wrapped(text: str, width: int, indent: str = "", further: str = "") -> list[str]:
    """Return lines of at most `width` characters, if that is not 0. A word such as a URL is never broken.

    The first line begins with `indent`, the others with `further`.
    """
    if not width:
        return [indent + text]
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def milliseconds(seconds: float | None) -> str:
    """Format a time; a dash for none."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.00995 else f"{seconds * 1e3:.0f} ms"


def pace(rate: float | None) -> str:
    """Format a rate; a dash for none."""
    if rate is None:
        return "-"
    return f"{rate / 1e6:.0f} MB/s" if rate >= 1e8 else f"{rate / 1e6:.1f} MB/s"
