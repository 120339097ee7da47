"""The builders of images, started once a worker of the test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.image_site import Site, image_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A registry, buildah and BuildKit. Skips with the reason where this machine cannot have them."""
    with image_site(tmp_path_factory.mktemp("site")) as started:
        yield started
