"""The time of use of a pool's files, where a system sets no times of open files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from go_prefetch.stores.pool_metadata import last_use, mark_used_by_name

LONG_AGO = 1_000_000_000


def test_use_is_recorded_by_name_as_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x" / "@v" / "v1.0.0.zip"
    file.parent.mkdir(parents=True)
    file.touch()
    os.utime(file, (LONG_AGO, LONG_AGO))
    monkeypatch.setattr(os, "supports_fd", frozenset(os.supports_fd) - {os.utime})
    mark_used_by_name(tmp_path, "x/@v/v1.0.0.zip")
    found = file.stat()
    assert found.st_mtime == LONG_AGO
    assert found.st_atime > LONG_AGO
    assert last_use(found) >= found.st_atime


def test_use_of_a_missing_file_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "supports_fd", frozenset())
    mark_used_by_name(tmp_path, "x/@v/v1.0.0.zip")
    assert list(tmp_path.iterdir()) == []
