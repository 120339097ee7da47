"""What was measured, and what it comes to: medians, jitter, loss. Pure. All times are seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from go_prefetch.golang.module import ModuleVersion

Role = Literal["list", "also", "store"]

# A transfer of less than both has no rate.
_ENOUGH_BYTES = 128 << 10
_ENOUGH_SECONDS = 0.2


@dataclass(frozen=True)
class Sample:
    """One small request over a connection of its own, phase by phase.

    A phase is None where it was not reached, or where there is none (TLS of http, DNS of a folder).
    """

    dns: float | None = None
    tcp: float | None = None
    tls: float | None = None
    first_byte: float | None = None  # from the last byte of the request to the first of the answer
    seconds: float = 0.0  # all of it, connection included
    failure: str = ""  # what went wrong, in words for one line
    lost: bool = False  # no whole answer came, as against one that says no


@dataclass(frozen=True)
class Holding:
    """Whether a source has a module's zip, and how many bytes it says that has (0: it did not say)."""

    module: ModuleVersion
    has: bool | None  # None: no clear answer
    size: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Transfer:
    """Bytes that came after the first piece of each zip, and how long they took."""

    bytes: int = 0
    seconds: float = 0.0
    zips: int = 0
    failure: str = ""

    @property
    def rate(self) -> float | None:
        """Bytes per second; None where too little came to tell."""
        enough = self.seconds > 0 and (self.bytes >= _ENOUGH_BYTES or self.seconds >= _ENOUGH_SECONDS)
        return self.bytes / self.seconds if enough and self.bytes else None


@dataclass(frozen=True)
class Measurement:
    """One source: the samples, the zips of the plan it has, the transfer of some of them."""

    name: str  # fit to be shown
    role: Role
    samples: tuple[Sample, ...] = ()
    holdings: tuple[Holding, ...] = ()
    transfer: Transfer = Transfer()
    notes: tuple[str, ...] = ()  # how it was reached, and why something was not measured

    @property
    def lacks(self) -> tuple[ModuleVersion, ...]:
        """Modules of the plan it says it does not have."""
        return tuple(holding.module for holding in self.holdings if holding.has is False)

    @property
    def unclear(self) -> tuple[Holding, ...]:
        """Modules of the plan it gave no clear answer about."""
        return tuple(holding for holding in self.holdings if holding.has is None)

    @property
    def is_empty(self) -> bool:
        """Whether it has none of the modules it was asked for."""
        return bool(self.holdings) and len(self.lacks) == len(self.holdings)


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
