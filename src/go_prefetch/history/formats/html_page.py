"""A report over many runs as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

Its Content-Security-Policy forbids all of that, so that no text of a log could bring any in either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from go_prefetch.history.formats.charts import Frame, Series, bars, lines, top_of_counts, top_of_times
from go_prefetch.history.formats.number_format import UNKNOWN, clock, duration, percent, plural, seconds
from go_prefetch.history.formats.sections import Section, headline, notes, sections
from go_prefetch.history.metrics import Delivery, Period, Prefetching
from go_prefetch.history.report import HistoryReport

_RESULTS = (
    ("present", "c5"), ("exact", "c1"), ("partial", "c3"), ("miss", "c2"), ("failed", "c7"), ("disabled", "c6"),
)  # fmt: skip


def page(report: HistoryReport) -> str:
    """Return the page. Every text in it is escaped."""
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
            f"<style>{_STYLE}</style></head><body><main>",
            f"<header><h1>{name}</h1><p>{escape(headline(report))}</p>",
            f'<p class="quiet">{escape(_selection(report))} Made {now:%Y-%m-%d %H:%M} UTC.</p></header>',
            *(f'<p class="note">{escape(note)}</p>' for note in notes(report)),
            _tiles(report),
            _charts(report),
            *map(_section, sections(report)),
            "</main></body></html>\n",
        ]
    )


def _selection(report: HistoryReport) -> str:
    """Return which runs these are, in a sentence."""
    selection, runs = report.history.selection, report.history.runs
    parts = [f"{len(runs)} workflow runs"]
    if runs:
        parts.append(f"from {runs[0].run.created:%Y-%m-%d} to {runs[-1].run.created:%Y-%m-%d}")
    parts += [f"of {word} {', '.join(names)}" for word, names in
              (("workflow", selection.workflows), ("branch", selection.branches)) if names]  # fmt: skip
    return f"{' '.join(parts)}."


def _tiles(report: HistoryReport) -> str:
    p, d = report.prefetching, report.delivery
    tiles = [
        (percent(p.hit_rate_by_modules), "of modules from cache"),
        (duration(p.seconds_saved) if p.runs_measured else UNKNOWN, _saved_in(p)),
        (seconds(p.seconds_p50), f"half of the runs; {seconds(p.seconds_p95)} for 95%"),
        (str(p.failures_avoided), "failures of plain Go avoided"),
        (percent(d.success_rate), f"of workflow runs succeeded; half within {duration(d.seconds_p50)}"),
    ]
    if p.runs_estimated:
        hits = plural(p.runs_estimated, "partial hit")
        tiles.insert(2, (duration(p.seconds_saved_estimate), f"saved by estimate, in {hits}"))
    storage = report.history.storage
    if storage:
        tiles.append((percent(storage.used / storage.limit), "of the cache storage used"))
    tiles_html = "".join(f"<div><b>{_amount(figure)}</b><span>{escape(words)}</span></div>" for figure, words in tiles)
    return f'<section class="tiles">{tiles_html}</section>'


def _saved_in(p: Prefetching) -> str:
    return f"saved{' at least' if p.runs_at_least else ''}, in {plural(p.runs_measured, 'measured run')}"


def _amount(figure: str) -> str:
    """Return a figure that breaks no line between a number and its unit."""
    return escape(re.sub("(?<=[0-9]) ", "\N{NO-BREAK SPACE}", figure.removesuffix(" 0 s")))


def _charts(report: HistoryReport) -> str:
    every = [period for period in report.periods if period.delivery.runs or report.periods[0].days == 1]
    if len(every) < 2:
        return ""
    frame = Frame([period.first.isoformat() for period in every], _mark(report, every))
    p, d = [period.prefetching for period in every], [period.delivery for period in every]
    results = [Series(name, color, [one.results.get(name, 0) for one in p]) for name, color in _RESULTS]
    hits = [Series("hit rate", "c1", [one.hit_rate_by_modules for one in p])]
    charts = [
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
    return f'<section class="charts">{"".join(charts)}</section>'


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
    return bars("Time saved, as measured", frame, series, clock, top_of_times(series))


def _mark(report: HistoryReport, every: list[Period]) -> float | None:
    """Return where the comparison's moment lies, in periods from the left; None if it lies outside."""
    if report.comparison is None:
        return None
    day = report.comparison.moment.date()
    place = (day - every[0].first).days / every[0].days
    return place if 0 <= place <= len(every) else None


def _section(section: Section) -> str:
    """Return a table. The first column has the headings of the rows."""
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


# Light and dark, wide and narrow.
_STYLE = """
:root { color-scheme: light dark; --ground: #f6f8fa; --card: #fff; --ink: #1f2328; --quiet: #59636e; --rule: #d1d9e0;
  --c1: #0969da; --c2: #cf222e; --c3: #bc4c00; --c4: #1a7f37; --c5: #54aeff; --c6: #8c959f; --c7: #8250df }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --card: #151b23; --ink: #e6edf3; --quiet: #9198a1;
  --rule: #3d444d; --c1: #4493f8; --c2: #f85149; --c3: #db6d28; --c4: #3fb950; --c5: #1f6feb;
  --c6: #656c76; --c7: #ab7df8 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere }
main { max-width: 1120px; margin: 0 auto; padding: 20px 16px 48px }
h1 { margin: 0; font-size: 24px; overflow-wrap: anywhere } h2 { margin: 0 0 8px; font-size: 16px }
header p { margin: 4px 0 0 } .quiet { color: var(--quiet); font-size: 13px }
.note { margin: 12px 0 0; padding: 8px 12px; border-left: 4px solid var(--c3); background: var(--card) }
section { margin-top: 20px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px }
.tiles div, figure, section:not(.tiles):not(.charts) { background: var(--card); border: 1px solid var(--rule);
  border-radius: 8px; padding: 14px 16px }
.tiles b { display: block; font-size: 26px; line-height: 1.2; font-variant-numeric: tabular-nums }
.tiles span { color: var(--quiet); font-size: 13px }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 12px }
figure { margin: 0; min-width: 0 } figcaption { font-weight: 600 } svg { display: block; width: 100%; height: auto }
.legend { margin: 0 0 6px; color: var(--quiet); font-size: 12px }
.legend span { margin-right: 12px; white-space: nowrap }
.legend i { display: inline-block; width: 10px; height: 10px; margin-right: 5px; border-radius: 2px;
  background: currentColor }
.legend .c1 i { color: var(--c1) } .legend .c2 i { color: var(--c2) } .legend .c3 i { color: var(--c3) }
.legend .c4 i { color: var(--c4) } .legend .c5 i { color: var(--c5) } .legend .c6 i { color: var(--c6) }
.legend .c7 i { color: var(--c7) }
svg text { font: 11px system-ui, sans-serif; fill: var(--quiet) }
.grid { stroke: var(--rule); stroke-width: 1 } .mark { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3 }
.line polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round }
.line circle, .bar { fill: currentColor }
svg .c1 { color: var(--c1) } svg .c2 { color: var(--c2) } svg .c3 { color: var(--c3) }
svg .c4 { color: var(--c4) } svg .c5 { color: var(--c5) } svg .c6 { color: var(--c6) }
svg .c7 { color: var(--c7) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: 5px 14px 5px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--rule) }
th, .facts td { overflow-wrap: anywhere; min-width: 72px } td { overflow-wrap: break-word }
thead th { border-top: 0; color: var(--quiet); font-size: 12px; font-weight: 600; overflow-wrap: normal }
tbody th { font-weight: 400 } .facts th { width: 200px; color: var(--quiet) }
tbody tr:first-child > * { border-top: 0 } thead + tbody tr:first-child > * { border-top: 1px solid var(--rule) }
@media (max-width: 520px) { main { padding: 14px 10px 32px } .facts th { width: 108px }
  .tiles { grid-template-columns: 1fr 1fr } .tiles b { font-size: 22px } }
"""
