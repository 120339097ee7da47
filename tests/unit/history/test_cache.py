"""What is kept of finished runs is read with suspicion: the folder may have come with a CI's cache."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from go_prefetch.history.cache import CachedPage, RunCache
from go_prefetch.history.model import WorkflowRun
from tests.support.fakes import records

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
RUN = WorkflowRun(7, 1, "ci", "ci.yml", "main", "push", "c" * 40, "success", NOW, NOW, NOW, None, "https://x")
PAGE = CachedPage("tag", ({"id": 7},), has_next=True)


@pytest.fixture
def cache(tmp_path: Path) -> RunCache:
    return RunCache(tmp_path, "github.com", "acme/widget")


def test_what_was_kept_is_read(cache: RunCache) -> None:
    cache.store(RUN, [("test", records.line())], "read")
    cache.store_page("url", PAGE)
    read = cache.load(RUN)
    assert read is not None
    assert [recorded.job for recorded in read.records] == ["test"]
    assert cache.load(replace(RUN, attempt=2)) is None
    assert cache.load_page("url") == PAGE
    assert cache.load_page("another") is None


def test_records_of_another_version_survive_their_logs(cache: RunCache, tmp_path: Path) -> None:
    """After an upgrade and a downgrade, say, when the forge has deleted the logs."""
    cache.store(RUN, [("test", records.line())], "read")
    (kept,) = tmp_path.rglob("7.1.json")
    kept.write_text(kept.read_text().replace('"format": 1', '"format": 2'))
    assert cache.load(RUN) is None
    cache.store(RUN, (), "gone")
    assert "go-prefetch-record/1" in kept.read_text()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nothing(path: Path) -> None:
    path.touch()


def deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(17 << 20)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
@pytest.mark.parametrize("make", [pipe, endless_link, nothing, deep, too_large], ids=lambda make: make.__name__)
def test_anything_else_in_its_place_is_nothing(cache: RunCache, tmp_path: Path, make: Callable[[Path], None]) -> None:
    cache.store(RUN, (), "gone")
    cache.store_page("url", PAGE)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.unlink()
        make(path)
    assert cache.load(RUN) is None
    assert cache.load_page("url") is None
