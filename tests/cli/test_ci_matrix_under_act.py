"""The legs of .github/workflows/ci.yml, as act works out the matrix. Nothing is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
SYSTEMS = ("ubuntu-latest", "macos-latest", "windows-latest")
PYTHONS = [f"3.{minor}" for minor in range(10, 15)]
GOES = ["1.21.x", "1.25.x", "1.26.x", "1.27.x"]


def legs(bench: Workbench, event: str) -> set[tuple[str, str, str]]:
    """Return system, Python and Go of each leg of the job `test`."""
    platforms = [f"--platform={system}=-self-hosted" for system in SYSTEMS]
    argv = [
        "act", event, "--dryrun", "--job", "test", "--workflows", ".github/workflows/ci.yml", *platforms,
        "--cache-server-addr", "127.0.0.1", "--cache-server-path", str(bench.folder / "actcache"),
        "--action-offline-mode",
    ]  # fmt: skip
    done = bench.program(argv, cwd=ROOT)
    return set(re.findall(r"test \((\S+), Python (\S+), Go (\S+)\)", done.text))


@pytest.mark.slow
def test_matrix_is_complete_on_main_and_on_linux(bench: Workbench) -> None:
    """Before a merge, the other systems have the oldest and the newest Python, with each Go."""
    every = {(system, python, go) for system in SYSTEMS for python in PYTHONS for go in GOES}
    assert legs(bench, "push") == every
    ends = {leg for leg in every if leg[0] == "ubuntu-latest" or leg[1] in (PYTHONS[0], PYTHONS[-1])}
    assert legs(bench, "pull_request") == ends
    assert (len(every), len(ends)) == (60, 36)
