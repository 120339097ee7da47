"""Measure a folder in GOPROXY layout: a directory pool, or a `file://` proxy."""

from __future__ import annotations

import stat
import time
from collections.abc import Sequence
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.doctor.measurement import Holding, Measured, Role, Sample, Transfer
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.module import ModuleVersion

_PIECE = 1 << 20
_MOST_ZIPS = 8
_TRANSFER_SECONDS = 1.0


def measure_folder(
    name: str, role: Role, root: Path, modules: Sequence[ModuleVersion], samples: int, deadline: Deadline
) -> Measured:
    """Samples open a file and read its first byte; what the system has in memory comes from there."""
    if not root.is_dir():
        notes = ("the folder does not exist yet",) if role == "store" else ()
        failed = () if role == "store" else (Sample(failure="there is no such folder"),)
        return Measured(name, role, failed, tuple(Holding(module, has=False) for module in modules), notes=notes)
    folder = ModuleFolder.at(root)
    holdings = tuple(_holding(folder, module) for module in modules)
    held = sorted((holding for holding in holdings if holding.has), key=lambda holding: -holding.size)
    paths = [folder.zip_path(holding.module) for holding in held]
    taken = tuple(_sample(paths[number % len(paths)]) for number in range(samples)) if paths else ()
    return Measured(name, role, taken, holdings, _transfer(paths, deadline))


def _holding(folder: ModuleFolder, module: ModuleVersion) -> Holding:
    try:
        found = folder.zip_path(module).stat()
    except OSError:
        return Holding(module, has=False)
    if not stat.S_ISREG(found.st_mode):  # whoever opens a pipe waits for who writes to it
        return Holding(module, None, failure="it is not a regular file")
    return Holding(module, has=found.st_size > 0, size=found.st_size)


def _sample(path: Path) -> Sample:
    started = time.monotonic()
    try:
        with path.open("rb", buffering=0) as file:
            file.read(1)
    except OSError as error:
        return Sample(seconds=time.monotonic() - started, failure=(error.strerror or str(error)).lower(), lost=True)
    seconds = time.monotonic() - started
    return Sample(first_byte=seconds, seconds=seconds)


def _transfer(paths: Sequence[Path], deadline: Deadline) -> Transfer:
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
