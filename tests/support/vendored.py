"""The packages that a release of the action carries, so that a job installs none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.made_once import made_once

ROOT = Path(__file__).parents[2]


def put_vendored(action: Path) -> None:
    """Add the packages to a copy of the action."""
    tool, lock = ROOT / "tools" / "make_archive.py", ROOT / "requirements.txt"
    with made_once("vendored", tool.read_text() + lock.read_text()) as (folder, is_new):
        if is_new:
            subprocess.run([sys.executable, str(tool), str(folder)], check=True, capture_output=True)
    shutil.copytree(folder / "vendored", action / "vendored")
