"""A Report as a Markdown job summary."""

from __future__ import annotations

import re

from go_prefetch.render.figures import headline, rows
from go_prefetch.report import Report

_MOST_WARNINGS = 10


def markdown(report: Report) -> str:
    """A heading, one table, and the warnings."""
    lines = ["### go-prefetch", "", f"**{_escaped(headline(report))}**", ""]
    figures = rows(report)
    if figures:
        lines += ["| | |", "|---|---|", *(f"| {label} | {_escaped(figure)} |" for label, figure in figures), ""]
    if report.completed.failure:
        lines += ["```text", _fenced(report.completed.failure.message), "```", ""]
    shown = report.warnings[:_MOST_WARNINGS]
    lines += [f"- {_escaped(warning)}" for warning in shown]
    if len(report.warnings) > len(shown):
        lines.append(f"- and {len(report.warnings) - len(shown)} more warnings")
    return "\n".join(lines).rstrip() + "\n"


def _escaped(text: str) -> str:
    """Foreign text that stays text: no markup, no HTML, one line."""
    return re.sub(r"([\\`*_\[\]<>|~&#!$])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    return text.replace("```", "` ` `")
