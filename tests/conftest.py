"""Real programs on PATH, and the workbench."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.servers.azurite import Azurite
from tests.support.servers.fake_gcs import FakeGCS
from tests.support.servers.seaweedfs import SeaweedFS
from tests.support.wording import blank_messages
from tests.support.workbench import Workbench, wheel_program_folders

_OLDEST_GO = (1, 21)
# In seconds, for tests that download, compile programs, build images or have many rounds.
_LONG_TIMEOUT = 900
# Where sentences are compared: the renderers, and the command as users see it. So do snapshots anywhere.
_WORDED = (Path(__file__).parent / "unit" / "render", Path(__file__).parent / "cli")

# How long an example takes is the machine's business.
settings.register_profile("no clock", deadline=None)
# For .ci/nightly. A test that says how many examples it takes keeps that number.
settings.register_profile("nightly", deadline=None, max_examples=3000)
# For `nox -s wording`: a property that reads a sentence reads it in each example.
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile("no clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--blank-messages` shows that no code and no test outside the marker `wording` depends on a sentence."""
    parser.addoption("--blank-messages", action="store_true", help="replace the text and hint of every notice")


def pytest_configure(config: pytest.Config) -> None:
    """The wheels' programs stand in for those that PATH lacks."""
    if config.getoption("--blank-messages"):
        blank_messages()
    missing = [name for name in ("go", "node", "act") if not _usable(name)]
    if missing:
        folders = [str(folder) for folder in wheel_program_folders() if folder.is_dir()]
        # The wheels' go is to be found before an old one; before a venv's wrapper too, which starts slower.
        os.environ["PATH"] = os.pathsep.join(
            [*folders, os.environ["PATH"]] if "go" in missing else [os.environ["PATH"], *folders]
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests of wording. Give tests outside of the default suite more time than pyproject.toml's `timeout`."""
    for item in items:
        if any(map(item.path.is_relative_to, _WORDED)) or "snapshot" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.wording)
        if any(item.get_closest_marker(name) for name in ("network", "system", "slow", "nightly")):
            item.add_marker(pytest.mark.timeout(_LONG_TIMEOUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a test recorded as its summary is printed, for tests whose result alone says too little."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.line(f"{report.nodeid}: {text}")


def _usable(name: str) -> bool:
    found = shutil.which(name)
    if found is None or name != "go":
        return found is not None
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= _OLDEST_GO


@pytest.fixture(scope="session")
def gocache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build cache that all tests share, those of other workers too: the standard library is compiled once."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "gocache"


@pytest.fixture
def bench(tmp_path: Path, gocache: Path) -> Workbench:
    """A fresh workbench."""
    return Workbench(tmp_path, gocache)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A storage of objects for all tests of this worker. Each test makes a bucket or folder; none stops the server."""
    with SeaweedFS(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The same for Azure; npm installs it, so its tests are marked `nightly`."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def fake_gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGCS]:
    """The same for Google Cloud; Go builds it, so its tests are marked `nightly`."""
    with FakeGCS(tmp_path_factory.mktemp("fake-gcs")) as server:
        yield server
