"""The builders of images, started once a worker of the test run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.image_builders import Buildah, BuildKit, base_image
from tests.support.image_programs import missing_programs
from tests.support.image_site import Site, image_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A registry, buildah and BuildKit. Skips with the reason where this machine cannot have them."""
    with image_site(tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture(scope="session")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """Buildah, without network, with the base image. Skips where this machine cannot have it."""
    if reason := missing_programs():
        pytest.skip(reason)
    namespace = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    if namespace.returncode:
        pytest.skip(f"no network namespace can be made here: {namespace.stderr}")
    builder = Buildah(tmp_path_factory.mktemp("images") / "buildah")
    try:
        builder.pull(base_image())
        yield builder
    finally:
        builder.clean()


@pytest.fixture(scope="session")
def builders(buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Buildah, BuildKit]]:
    """Both builders, without network, with the same base image. BuildKit is compiled first, for minutes."""
    buildkit = BuildKit(tmp_path_factory.mktemp("images") / "buildkit", base_image())
    try:
        if reason := buildkit.start(offline=True):
            pytest.skip(reason)
        yield buildah, buildkit
    finally:
        buildkit.stop()
