"""Measure all proxies: samples of all at the same time, then which modules each has, then throughput one by one.

A sample is small and does not disturb other sources. A transfer needs the whole line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from go_prefetch.base.background import at_once
from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.measure_proxy import (
    PUBLIC_MODULE,
    find_holdings,
    proxy_measurement,
    target_of,
    transfer,
)
from go_prefetch.doctor.measure_store import measure_folder
from go_prefetch.doctor.measurement import Holding, Measurement, Sample, Transfer
from go_prefetch.doctor.probe import Probe
from go_prefetch.doctor.sampling import Limits, Progress, Target
from go_prefetch.doctor.watch import Series, watch
from go_prefetch.golang.module import ModuleVersion

_Samples = tuple[tuple[Sample, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Examination:
    """What is measured: the modules that may be requested, and the limits."""

    probe: Probe
    modules: Sequence[ModuleVersion]  # of the plan, none of them private
    limits: Limits
    progress: Progress

    def measure(self, candidates: Sequence[Candidate]) -> dict[Candidate, Measurement]:
        """Measure every candidate."""
        folders = {candidate: self._folder(candidate) for candidate in candidates if _is_folder(candidate)}
        remote = [candidate for candidate in candidates if candidate not in folders]
        samples = at_once({candidate: self._samples_of(self.target_of(candidate)) for candidate in remote})
        alive = [one for one in remote if any(not sample.lost for sample in samples[one][0])]
        holdings = {one: self._holdings(one) for one in alive}
        order = _largest_first(holdings)
        transfers = {one: self._transfer(one, holdings[one], order) for one in alive}
        return folders | {
            one: proxy_measurement(one, *samples[one], holdings.get(one, ()), transfers.get(one, Transfer()))
            for one in remote
        }

    def measure_hosts(self, targets: Sequence[Target]) -> tuple[Measurement, ...]:
        """Sample what is no proxy, all at the same time."""
        taken = at_once({target: self._samples_of(target) for target in targets})
        return tuple(
            Measurement(target.name, target.role, samples, notes=notes) for target, (samples, notes) in taken.items()
        )

    def watch(self, targets: Sequence[Target], seconds: float) -> Series:
        """Sample the targets for this time."""
        return watch(targets, self.probe, self.limits, seconds, self.progress)

    def targets_of(self, candidates: Sequence[Candidate]) -> tuple[Target, ...]:
        """Return the targets of the proxies over HTTP."""
        return tuple(self.target_of(candidate) for candidate in candidates if not _is_folder(candidate))

    def target_of(self, candidate: Candidate) -> Target:
        """Return the target for the samples of a proxy over HTTP."""
        modules = (PUBLIC_MODULE,) if candidate.is_guarded or not self.modules else self.modules
        return target_of(candidate, modules)

    def _samples_of(self, target: Target) -> Callable[[], _Samples]:
        return lambda: target.take_samples(self.probe, self.limits, self.progress)

    def _holdings(self, candidate: Candidate) -> tuple[Holding, ...]:
        if candidate.is_guarded or not self.modules:
            return ()
        return find_holdings(self.probe, candidate.proxy.url, self.modules, self.limits, self._progress_of(candidate))

    def _transfer(self, candidate: Candidate, holdings: Sequence[Holding], order: Sequence[ModuleVersion]) -> Transfer:
        has = {holding.module for holding in holdings if holding.has}
        modules = [module for module in order if module in has] if holdings else [PUBLIC_MODULE]
        return transfer(self.probe, candidate.proxy.url, modules, self.limits, self._progress_of(candidate))

    def _folder(self, candidate: Candidate) -> Measurement:
        from urllib.request import url2pathname  # noqa: PLC0415 - 20 ms, and file:// proxies are few

        root = Path(url2pathname(urlsplit(candidate.proxy.url).path))
        return measure_folder(
            candidate.proxy.shown, candidate.role, root, self.modules, self.limits.samples, self.limits.deadline
        )

    def _progress_of(self, candidate: Candidate) -> Progress:
        return lambda text: self.progress(f"{candidate.proxy.shown}: {text}")


def _is_folder(candidate: Candidate) -> bool:
    return urlsplit(candidate.proxy.url).scheme == "file"


def _largest_first(holdings: Mapping[Candidate, Sequence[Holding]]) -> list[ModuleVersion]:
    """Return the same zips for every source if possible: those that most sources have, largest first."""
    sizes: dict[ModuleVersion, int] = {}
    had: dict[ModuleVersion, int] = {}
    for holding in (holding for found in holdings.values() for holding in found if holding.has):
        sizes[holding.module] = max(sizes.get(holding.module, 0), holding.size)
        had[holding.module] = had.get(holding.module, 0) + 1
    return sorted(sizes, key=lambda module: (-had[module], -sizes[module], module))
