"""Which file is a program, and which is a script of Windows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from go_prefetch.base.programs import find_program, find_script


@pytest.mark.parametrize("suffix", [".cmd", ".bat"])
def test_find_script_finds_what_a_windows_shell_would_run(tmp_path: Path, suffix: str) -> None:
    script = tmp_path / f"go{suffix}"
    script.touch(mode=0o755)
    path = os.pathsep.join(["", ".", str(tmp_path)])
    assert find_script("go", path, windows=True) == str(script)
    assert find_script("go", path, windows=False) == ""
    assert find_program("go", path) is None


def test_find_script_finds_none_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go.cmd").touch()
    monkeypatch.chdir(tmp_path)
    assert find_script("go", os.pathsep.join(["", ".", str(tmp_path / "other")]), windows=True) == ""
