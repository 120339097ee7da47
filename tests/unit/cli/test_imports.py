"""Commands begin within 200 ms because they import little."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import HEAVY, imported_modules


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("run", "--help"), ("plan",)])
def test_start_of_a_command_imports_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    argv = [sys.executable, "-X", "importtime", "-m", "go_prefetch", *arguments]
    environ = {**os.environ, "GOPATH": str(tmp_path / "go")}
    done = subprocess.run(argv, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=60)
    imported = imported_modules(done.stderr)
    assert "go_prefetch.cli.arguments" in imported, done.stderr
    needed = {"ctypes"} if sys.platform == "win32" and arguments == ("plan",) else set()  # to start Go
    assert not imported & HEAVY - needed
    if arguments != ("plan",):
        assert not {name for name in imported if name.startswith(("go_prefetch.run", "go_prefetch.proxies"))}
