"""The measurements and their figures: medians, jitter, loss. Pure. All times are seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from go_prefetch.base.percentile import percentile
from go_prefetch.golang.module import ModuleVersion

Role = Literal["list", "also", "store", "direct", "checksums"]

# A transfer of less than both has no rate.
_ENOUGH_BYTES = 128 << 10
_ENOUGH_SECONDS = 0.2


@dataclass(frozen=True)
class Sample:
    """One small request over a new connection, phase by phase.

    A phase is None if it was not reached, or does not exist (TLS of http, DNS of a folder).
    """

    dns: float | None = None
    tcp: float | None = None
    tls: float | None = None
    first_byte: float | None = None  # from the last byte of the request to the first of the answer
    seconds: float = 0.0  # in total, connection included
    failure: str = ""  # the error, on one line
    lost: bool = False  # there was no complete answer, not even a negative one
    after: float | None = None  # since a watch began; None outside of one


@dataclass(frozen=True)
class Holding:
    """Whether a source has a module's zip, and its size in bytes (0: unknown)."""

    module: ModuleVersion
    has: bool | None  # None: no clear answer
    size: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Transfer:
    """Bytes after the first piece of each zip, and how long they took."""

    bytes: int = 0
    seconds: float = 0.0
    zips: int = 0
    failure: str = ""

    @property
    def rate(self) -> float | None:
        """Return bytes per second; None if there is too little data."""
        enough = self.seconds > 0 and (self.bytes >= _ENOUGH_BYTES or self.seconds >= _ENOUGH_SECONDS)
        return self.bytes / self.seconds if enough and self.bytes else None


@dataclass(frozen=True)
class Measurement:
    """One source: its samples, the zips of the plan that it has, the transfer of some of them."""

    name: str  # without passwords
    role: Role
    samples: tuple[Sample, ...] = ()
    holdings: tuple[Holding, ...] = ()
    transfer: Transfer = Transfer()
    notes: tuple[str, ...] = ()  # how it was reached, and why something was not measured
    is_archive: bool = False  # whether one answer brings all zips

    @property
    def is_silent(self) -> bool:
        """Return whether it was asked, and gave no complete answer."""
        return bool(self.samples) and all(sample.lost for sample in self.samples)

    @property
    def has_modules(self) -> bool:
        """Return whether it is a proxy or the store."""
        return self.role in ("list", "also", "store")

    @property
    def is_proxy(self) -> bool:
        """Return whether it is a proxy of the list or of `--also`."""
        return self.role in ("list", "also")

    @property
    def lacks(self) -> tuple[ModuleVersion, ...]:
        """Return modules of the plan that it does not have."""
        return tuple(holding.module for holding in self.holdings if holding.has is False)

    @property
    def unclear(self) -> tuple[Holding, ...]:
        """Return modules of the plan without a clear answer."""
        return tuple(holding for holding in self.holdings if holding.has is None)

    @property
    def is_empty(self) -> bool:
        """Return whether it has none of the requested modules."""
        return bool(self.holdings) and len(self.lacks) == len(self.holdings)


@dataclass(frozen=True)
class Figures:
    """The figures of one source's samples. Phases are medians in seconds, None if no sample has the phase."""

    samples: int
    dns: float | None
    tcp: float | None
    tls: float | None
    first_byte: float | None
    first_byte_90: float | None  # nine in ten are at most as late
    jitter: float | None  # mean difference between consecutive first bytes; None with fewer than two
    lost: int  # no complete answer
    refused: int  # a negative answer, or one that is not valid
    failed_seconds: float  # average duration of a failed sample
    failures: tuple[tuple[str, int], ...]  # texts and counts, the most frequent first

    @property
    def loss(self) -> float:
        """Return the share of samples without a complete answer, 0 to 1."""
        return self.lost / self.samples if self.samples else 0.0

    @property
    def failed(self) -> float:
        """Return the share of samples that would be a failed attempt, 0 to 1."""
        return (self.lost + self.refused) / self.samples if self.samples else 0.0


def condense(samples: Sequence[Sample]) -> Figures:
    """Return the figures of these samples, in the order they were taken."""
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
        first_byte_90=percentile(firsts, 90),
        jitter=jitter(firsts),
        lost=lost,
        refused=len(failed) - lost,
        failed_seconds=sum(sample.seconds for sample in failed) / len(failed) if failed else 0.0,
        failures=tuple(Counter(sample.failure for sample in failed).most_common()),
    )


def jitter(times: Sequence[float]) -> float | None:
    """Return the mean absolute difference of neighbours, as in RFC 3550 but not smoothed; None with fewer than two."""
    if len(times) < 2:
        return None
    return sum(abs(later - earlier) for earlier, later in pairwise(times)) / (len(times) - 1)


def _median(times: Iterable[float | None]) -> float | None:
    known = [seconds for seconds in times if seconds is not None]
    return median(known) if known else None
