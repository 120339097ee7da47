"""A Diagnosis for programs. Times are seconds, rates bytes per second, shares 0 to 1; null is not measured."""

from __future__ import annotations

import json
from collections.abc import Callable

from go_prefetch.doctor.diagnosis import Diagnosis, Row


def diagnosis_json(diagnosis: Diagnosis, clean: Callable[[str], str]) -> str:
    """The same as text, and every sample; `clean` takes secrets out of each string."""
    values = {
        "schema": 1,
        "samples": diagnosis.samples,
        "modules": diagnosis.modules,
        "private_modules": diagnosis.private,
        "usual_zip_bytes": diagnosis.zip_bytes,
        "sources": [_source(row) for row in diagnosis.rows],
        "unusable": [row.measured.name for row in diagnosis.unusable],
        "store_left_out": diagnosis.store_left_out,
        "findings": [
            {"name": finding.name, "severity": finding.severity, "text": finding.text} for finding in diagnosis.findings
        ],
        "recommended": {
            "goproxy": diagnosis.recommendation.line,
            "changes": diagnosis.recommendation.changes,
            "reasons": list(diagnosis.recommendation.reasons),
        },
    }
    return json.dumps(_cleaned(values, clean), indent=2)


def _source(row: Row) -> dict[str, object]:
    figures, measured = row.figures, row.measured
    return {
        "name": measured.name,
        "role": measured.role,
        "rank": row.rank or None,
        "worth": row.rating.worth,
        "why": row.rating.why,
        "seconds_per_zip": row.rating.seconds,
        "dns": figures.dns,
        "tcp": figures.tcp,
        "tls": figures.tls,
        "first_byte": figures.first_byte,
        "jitter": figures.jitter,
        "loss": figures.loss if figures.samples else None,
        "failed": figures.failed if figures.samples else None,
        "failures": [{"words": words, "count": count} for words, count in figures.failures],
        "bytes_per_second": measured.transfer.rate,
        "transferred_zips": measured.transfer.zips,
        "asked_modules": len(measured.holdings),
        "lacks": [str(module) for module in measured.lacks],
        "unclear": [{"module": str(one.module), "failure": one.failure} for one in measured.unclear],
        "notes": list(measured.notes),
        "samples": [
            {
                "dns": one.dns,
                "tcp": one.tcp,
                "tls": one.tls,
                "first_byte": one.first_byte,
                "seconds": one.seconds,
                "failure": one.failure,
                "lost": one.lost,
            }
            for one in measured.samples
        ],
    }


def _cleaned(value: object, clean: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: _cleaned(held, clean) for name, held in value.items()}
    if isinstance(value, list):
        return [_cleaned(held, clean) for held in value]
    return value
