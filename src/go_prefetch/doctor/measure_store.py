"""Measure a store: a folder in GOPROXY layout (also a `file://` proxy), a shared pool, or the CI's cache service."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from go_prefetch.base.retry import Deadline
from go_prefetch.base.temporary_folder import temporary_folder
from go_prefetch.doctor.measure_proxy import PUBLIC_MODULE
from go_prefetch.doctor.measurement import Holding, Measurement, Role, Sample, Transfer
from go_prefetch.doctor.probe import BodyLimit, Probe, one_line
from go_prefetch.doctor.sampling import Limits
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder, name_in_pool
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import CacheKey
from go_prefetch.model.ports import CacheStore, Wanted
from go_prefetch.model.results import Restored
from go_prefetch.render.messages import as_warning, reason
from go_prefetch.stores.objects.port import ObjectError, ObjectStorage, Trouble

_PIECE = 1 << 20
_MOST_ZIPS = 8
_TRANSFER_SECONDS = 1.0


def measure_folder(
    name: str, role: Role, root: Path, modules: Sequence[ModuleVersion], samples: int, deadline: Deadline
) -> Measurement:
    """Sample a folder: open a file and read its first byte, possibly from the system's memory."""
    try:
        os.scandir(root).close()
    except (FileNotFoundError, NotADirectoryError):
        notes = ("the folder does not exist yet",) if role == "store" else ()
        failed = () if role == "store" else (Sample(failure="there is no such folder"),)
        return Measurement(name, role, failed, tuple(Holding(module, has=False) for module in modules), notes=notes)
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        lost = Sample(failure=words, lost=True)
        return Measurement(name, role, (lost,), notes=(f"the folder cannot be read: {words}",))
    folder = ModuleFolder.at(root)
    holdings = tuple(_look_for(folder, module) for module in modules)
    held = sorted((holding for holding in holdings if holding.has), key=lambda holding: -holding.size)
    paths = [folder.zip_path(holding.module) for holding in held]
    taken = tuple(_read_first_byte(paths[number % len(paths)]) for number in range(samples)) if paths else ()
    return Measurement(name, role, taken, holdings, _read_zips(paths, deadline))


def _look_for(folder: ModuleFolder, module: ModuleVersion) -> Holding:
    try:
        found = folder.zip_path(module).stat()
    except OSError:
        return Holding(module, has=False)
    if not stat.S_ISREG(found.st_mode):  # opening a pipe waits for a writer
        return Holding(module, None, failure="it is not a regular file")
    return Holding(module, has=found.st_size > 0, size=found.st_size)


def _read_first_byte(path: Path) -> Sample:
    started = time.monotonic()
    try:
        with path.open("rb", buffering=0) as file:
            file.read(1)
    except OSError as error:
        return Sample(seconds=time.monotonic() - started, failure=(error.strerror or str(error)).lower(), lost=True)
    seconds = time.monotonic() - started
    return Sample(first_byte=seconds, seconds=seconds)


def _read_zips(paths: Sequence[Path], deadline: Deadline) -> Transfer:
    total = zips = 0
    started = time.monotonic()
    for path in paths[:_MOST_ZIPS]:
        try:
            with path.open("rb", buffering=0) as file:
                while piece := file.read(_PIECE):
                    total += len(piece)
                    if deadline.passed() or time.monotonic() - started > _TRANSFER_SECONDS:
                        return Transfer(total, time.monotonic() - started, zips)
        except OSError as error:
            return Transfer(total, time.monotonic() - started, zips, (error.strerror or str(error)).lower())
        zips += 1
    return Transfer(total, time.monotonic() - started, zips)


def measure_service(
    store: CacheStore, url: str, probe: Probe, key: CacheKey, modules: Sequence[ModuleVersion], limits: Limits
) -> Measurement:
    """Sample the service's front page, without a token; any answer counts.

    Its contents and rate are measured by a restore, which `limits.deadline` ends too.
    """
    parts = urlsplit(url)
    front = f"{parts.scheme}://{parts.netloc}/"
    samples = tuple(
        _ask_front_page(probe, front, limits) for _ in range(limits.samples) if not limits.deadline.passed()
    )
    return _restored(store, samples, key, modules, limits)


def measure_pool(
    store: CacheStore, objects: ObjectStorage, key: CacheKey, modules: Sequence[ModuleVersion], limits: Limits
) -> Measurement:
    """Measure a restore from a pool, and sample it with questions for the size of zips, of those it has if it has any.

    A bucket that the caller may not list denies what it lacks.
    """
    measured = _restored(store, (), key, modules, limits)
    held = [holding.module for holding in measured.holdings if holding.has]
    names = [name_in_pool(ModuleFile(module, "zip")) for module in held or modules or (PUBLIC_MODULE,)]
    samples: list[Sample] = []
    for number in range(limits.samples):
        if limits.deadline.passed() or (samples and samples[-1].lost):  # a lost one took all of its attempts
            break
        samples.append(_ask_size(objects, names[number % len(names)], limits.deadline))
    return replace(measured, samples=tuple(samples))


def _ask_size(objects: ObjectStorage, name: str, deadline: Deadline) -> Sample:
    started = time.monotonic()
    try:
        objects.size(name, deadline)
    except ObjectError as error:
        seconds = time.monotonic() - started
        words = one_line(error.words) or error.trouble.value
        return Sample(seconds=seconds, failure=words, lost=error.trouble is Trouble.UNREACHABLE)
    seconds = time.monotonic() - started
    return Sample(first_byte=seconds, seconds=seconds)


def _restored(
    store: CacheStore,
    samples: tuple[Sample, ...],
    key: CacheKey,
    modules: Sequence[ModuleVersion],
    limits: Limits,
) -> Measurement:
    """Measure a restore into a folder that is removed afterwards."""
    files = [ModuleFile(module, kind) for module in modules for kind in ("zip", "mod", "info")]
    if not files:
        return Measurement(store.name, "store", samples, notes=("there is no plan to restore",))
    try:
        with temporary_folder() as folder:
            restored = store.restore(Wanted(key, files, ModuleFolder.at(folder)), limits.deadline, lambda _: None)
    except OSError as error:
        words = f"no disk space for a restore: {error.strerror or error}"
        return Measurement(store.name, "store", samples, notes=(words,))
    return _of_restore(store.name, samples, modules, restored)


def _ask_front_page(probe: Probe, url: str, limits: Limits) -> Sample:
    reply = probe.sample(url, BodyLimit(1, limits.stall_timeout), limits.deadline)
    return replace(reply.sample, failure="", lost=False) if reply.status else reply.sample


def _of_restore(
    name: str, samples: tuple[Sample, ...], modules: Sequence[ModuleVersion], restored: Restored
) -> Measurement:
    holdings = tuple(Holding(module, has=ModuleFile(module, "zip") in restored.files) for module in modules)
    zips = sum(holding.has is True for holding in holdings)
    moved = Transfer(restored.bytes, restored.seconds, zips) if restored.files else Transfer()
    because = (f"restored nothing: {reason(restored.skipped_reason)}",) if restored.skipped_reason else ()
    rate = ("its rate is that of a whole restore, look-up included",) if moved.rate else ()
    notes = (*because, *rate, *map(as_warning, restored.warnings))
    return Measurement(name, "store", samples, holdings, moved, notes, is_archive=True)
