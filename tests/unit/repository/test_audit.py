"""The audit of dependencies: nothing that is pinned is left out, and every program is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import audit

ROOT = audit.ROOT


def test_each_version_of_a_package_is_looked_up(tmp_path: Path) -> None:
    """Two lock files pin two versions, one of them for another Python. Hashes and comments are no packages."""
    one, two = tmp_path / "requirements.txt", tmp_path / "requirements-test.txt"
    one.write_text(
        "a==1 ; python_version < '3.11' \\\n    --hash=sha256:00\n    # via c==9\nA==2 ; sys_platform == 'win32'\n"
    )
    two.write_text("a==2\nb-c==1.0.post1\n")
    assert audit.pinned([one, two]) == [{"a": "1", "b-c": "1.0.post1"}, {"a": "2"}]


def test_audit_starts_a_program_for_each_lock_file(tmp_path: Path) -> None:
    commands = list(audit.commands(tmp_path))
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for program, lock in (("npm", "package-lock.json"), ("go", "go.mod")):
        folders = {folder for folder, command in commands if command[0] == program}
        assert folders == {(ROOT / name).parent for name in listed if Path(name).name == lock}
    looked_up = "".join(file.read_text() for file in tmp_path.glob("*.txt")).splitlines()
    locks = [ROOT / name for name in listed if Path(name).match("requirements*.txt")]
    lines = [line.split()[0].lower() for lock in locks for line in lock.read_text().splitlines() if line[:1].isalnum()]
    assert len(locks) >= 5
    assert sorted(looked_up) == sorted(set(lines))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize("failing", ["pip-audit", "npm", "go", ""])
def test_audit_fails_with_each_program_and_starts_all(tmp_path: Path, failing: str) -> None:
    """Stand-ins for the programs, because they would ask three databases."""
    for name in ("pip-audit", "npm", "go"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/started\nexit {int(name == failing)}\n")
        program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    argv = [sys.executable, str(ROOT / "tools" / "audit.py")]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == bool(failing)
    assert set((tmp_path / "started").read_text().split()) == {"pip-audit", "npm", "go"}
    assert all(failing in line for line in done.stderr.splitlines())
    assert ("Failed: " in done.stderr) == bool(failing)
