"""What is told of a go command that failed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from go_prefetch.golang.command import GoCommand, GoRun, failed


@pytest.mark.skipif(sys.platform == "win32", reason="names of its files are text")
@pytest.mark.parametrize("name", [b"gr\xfc\xdfe", "日本".encode(), b"plain", "\ufffd".encode()])
def test_environment_folder_may_have_any_bytes(tmp_path: Path, name: bytes) -> None:
    """`go env -json` replaces bytes that are no text."""
    folder = tmp_path / os.fsdecode(name)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GOMODCACHE": str(folder), "GOENV": "off"}
    assert GoCommand(environ).environment(tmp_path).gomodcache == folder


def test_line_without_end_is_cut() -> None:
    """A git server may say megabytes, which would all be in the log, an annotation and the report."""
    error = failed(GoRun(("go", "mod", "download"), 1, ("go: a@v1.0.0: git fetch: exit status 128:", "x" * 1_000_000)))
    assert "a@v1.0.0" in error.go_stderr
    assert error.go_stderr.endswith("xx…")
    assert len(error.go_stderr) < 3_000
