"""All results of doctor, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.finding import Finding
from go_prefetch.doctor.findings import measured_findings
from go_prefetch.doctor.measurement import Measurement
from go_prefetch.doctor.rating import Row, rate, rows_of, usual_size
from go_prefetch.doctor.recommendation import Rated, Recommendation, recommend
from go_prefetch.doctor.watch import Series
from go_prefetch.golang.goproxy import ProxyList
from go_prefetch.prune.families import Inventory


@dataclass(frozen=True)
class Extent:
    """What was requested of each proxy."""

    modules: int  # of the plan, that are requested
    private: int  # of the plan, that are never requested from a proxy
    samples: int
    series: Series | None = None  # what was requested after that, for `--watch`


@dataclass(frozen=True)
class Diagnosis:
    """Rows in order of rank: proxies, then the store and other hosts."""

    rows: tuple[Row, ...]
    recommendation: Recommendation
    findings: tuple[Finding, ...]  # problems first
    extent: Extent
    zip_bytes: int  # of the typical zip of the plan; 0 if no source reported sizes
    store_left_out: str = ""  # why there is no row for a store
    caches: Inventory | None = None  # of the repository on GitHub
    caches_left_out: str = ""  # why they were not listed

    @property
    def unusable(self) -> tuple[Row, ...]:
        """Return unusable proxies of the list."""
        return tuple(row for row in self.rows if row.measurement.role == "list" and row.rating.worth == "unusable")


def diagnose(
    proxies: ProxyList,
    measured: Sequence[tuple[Candidate, Measurement]],
    others: Sequence[Measurement],
    found: tuple[Finding, ...],
    extent: Extent,
    *,
    store_left_out: str = "",
    written: str = "",
) -> Diagnosis:
    """Combine measurements with what was `found` before; `written` is the user's list without passwords.

    `others` are the store, and what Go asks besides proxies.
    """
    if extent.series:
        measured = [(candidate, extent.series.added_to(source)) for candidate, source in measured]
        others = [extent.series.added_to(source) for source in others]
    sources = [source for _, source in measured]
    zip_bytes = usual_size(sources)
    everything = [*sources, *others]
    ratings = rate(everything, zip_bytes)
    rated = [Rated(candidate, rating) for (candidate, _), rating in zip(measured, ratings, strict=False)]
    rows = rows_of(everything, ratings)
    all_found = (*found, *measured_findings(rows, zip_bytes))
    return Diagnosis(
        rows=rows,
        recommendation=recommend(rated, proxies, written or proxies.shown),
        findings=tuple(sorted(all_found, key=lambda finding: finding.severity != "problem")),
        extent=extent,
        zip_bytes=zip_bytes,
        store_left_out=store_left_out,
    )
