"""Measure the CI's cache service: the way to it, and one restore into a folder that is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from go_prefetch.base.temporary_folder import temporary_folder
from go_prefetch.doctor.measure_proxy import Limits
from go_prefetch.doctor.measurement import Holding, Measured, Sample, Transfer
from go_prefetch.doctor.probe import BodyLimit, Probe
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import CacheKey
from go_prefetch.model.ports import CacheStore, Wanted
from go_prefetch.model.results import Restored
from go_prefetch.render.messages import on_one_line, reason


def measure_service(
    store: CacheStore, url: str, probe: Probe, key: CacheKey, modules: Sequence[ModuleVersion], limits: Limits
) -> Measured:
    """Samples ask the service's host for its front page, with no token; whatever it says is an answer.

    What it holds, and how fast that comes, is what a restore gets; `limits.deadline` ends that too.
    """
    parts = urlsplit(url)
    front = f"{parts.scheme}://{parts.netloc}/"
    samples = tuple(_sample(probe, front, limits) for _ in range(limits.samples) if not limits.deadline.passed())
    files = [ModuleFile(module, kind) for module in modules for kind in ("zip", "mod", "info")]
    if not files:
        return Measured(store.name, "store", samples, notes=("there is no plan to restore",))
    try:
        with temporary_folder() as folder:
            restored = store.restore(Wanted(key, files, ModuleFolder.at(folder)), limits.deadline, lambda _: None)
    except OSError as error:
        words = f"no room to restore into: {error.strerror or error}"
        return Measured(store.name, "store", samples, notes=(words,))
    return _measured(store.name, samples, modules, restored)


def _sample(probe: Probe, url: str, limits: Limits) -> Sample:
    reply = probe.get(url, BodyLimit(1, limits.stall_timeout), limits.deadline)
    return replace(reply.sample, failure="", lost=False) if reply.status else reply.sample


def _measured(name: str, samples: tuple[Sample, ...], modules: Sequence[ModuleVersion], restored: Restored) -> Measured:
    holdings = tuple(Holding(module, has=ModuleFile(module, "zip") in restored.files) for module in modules)
    zips = sum(holding.has is True for holding in holdings)
    moved = Transfer(restored.bytes, restored.seconds, zips) if restored.files else Transfer()
    because = (f"restored nothing: {reason(restored.skipped_reason)}",) if restored.skipped_reason else ()
    rate = ("its rate is that of a whole restore, look-up included",) if moved.rate else ()
    return Measured(name, "store", samples, holdings, moved, (*because, *rate, *map(on_one_line, restored.warnings)))
