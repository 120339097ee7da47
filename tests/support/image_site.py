"""A registry with the base images that our Dockerfiles name, and the builders that read from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.image_builders import Buildah, BuildKit, base_root
from tests.support.image_programs import missing_programs
from tests.support.image_registry import Registry

# What our Dockerfiles build from, and distroless, which is not there to be had: any image will do in its place.
NAMES = (
    "library/golang:1.21-bookworm", "library/golang:1.24-bookworm", "library/golang:1.27",
    "distroless/static-debian12:nonroot", "distroless/base-debian12:nonroot",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """The registry and the builders, which see the loopback network."""

    folder: Path
    layout: tuple[Path, str]  # the base image, and its digest in there
    registry: Registry
    buildkit: BuildKit


@contextmanager
def image_site(folder: Path) -> Iterator[Site]:
    """Start all of it. Skips the test with the reason where this machine cannot have it.

    Raises AssertionError with the reason where something does not start.
    """
    if reason := missing_programs():
        pytest.skip(reason)
    buildah = Buildah(folder / "buildah", base_root(folder))
    with Registry(folder / "registry") as registry:
        for name in NAMES:
            buildah.push(f"{registry.host}/{name}")
        layout = buildah.oci_layout(folder / "layout")
        buildkit = BuildKit(folder / "buildkit", layout, registry.buildkit_config())
        try:
            reason = buildkit.start(offline=False)
            assert not reason, reason
            yield Site(folder, layout, registry, buildkit)
        finally:
            buildkit.stop()
