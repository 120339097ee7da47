"""A report over many runs as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

Its Content-Security-Policy forbids all of that, so that no text of a log could bring any in either.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from go_prefetch.history.formats.charts import Frame, Series, bars, lines, top_of_counts, top_of_times
from go_prefetch.history.formats.html_style import STYLE
from go_prefetch.history.formats.number_format import UNKNOWN, clock, duration, percent, seconds
from go_prefetch.history.formats.sections import Section, headline, notes, sections
from go_prefetch.history.metrics import Delivery, Period, Prefetching
from go_prefetch.history.report import HistoryReport

_RESULTS = (
    ("present", "c5"), ("exact", "c1"), ("partial", "c3"), ("miss", "c2"), ("failed", "c7"), ("disabled", "c6"),
)  # fmt: skip


def page(report: HistoryReport) -> str:
    """The page. Every text in it is escaped."""
    name, now = escape(report.history.repository), report.history.now
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">',
            f"<title>go-prefetch: {name}</title>",
            f"<style>{STYLE}</style></head><body><main>",
            f"<header><h1>{name}</h1><p>{escape(headline(report))}</p>",
            f'<p class="quiet">{escape(_asked(report))} Made {now:%Y-%m-%d %H:%M} UTC.</p></header>',
            *(f'<p class="note">{escape(note)}</p>' for note in notes(report)),
            _tiles(report),
            _charts(report),
            *map(_section, sections(report)),
            "</main></body></html>\n",
        ]
    )


def _asked(report: HistoryReport) -> str:
    """Which runs these are, in a sentence."""
    asked, seen = report.history.selection, report.history.observed
    parts = [f"{len(seen)} workflow runs"]
    if seen:
        parts.append(f"from {seen[0].run.created:%Y-%m-%d} to {seen[-1].run.created:%Y-%m-%d}")
    parts += [f"of {word} {', '.join(names)}" for word, names in
              (("workflow", asked.workflows), ("branch", asked.branches)) if names]  # fmt: skip
    return f"{' '.join(parts)}."


def _tiles(report: HistoryReport) -> str:
    p, d = report.prefetching, report.delivery
    tiles = [
        (percent(p.hit_rate_by_modules), "of modules from cache"),
        (duration(p.seconds_saved) if p.runs_measured else UNKNOWN, f"saved, in {p.runs_measured} measured runs"),
        (seconds(p.seconds_p50), f"half of the runs; {seconds(p.seconds_p95)} for 95%"),
        (str(p.failures_avoided), "failures of plain Go avoided"),
        (percent(d.success_rate), f"of workflow runs succeeded; half within {duration(d.seconds_p50)}"),
    ]
    storage = report.history.storage
    if storage:
        tiles.append((percent(storage.used / storage.limit), "of the cache storage used"))
    drawn = "".join(f"<div><b>{escape(figure)}</b><span>{escape(words)}</span></div>" for figure, words in tiles)
    return f'<section class="tiles">{drawn}</section>'


def _charts(report: HistoryReport) -> str:
    every = [period for period in report.periods if period.delivery.runs or report.periods[0].days == 1]
    if len(every) < 2:
        return ""
    frame = Frame([period.first.isoformat() for period in every], _mark(report, every))
    p, d = [period.prefetching for period in every], [period.delivery for period in every]
    results = [Series(name, color, [one.results.get(name, 0) for one in p]) for name, color in _RESULTS]
    hits = [Series("hit rate", "c1", [one.hit_rate_by_modules for one in p])]
    drawn = [
        lines("Modules from cache", frame, hits, percent, 1.0),
        _counts("Runs by result", frame, [one for one in results if any(one.values)] or results),
        _times("Seconds of a run", frame, _paces(p)),
        _times("Duration of workflow runs", frame, _paces(d)),
        _counts(
            "Workflow runs",
            frame,
            [
                Series("succeeded", "c4", [one.succeeded for one in d]),
                Series("failed", "c2", [one.failed for one in d]),
                Series("neither", "c6", [one.other for one in d]),
            ],
        ),
        _saved(frame, p),
    ]
    return f'<section class="charts">{"".join(drawn)}</section>'


def _paces(figures: Sequence[Prefetching | Delivery]) -> list[Series]:
    return [
        Series("half within", "c1", [one.seconds_p50 for one in figures]),
        Series("95% within", "c3", [one.seconds_p95 for one in figures]),
    ]


def _counts(title: str, frame: Frame, series: Sequence[Series]) -> str:
    return bars(title, frame, series, lambda value: f"{value:g}", top_of_counts(series))


def _times(title: str, frame: Frame, series: Sequence[Series]) -> str:
    return lines(title, frame, series, clock, top_of_times(series))


def _saved(frame: Frame, figures: Sequence[Prefetching]) -> str:
    series = [Series("saved", "c4", [max(0.0, one.seconds_saved) for one in figures])]
    return bars("Time saved", frame, series, clock, top_of_times(series))


def _mark(report: HistoryReport, every: list[Period]) -> float | None:
    """Where the comparison's moment lies, in periods from the left; None if it lies outside."""
    if report.comparison is None:
        return None
    day = report.comparison.moment.date()
    place = (day - every[0].first).days / every[0].days
    return place if 0 <= place <= len(every) else None


def _section(section: Section) -> str:
    """A table; a label's column is a heading of its row."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in section.header)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(text)}</td>" for text in rest) + "</tr>"
        for first, *rest in section.rows
    )
    note = f'<p class="quiet">{escape(section.note)}</p>' if section.note else ""
    kind = "" if section.header else ' class="facts"'
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    return (
        f'<section><h2>{escape(section.title)}</h2><div class="scroll">'
        f"<table{kind}>{head}<tbody>{body}</tbody></table></div>{note}</section>"
    )
