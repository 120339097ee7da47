"""A registry with the base images that our Dockerfiles name, and the builders that read from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.image_builders import BaseImage, Buildah, BuildKit, base_image
from tests.support.image_programs import missing_programs
from tests.support.image_registry import Registry
from tests.support.made_once import made_once

# What our Dockerfiles build from, and distroless, which is not there to be had: any image will do in its place.
NAMES = (
    "library/golang:1.21-bookworm", "library/golang:1.24-bookworm", "library/golang:1.27",
    "distroless/static-debian12:nonroot", "distroless/base-debian12:nonroot",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """The registry and the builders, which see the loopback network."""

    folder: Path
    registry: Registry
    buildkit: BuildKit


@contextmanager
def image_site(folder: Path) -> Iterator[Site]:
    """Start all of it. Skips the test with the reason where this machine cannot have it.

    Raises AssertionError with the reason where something does not start.
    """
    if reason := missing_programs():
        pytest.skip(reason)
    base = base_image()
    shutil.copytree(_storage(base), folder / "registry" / "storage")
    with Registry(folder / "registry") as registry:
        buildkit = BuildKit(folder / "buildkit", base, registry.buildkit_config())
        try:
            reason = buildkit.start(offline=False)
            assert not reason, reason
            yield Site(folder, registry, buildkit)
        finally:
            buildkit.stop()


def _storage(base: BaseImage) -> Path:
    """Return what a registry keeps that has the base image under all names, made once."""
    with made_once("registry-storage", "\n".join((base.digest, *NAMES))) as (folder, is_new):
        if is_new:
            with TemporaryDirectory() as scratch:
                buildah = Buildah(Path(scratch, "buildah"))
                buildah.pull(base)
                with Registry(Path(scratch, "registry")) as registry:
                    for name in NAMES:
                        buildah.push(f"{registry.host}/{name}")
                shutil.copytree(Path(scratch, "registry", "storage"), folder / "storage")
    return folder / "storage"
