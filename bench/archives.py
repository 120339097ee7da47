"""Two archives of one module cache that a cache service could keep: all of it, or only what Go cannot make again."""

from __future__ import annotations

import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from rig import Rig

TREE, ZIPS = "tree.tar.zst", "zips.tar"
KINDS = (".zip", ".mod", ".info")
# What actions/cache has called since 2021 (`CompressionMethod.ZstdWithoutLong` in actions/toolkit), on all processors.
COMPRESS, DECOMPRESS = "zstdmt", "unzstd"


@dataclass(frozen=True)
class Archives:
    """Bytes of both."""

    tree: int
    zips: int


def make(rig: Rig, proxy: Path) -> Archives:
    """Put both where the rig serves files: of a module cache that Go itself has filled from the folder `proxy`."""
    tree, zips = rig.files / TREE, rig.files / ZIPS
    with rig.module_cache() as module_cache:
        rig.run(["go", "mod", "download"], {"GOMODCACHE": str(module_cache), "GOPROXY": f"file://{proxy}"})
        packing = ["tar", "-C", str(module_cache), f"--use-compress-program={COMPRESS}", "-cf", str(tree), "."]
        subprocess.run(packing, check=True)
        _pack(module_cache / "cache" / "download", zips)
    return Archives(tree.stat().st_size, zips.stat().st_size)


def _pack(downloads: Path, archive: Path) -> None:
    """Largest zips first, the small files last: they keep nobody busy once they are here."""
    files = sorted(
        (file for file in downloads.rglob("*") if file.suffix in KINDS and file.parent.name == "@v"),
        key=lambda file: (KINDS.index(file.suffix), -file.stat().st_size, file),
    )
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as opened:
        for file in files:
            opened.add(file, arcname=str(file.relative_to(downloads)))
