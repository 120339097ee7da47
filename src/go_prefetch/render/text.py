"""A Report on one screen of text."""

from __future__ import annotations

from go_prefetch.model.report import Report
from go_prefetch.render.summary import headline, rows


def text(report: Report) -> str:
    """The lines to print at the end of a run."""
    lines = [f"go-prefetch: {' '.join(headline(report).split())}"]
    lines += [f"  {label:<11} {' '.join(figure.split())}" for label, figure in rows(report)]
    # An old spelling of workflow commands, which counts anywhere in a line; the newer one counts at its start only.
    return "\n".join(lines).replace("##[", "## [")
