"""The README's own commands for a first run, in a clone that is new."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]


@pytest.mark.network
@pytest.mark.skipif(sys.platform == "win32", reason="the README speaks of Debian")
def test_the_first_run_and_the_second(bench: Workbench) -> None:
    """As it says there: a miss, then nothing to do, and after `go clean -modcache` an exact hit that asks no proxy."""
    clone = bench.folder / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", ROOT.as_uri(), str(clone)], check=True)
    argv = [sys.executable, str(ROOT / "tools" / "readme_command.py"), "run"]
    commands = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    run = commands.rpartition("&&")[2]
    said = []
    for script, goproxy in (
        (commands, "https://proxy.golang.org"),
        (run, "off"),
        (f"go clean -modcache\n{run}", "off"),
    ):
        done = bench.program(["sh", "-euc", script], cwd=clone, GOPROXY=goproxy)
        assert done.status == 0, done.text
        said.append(next(line for line in done.stdout.splitlines() if line.startswith("go-prefetch: ")))
    assert "miss" in said[0]
    assert "nothing to do" in said[1]
    assert "exact hit" in said[2]
