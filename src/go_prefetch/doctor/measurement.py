"""What was measured: values that probes make, statistics condense and reports show. All times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from go_prefetch.golang.module import ModuleVersion

Role = Literal["list", "also", "store"]


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
        enough = self.seconds > 0 and (self.bytes >= _FEW_BYTES or self.seconds >= _LONG_ENOUGH)
        return self.bytes / self.seconds if enough and self.bytes else None


_FEW_BYTES = 128 << 10
_LONG_ENOUGH = 0.2


@dataclass(frozen=True)
class Measured:
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
