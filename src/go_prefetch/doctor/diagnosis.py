"""All results of doctor, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.findings import Finding
from go_prefetch.doctor.measurement import Figures, Measurement, condense
from go_prefetch.doctor.recommendation import Rated, Rating, Recommendation, rate, recommend, usual_size
from go_prefetch.golang.goproxy import ProxyList


@dataclass(frozen=True)
class Row:
    """One source: its figures and its rating."""

    measurement: Measurement
    figures: Figures
    rating: Rating
    rank: int  # 1 is the best proxy; 0: the store, or an unusable proxy
    speed: float  # 0 to 1: the share of the best one's


@dataclass(frozen=True)
class Extent:
    """The number of requests to each proxy."""

    modules: int  # of the plan, that are requested
    private: int  # of the plan, that are never requested from a proxy
    samples: int


@dataclass(frozen=True)
class Diagnosis:
    """Rows in order of rank, the store last."""

    rows: tuple[Row, ...]
    recommendation: Recommendation
    findings: tuple[Finding, ...]
    extent: Extent
    zip_bytes: int  # of the typical zip of the plan; 0 if no source reported sizes
    store_left_out: str = ""  # why there is no row for a store

    @property
    def unusable(self) -> tuple[Row, ...]:
        """Return unusable proxies of the list."""
        return tuple(row for row in self.rows if row.measurement.role == "list" and row.rating.worth == "unusable")


def diagnose(
    proxies: ProxyList,
    measured: Sequence[tuple[Candidate, Measurement]],
    store: Measurement | None,
    found: tuple[Finding, ...],
    extent: Extent,
    *,
    store_left_out: str = "",
    written: str = "",
) -> Diagnosis:
    """Combine measurements and findings; `written` is the user's list without passwords."""
    sources = [source for _, source in measured]
    zip_bytes = usual_size(sources)
    ratings = rate([*sources, *([store] if store else [])], zip_bytes)
    rated = [Rated(candidate, rating) for (candidate, _), rating in zip(measured, ratings, strict=False)]
    return Diagnosis(
        rows=_rows([*sources, *([store] if store else [])], ratings),
        recommendation=recommend(rated, proxies, written or proxies.shown),
        findings=found,
        extent=extent,
        zip_bytes=zip_bytes,
        store_left_out=store_left_out,
    )


def _rows(sources: Sequence[Measurement], ratings: Sequence[Rating]) -> tuple[Row, ...]:
    proxies = [rating.seconds for source, rating in zip(sources, ratings, strict=True) if source.role != "store"]
    order = sorted(seconds for seconds in proxies if seconds is not None)
    best = min((rating.seconds for rating in ratings if rating.seconds is not None), default=0.0)
    rows = [
        Row(
            source,
            condense(source.samples),
            rating,
            rank=0 if rating.seconds is None or source.role == "store" else 1 + order.index(rating.seconds),
            speed=0.0 if rating.seconds is None else best / rating.seconds if rating.seconds else 1.0,
        )
        for source, rating in zip(sources, ratings, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (row.measurement.role == "store", row.rank == 0, row.rank)))
