"""Keep the ratios of nightly benches, and show how the last run compares with those before.

python tools/bench_history.py HISTORY.jsonl FIGURES --commit COMMIT --date DATE [--summary FILE]

FIGURES is a folder of files that benches wrote with `--json`. Appends one line to HISTORY.jsonl: the date, the commit
and the median of each ratio. Writes a Markdown table. Ratios are seconds of go-prefetch as a share of another way in
the same round. Less is better, and they change less with the machine than seconds do. A ratio that is worse than in
all runs before is marked, with a warning for GitHub. It is no error, because one slow machine would fail a night.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = 400  # runs: more than a year
COMPARED = 14  # runs before this one
FEWEST = 5  # of them, before a ratio is judged
WORSE = 1.15  # times the median of those, and worse than each of them


@dataclass(frozen=True)
class Row:
    """A ratio of this run, and its values in the runs before it, oldest first."""

    name: str
    value: float
    before: Sequence[float]

    @property
    def median(self) -> float | None:
        """The median of the runs before, if there was one."""
        return statistics.median(self.before) if self.before else None

    @property
    def is_worse(self) -> bool:
        """Whether this is more than the machine's mood."""
        return len(self.before) >= FEWEST and self.value > max(WORSE * statistics.median(self.before), *self.before)


def tables(values: object, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the tables of a bench, with the name of their part: some benches have one for each project."""
    if isinstance(values, dict) and "tables" in values:
        yield name, values["tables"]
    elif isinstance(values, dict):
        for part, inner in values.items():
            yield from tables(inner, f"{name} {part}")


def ratios(folder: Path) -> dict[str, float]:
    """Return the median of each ratio in a folder of figures, by bench, part, table and ratio."""
    found: dict[str, float] = {}
    for file in sorted(folder.glob("*.json")):
        for name, part in tables(json.loads(file.read_text(encoding="utf-8")), file.stem):
            for title, rows in part.items():
                if "ratio" in title:
                    found |= {f"{name}: {title}: {label}": statistics.median(row) for label, row in rows.items() if row}
    return found


def read(history: Path) -> list[dict[str, Any]]:
    """Return the runs so far, oldest first. The first night has none."""
    lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
    return [json.loads(line) for line in lines]


def compared(run: dict[str, Any], before: Sequence[dict[str, Any]]) -> list[Row]:
    """Return each ratio of a run with its values in the last runs."""
    last = before[-COMPARED:]
    return [
        Row(name, value, [one["ratios"][name] for one in last if name in one["ratios"]])
        for name, value in run["ratios"].items()
    ]


def shown(rows: Sequence[Row]) -> str:
    """Return the Markdown table of a run."""
    lines = [
        "## Benches of this night",
        "",
        f"Seconds of go-prefetch as a share of another way. Less is better. Median of up to {COMPARED} runs before.",
        "",
        "| | this run | median | change | runs |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        median = "" if row.median is None else f"{row.median:.2f}"
        change = "" if not row.median else f"{row.value / row.median - 1:+.0%}"
        mark = "⚠️ " if row.is_worse else ""
        lines.append(f"| {mark}{row.name} | {row.value:.2f} | {median} | {change} | {len(row.before)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Append this run, and show it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", type=Path)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--summary", type=Path, help="append the table there, in place of printing it")
    options = parser.parse_args(arguments)
    found = ratios(options.figures)
    if not found:
        sys.exit(f"tools/bench_history.py: no ratio in {options.figures}. Run benches with --json first.")
    before = read(options.history)
    run = {"date": options.date, "commit": options.commit, "ratios": found}
    lines = [json.dumps(one, sort_keys=True) for one in [*before, run][-KEPT:]]
    options.history.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = compared(run, before)
    if options.summary:
        with options.summary.open("a", encoding="utf-8") as summary:
            summary.write(shown(rows))
    else:
        print(shown(rows))
    for row in rows:
        if row.is_worse:
            print(f"::warning title=Bench is slower::{row.name}: {row.value:.2f}, median before {row.median:.2f}")


if __name__ == "__main__":
    main()
