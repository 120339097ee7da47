"""The command as users start it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path, gocache: Path) -> Workbench:
    """A fresh workbench on which every command is a process of its own."""
    return Workbench(tmp_path, gocache, starts_processes=True)
