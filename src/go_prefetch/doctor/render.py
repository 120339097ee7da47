"""A Diagnosis as text, Markdown and JSON. Text and Markdown have the same table and lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from go_prefetch.base.format import counted, duration, milliseconds, pace, some, wrapped
from go_prefetch.base.percentile import percentile
from go_prefetch.doctor.diagnosis import Diagnosis
from go_prefetch.doctor.finding import Finding
from go_prefetch.doctor.measurement import Sample
from go_prefetch.doctor.rating import Row
from go_prefetch.doctor.watch import Series
from go_prefetch.prune.families import Inventory
from go_prefetch.prune.family_table import HEADINGS, family_cells, family_lines
from go_prefetch.render.escape import cell, prose
from go_prefetch.render.json_report import clean_texts

_HEADINGS = ("#", "speed", "first byte", "90 %", "jitter", "loss", "rate", "lacks", "DNS", "TCP", "TLS", "source")
_CACHES = "caches of the repository"
_BAR = 10
_BELOW = " " * 6  # the indent of what does not fit into a line of the table
_MOST_NAMES = 5
_ROLES = {
    "list": "",
    "also": " (not in the list)",
    "store": " (store)",
    "direct": " (direct)",
    "checksums": " (checksum database)",
}
_HOUR, _DAY = 3600, 86400
_PERCENTILES = (50, 90, 95, 99)
_PHASES = ("dns", "tcp", "tls", "first_byte")
_LEFT = ("speed", "source")  # all other columns are numbers, aligned to the right


def diagnosis_text(diagnosis: Diagnosis, block: str, width: int = 0) -> str:
    """Return the table, then the lists. `block` is the character of bars, `width` that of the screen; 0: any."""
    lines = [*wrapped(f"go-prefetch doctor: {_headline(diagnosis)}", width, further="  "), ""]
    if diagnosis.rows:
        lines += _table([_HEADINGS, *(_cells(row, block) for row in diagnosis.rows)], width)
    if diagnosis.caches:
        lines += ["", _CACHES, *(f"  {line}" for line in family_lines(diagnosis.caches))]
    for title, entries in _sections(diagnosis):
        lines += ["", title, *(line for entry in entries for line in wrapped(entry, width, "  ", "    "))]
    return "\n".join(lines)


def _table(table: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Return a line for each row. If that is too wide, the last columns get a separate line: phases and source."""
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADINGS))]
    lines = [_line(row, widths, "  ") for row in table]
    if not width or max(map(len, lines)) <= width:
        return lines
    first = _HEADINGS.index("DNS")
    lines = [_line(table[0][:first], widths, " ")]
    for row in table[1:]:
        times = zip(_HEADINGS[first:-1], row[first:-1], strict=True)
        phases = [f"{name} {time}" for name, time in times if time != "-"]
        below = [f"{row[-1]}  {', '.join(phases)}"] if phases else [row[-1]]
        if len(below[0]) > width - len(_BELOW) and phases:
            below = [row[-1], ", ".join(phases)]
        lines += [_line(row[:first], widths, " "), *(_BELOW + text for text in below)]
    return lines


def _line(row: tuple[str, ...], widths: Sequence[int], between: str) -> str:
    padded = (
        text.ljust(width) if heading in _LEFT else text.rjust(width)
        for heading, text, width in zip(_HEADINGS, row, widths, strict=False)
    )
    return "  " + between.join(padded).rstrip()


def diagnosis_markdown(diagnosis: Diagnosis) -> str:
    """Return a heading, the table, and the lists."""
    lines = ["### go-prefetch doctor", "", prose(_headline(diagnosis)), ""]
    if diagnosis.rows:
        lines += [_markdown_row(list(_HEADINGS)), _markdown_row(["---"] * len(_HEADINGS))]
        lines += [_markdown_row([cell(prose(text)) for text in _cells(row, "█")]) for row in diagnosis.rows]
        lines.append("")
    if diagnosis.caches:
        lines += [f"**{_CACHES}**", "", _markdown_row(list(HEADINGS)), _markdown_row(["---"] * len(HEADINGS))]
        lines += [_markdown_row([cell(prose(text)) for text in row]) for row in family_cells(diagnosis.caches)]
        lines.append("")
    for title, entries in _sections(diagnosis):
        lines += [f"**{title}**", "", *(f"- {prose(entry)}" for entry in entries), ""]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_row(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"


def diagnosis_json(diagnosis: Diagnosis, clean: Callable[[str], str]) -> str:
    """Return everything for programs, with every sample. `clean` removes secrets from each string.

    Times are seconds, rates bytes per second, shares 0 to 1. What was not measured is null.
    """
    values = {
        "schema": 1,
        "samples": diagnosis.extent.samples,
        "modules": diagnosis.extent.modules,
        "private_modules": diagnosis.extent.private,
        "usual_zip_bytes": diagnosis.zip_bytes,
        "sources": [_source(row) for row in diagnosis.rows],
        "unusable": [row.measurement.name for row in diagnosis.unusable],
        "store_left_out": diagnosis.store_left_out,
        "caches": _caches(diagnosis.caches),
        "caches_left_out": diagnosis.caches_left_out,
        "series": _series(diagnosis.extent.series),
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "recommended": {
            "goproxy": diagnosis.recommendation.line,
            "changes": diagnosis.recommendation.changes,
            "reasons": list(diagnosis.recommendation.reasons),
        },
    }
    return json.dumps(clean_texts(values, clean), indent=2)


def _caches(caches: Inventory | None) -> dict[str, object] | None:
    if not caches:
        return None
    return {
        "repository": caches.repository,
        "default_branch": caches.branch,
        "bytes": caches.bytes,
        "entries": caches.entries,
        "limit_bytes": caches.limit or None,
        "dollars_a_month": round(caches.dollars, 2),
        "families": [asdict(family) for family in caches.families],
    }


def _series(series: Series | None) -> dict[str, object] | None:
    if not series:
        return None
    return {
        "started": series.started.isoformat(timespec="seconds"),
        "seconds": series.seconds,
        "interval": series.interval,
        "parts": [
            {
                "name": part.source,
                "begins": part.begins.isoformat(timespec="seconds"),
                "ends": part.ends.isoformat(timespec="seconds"),
                "samples": part.figures.samples,
                "first_byte": part.figures.first_byte,
                "first_byte_90": part.figures.first_byte_90,
                "failed": part.figures.lost + part.figures.refused,
            }
            for part in series.parts()
        ],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"name": finding.name, "severity": finding.severity, "case": finding.evidence.case, "text": finding.text}


def _source(row: Row) -> dict[str, object]:
    figures, source = row.figures, row.measurement
    return {
        "name": source.name,
        "role": source.role,
        "rank": row.rank or None,
        "worth": row.rating.worth,
        "why": row.rating.why,
        "seconds_per_zip": row.rating.seconds,
        "dns": figures.dns,
        "tcp": figures.tcp,
        "tls": figures.tls,
        "first_byte": figures.first_byte,
        "jitter": figures.jitter,
        "percentiles": {phase: _percentiles(source.samples, phase) for phase in _PHASES},
        "loss": figures.loss if figures.samples else None,
        "failed": figures.failed if figures.samples else None,
        "failures": [{"words": words, "count": count} for words, count in figures.failures],
        "bytes_per_second": source.transfer.rate,
        "transferred_zips": source.transfer.zips,
        "asked_modules": len(source.holdings),
        "lacks": [str(module) for module in source.lacks],
        "unclear": [{"module": str(one.module), "failure": one.failure} for one in source.unclear],
        "notes": list(source.notes),
        "samples": [asdict(sample) for sample in source.samples],
    }


def _percentiles(samples: Sequence[Sample], phase: str) -> dict[str, float | None]:
    times = [seconds for sample in samples if (seconds := getattr(sample, phase)) is not None]
    return {str(share): percentile(times, share) for share in _PERCENTILES}


def _headline(diagnosis: Diagnosis) -> str:
    """Return one sentence: what was measured."""
    proxies = sum(row.measurement.is_proxy for row in diagnosis.rows)
    parts = [f"{proxies} {'proxy' if proxies == 1 else 'proxies'}, {counted(diagnosis.extent.samples, 'sample')} each"]
    parts.append(f"asked for {counted(diagnosis.extent.modules, 'module')} of the plan")
    if diagnosis.extent.series:
        parts.append(f"watched for {duration(diagnosis.extent.series.seconds)}")
    if diagnosis.extent.private:
        parts.append(f"not for the {diagnosis.extent.private} that are private")
    return ", ".join(parts)


def _cells(row: Row, block: str) -> tuple[str, ...]:
    """Return the cells of one row, under _HEADINGS; `block` is the character of bars."""
    figures, source = row.figures, row.measurement
    clear = len(source.holdings) - len(source.unclear)
    return (
        str(row.rank or "-"),
        _worth(row, block),
        milliseconds(figures.first_byte),
        milliseconds(figures.first_byte_90),
        milliseconds(figures.jitter),
        f"{figures.loss:.0%}" if figures.samples else "-",
        pace(source.transfer.rate),
        f"{len(source.lacks)} of {clear}" if clear else "-",
        milliseconds(figures.dns),
        milliseconds(figures.tcp),
        milliseconds(figures.tls),
        source.name + _ROLES[source.role],
    )


def _worth(row: Row, block: str) -> str:
    """Return the bar, or the word in its place."""
    if row.rating.seconds is not None:
        return block * max(1, round(row.speed * _BAR))
    return row.rating.worth


def _sections(diagnosis: Diagnosis) -> list[tuple[str, list[str]]]:
    """Return title and lines of every list that is not empty."""
    found = [
        ("failed", [line for row in diagnosis.rows for line in _failures(row)]),
        ("lacking", [line for row in diagnosis.rows for line in _lacking(row)]),
        ("notes", [line for row in diagnosis.rows for line in _notes(row)] + _left_out(diagnosis)),
        ("series (UTC)", _parts(diagnosis.extent.series)),
        ("findings", [f"{f.severity}: {f.text} [{f.name}]" for f in diagnosis.findings] or ["none"]),
        ("recommended", _recommended(diagnosis)),
    ]
    return [(title, lines) for title, lines in found if lines]


def _failures(row: Row) -> Iterator[str]:
    source = row.measurement
    for words, count in row.figures.failures:
        yield f"{source.name}: {count} of {row.figures.samples} samples: {words}"
    if source.unclear:
        count, first = len(source.unclear), source.unclear[0]
        yield f"{source.name}: no clear answer for {counted(count, 'zip')}, e.g. {first.module}: {first.failure}"
    if source.transfer.failure:
        yield f"{source.name}: throughput: {source.transfer.failure}"
    if row.rating.worth == "unusable" and not row.figures.failures:
        yield f"{source.name}: {row.rating.why}"


def _lacking(row: Row) -> Iterator[str]:
    if row.measurement.lacks and row.measurement.is_proxy:
        yield f"{row.measurement.name}: {some(row.measurement.lacks, _MOST_NAMES)}"


def _notes(row: Row) -> Iterator[str]:
    for note in row.measurement.notes:
        yield f"{row.measurement.name}: {note}"


def _parts(series: Series | None) -> list[str]:
    if not series:
        return []
    day = "%m-%d " if series.seconds >= _DAY else ""
    clock = f"{day}%H:%M" if series.seconds >= _HOUR else "%H:%M:%S"
    return [
        f"{part.source} {part.begins:{clock}} to {part.ends:{clock}}: "
        f"first byte {milliseconds(part.figures.first_byte)}, 90 % {milliseconds(part.figures.first_byte_90)}, "
        f"{part.figures.lost + part.figures.refused} of {counted(part.figures.samples, 'sample')} failed"
        for part in series.parts()
    ]


def _left_out(diagnosis: Diagnosis) -> list[str]:
    parts = (
        ("the store was not measured", diagnosis.store_left_out),
        ("the caches of the repository were not listed", diagnosis.caches_left_out),
    )
    return [f"{part}: {why}" for part, why in parts if why]


def _recommended(diagnosis: Diagnosis) -> list[str]:
    advice = diagnosis.recommendation
    if not advice.line:
        asked = any(row.measurement.is_proxy for row in diagnosis.rows)
        return ["no proxy of these brings modules" if asked else "the list names no proxy", *advice.reasons]
    hidden = "; write the passwords in place of xxxxx" if "xxxxx" in advice.line else ""
    change = "" if advice.changes else " (as it is)"
    return [f"goproxy: {advice.line}{change}{hidden}", *advice.reasons]
