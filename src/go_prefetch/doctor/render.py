"""A Diagnosis in words: the table's rows and the lists below it, which text and Markdown both show."""

from __future__ import annotations

from collections.abc import Iterator

from go_prefetch.base.format import counted, some
from go_prefetch.doctor.diagnosis import Diagnosis, Row
from go_prefetch.doctor.recommendation import milliseconds, pace

HEADINGS = ("#", "speed", "first byte", "jitter", "loss", "rate", "lacks", "DNS", "TCP", "TLS", "source")
_BAR = 10
_MOST_NAMES = 5
_ROLES = {"list": "", "also": " (not in the list)", "store": " (store)"}


def headline(diagnosis: Diagnosis) -> str:
    """One sentence: what was measured."""
    proxies = sum(row.measured.role != "store" for row in diagnosis.rows)
    parts = [f"{proxies} {'proxy' if proxies == 1 else 'proxies'}, {counted(diagnosis.samples, 'sample')} each"]
    parts.append(f"asked for {counted(diagnosis.modules, 'module')} of the plan")
    if diagnosis.private:
        parts.append(f"not for the {diagnosis.private} that are private")
    return ", ".join(parts)


def cells(row: Row, block: str) -> tuple[str, ...]:
    """The cells of one row, under HEADINGS; `block` is what bars are made of."""
    figures, measured = row.figures, row.measured
    clear = len(measured.holdings) - len(measured.unclear)
    return (
        str(row.rank or "-"),
        _worth(row, block),
        milliseconds(figures.first_byte),
        milliseconds(figures.jitter),
        f"{figures.loss:.0%}" if figures.samples else "-",
        pace(measured.transfer.rate),
        f"{len(measured.lacks)} of {clear}" if clear else "-",
        milliseconds(figures.dns),
        milliseconds(figures.tcp),
        milliseconds(figures.tls),
        measured.name + _ROLES[measured.role],
    )


def _worth(row: Row, block: str) -> str:
    """The bar, or the word in its place."""
    if row.rating.seconds is not None:
        return block * max(1, round(row.speed * _BAR))
    return row.rating.worth


def sections(diagnosis: Diagnosis) -> list[tuple[str, list[str]]]:
    """Title and lines of every list that has any."""
    found = [
        ("failed", [line for row in diagnosis.rows for line in _failures(row)]),
        ("lacking", [line for row in diagnosis.rows for line in _lacking(row)]),
        ("notes", [line for row in diagnosis.rows for line in _notes(row)] + _store(diagnosis)),
        ("findings", [f"{f.severity}: {f.text} [{f.name}]" for f in diagnosis.findings] or ["none"]),
        ("recommended", _recommended(diagnosis)),
    ]
    return [(title, lines) for title, lines in found if lines]


def _failures(row: Row) -> Iterator[str]:
    for words, count in row.figures.failures:
        yield f"{row.measured.name}: {count} of {row.figures.samples} samples: {words}"
    if row.measured.unclear:
        count, first = len(row.measured.unclear), row.measured.unclear[0]
        yield f"{row.measured.name}: no clear answer for {counted(count, 'zip')}, e.g. {first.module}: {first.failure}"
    if row.measured.transfer.failure:
        yield f"{row.measured.name}: throughput: {row.measured.transfer.failure}"
    if row.rating.worth == "unusable" and not row.figures.failures:
        yield f"{row.measured.name}: {row.rating.why}"


def _lacking(row: Row) -> Iterator[str]:
    if row.measured.lacks and row.measured.role != "store":
        yield f"{row.measured.name}: {some(row.measured.lacks, _MOST_NAMES)}"


def _notes(row: Row) -> Iterator[str]:
    for note in row.measured.notes:
        yield f"{row.measured.name}: {note}"


def _store(diagnosis: Diagnosis) -> list[str]:
    return [f"the store was not measured: {diagnosis.store_left_out}"] if diagnosis.store_left_out else []


def _recommended(diagnosis: Diagnosis) -> list[str]:
    advice = diagnosis.recommendation
    if not advice.line:
        asked = any(row.measured.role != "store" for row in diagnosis.rows)
        return ["no proxy of these brings modules" if asked else "the list names no proxy", *advice.reasons]
    hidden = "; write the passwords in place of xxxxx" if "xxxxx" in advice.line else ""
    change = "" if advice.changes else " (as it is)"
    return [f"goproxy: {advice.line}{change}{hidden}", *advice.reasons]
