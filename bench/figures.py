"""Figures of rounds: ratios and differences within each round, tables with least, median and most."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

Rows = Mapping[str, Sequence[float]]  # by label a value of each round; the first word of a label is its short name
WIDTH = 40


def ratios(rows: Rows, *names: str) -> dict[str, list[float]]:
    """Return by name, such as `b/a`, the ratio of each round. What was not measured is left out."""
    pairs = _pairs(rows, "/", names)
    return {name: [one / other for one, other in zip(*pair, strict=True)] for name, pair in pairs.items()}


def differences(rows: Rows, *names: str) -> dict[str, list[float]]:
    """Return by name, such as `b-c`, the difference of each round. What was not measured is left out."""
    pairs = _pairs(rows, "-", names)
    return {name: [one - other for one, other in zip(*pair, strict=True)] for name, pair in pairs.items()}


def print_tables(conditions: Mapping[str, object], tables: Mapping[str, Rows]) -> None:
    """Print what the figures depend on, and each table that has rows."""
    print(", ".join(f"{name} {value}" for name, value in conditions.items()), end="\n\n")
    for title, rows in tables.items():
        if rows:
            print(" ".join([f"{title:<{WIDTH}}", *(f"{head:>8}" for head in ("min", "median", "max")), "rounds"]))
            print("\n".join(_row(label, values) for label, values in rows.items()), end="\n\n")


def write_json(file: Path | None, figures: Mapping[str, object]) -> None:
    """Write the figures there, if there is a file."""
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _pairs(rows: Rows, sign: str, names: Sequence[str]) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    short = {label.split()[0]: values for label, values in rows.items()}
    sides = {name: name.split(sign, 1) for name in names}
    return {name: (short[one], short[other]) for name, (one, other) in sides.items() if {one, other} <= short.keys()}


def _row(label: str, values: Sequence[float]) -> str:
    shown = [min(values), statistics.median(values), max(values)]
    return " ".join([f"{label:<{WIDTH}}", *(f"{value:8.2f}" for value in shown), f"{len(values):6}"])
