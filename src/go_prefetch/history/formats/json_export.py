"""A report over many runs as JSON, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from go_prefetch.history.formats.sections import notes
from go_prefetch.history.metrics import Delivery, Prefetching
from go_prefetch.history.report import HistoryReport
from go_prefetch.render.messages import reason

SCHEMA_VERSION = 1


def document(report: HistoryReport) -> str:
    """Every figure; `schema` changes when a field changes its meaning or goes."""
    history = report.history
    values = {
        "schema": SCHEMA_VERSION,
        "repository": history.repository,
        "until": _moment(history.now),
        "since": _moment(history.selection.since),
        "workflows": list(history.selection.workflows),
        "branches": list(history.selection.branches),
        "incomplete_because": reason(history.incomplete_because),
        "notes": notes(report),
        "prefetching": _prefetching(report.prefetching),
        "workflow_runs": _delivery(report.delivery),
        "storage": asdict(history.storage) if history.storage else None,
        "comparison": _comparison(report),
        "gates": [asdict(gate) for gate in report.gates],
        "periods": [
            {
                "first": period.first.isoformat(),
                "days": period.days,
                "prefetching": _prefetching(period.prefetching),
                "workflow_runs": _delivery(period.delivery),
            }
            for period in report.periods
        ],
    }
    return json.dumps(values, indent=2) + "\n"


def _comparison(report: HistoryReport) -> dict[str, Any] | None:
    compared = report.comparison
    if compared is None:
        return None
    sides = {"before": compared.before, "after": compared.after}
    return {
        "at": _moment(compared.moment),
        "label": compared.label,
        "failures_differ": compared.failures_differ,
        **{
            name: {"prefetching": _prefetching(side.prefetching), "workflow_runs": _delivery(side.delivery)}
            for name, side in sides.items()
        },
    }


def _prefetching(figures: Prefetching) -> dict[str, Any]:
    return _rounded({**asdict(figures), "hit_rate_by_modules": figures.hit_rate_by_modules})


def _delivery(figures: Delivery) -> dict[str, Any]:
    rates = {"success_rate": figures.success_rate, "change_failure_rate": figures.change_failure_rate}
    return _rounded({**asdict(figures), **rates})


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
