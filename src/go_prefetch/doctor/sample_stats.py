"""Samples condensed: medians, jitter, loss. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from go_prefetch.doctor.measurement import Sample


@dataclass(frozen=True)
class Figures:
    """What the samples of one source come to. Phases are medians in seconds, None where no sample has the phase."""

    samples: int
    dns: float | None
    tcp: float | None
    tls: float | None
    first_byte: float | None
    jitter: float | None  # mean difference between one first byte and the next; None with fewer than two
    lost: int  # no whole answer
    refused: int  # an answer that says no, or that makes no sense
    failed_seconds: float  # what a failed sample took, on average
    failures: tuple[tuple[str, int], ...]  # in words, how often; the most frequent first

    @property
    def loss(self) -> float:
        """Share of samples without a whole answer, 0 to 1."""
        return self.lost / self.samples if self.samples else 0.0

    @property
    def failed(self) -> float:
        """Share of samples that would have been a failed attempt, 0 to 1."""
        return (self.lost + self.refused) / self.samples if self.samples else 0.0


def condense(samples: Sequence[Sample]) -> Figures:
    """The figures of these samples, in the order they were taken."""
    failed = [sample for sample in samples if sample.failure]
    good = [sample for sample in samples if not sample.failure]
    firsts = [sample.first_byte for sample in good if sample.first_byte is not None]
    lost = sum(sample.lost for sample in failed)
    return Figures(
        samples=len(samples),
        dns=_median(sample.dns for sample in samples),
        tcp=_median(sample.tcp for sample in samples),
        tls=_median(sample.tls for sample in samples),
        first_byte=_median(firsts),
        jitter=jitter(firsts),
        lost=lost,
        refused=len(failed) - lost,
        failed_seconds=sum(sample.seconds for sample in failed) / len(failed) if failed else 0.0,
        failures=tuple(Counter(sample.failure for sample in failed).most_common()),
    )


def jitter(times: Sequence[float]) -> float | None:
    """Mean absolute difference of neighbours, as RFC 3550 means jitter, not smoothed; None with fewer than two."""
    if len(times) < 2:
        return None
    return sum(abs(later - earlier) for earlier, later in pairwise(times)) / (len(times) - 1)


def _median(times: Iterable[float | None]) -> float | None:
    known = [seconds for seconds in times if seconds is not None]
    return median(known) if known else None
