"""The lines about the build cache and the times of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.errors import notice
from go_prefetch.golang.build_cache import Contents
from go_prefetch.model.build_results import BuildRestored, BuildSaved
from go_prefetch.model.results import StableTimes
from go_prefetch.render.build_cache import restored_text, saved_text, stable_times_text, status_text

pytestmark = pytest.mark.wording


def test_restored_text_of_a_full_gocache_says_so() -> None:
    assert restored_text(BuildRestored(key="key", bytes=2_000_000, seconds=0.5)) == (
        "build cache: nothing restored: GOCACHE already has everything (2.0 MB received in 0.5 s)"
    )


def test_restored_text_after_a_warning_claims_nothing() -> None:
    warning = notice("store-failed")
    assert "0 files restored" in restored_text(BuildRestored(key="key", warnings=(warning,)))


@pytest.mark.parametrize(
    ("is_full", "text"),
    [
        (True, "saved a full entry, without 3.0 MB that were not used (1.0 MB sent in 0.5 s)"),
        (False, "saved a delta of 4 files, 2.0 MB in place of 3.0 MB (1.0 MB sent in 0.5 s)"),
    ],
)
def test_saved_text_says_what_is_not_restored_any_more(is_full: bool, text: str) -> None:
    saved = BuildSaved(
        new_files=4, new_bytes=2_000_000, is_full=is_full, trimmed_bytes=3_000_000, key="key", bytes=1_000_000,
        seconds=0.5,
    )  # fmt: skip
    assert saved_text(saved).endswith(text)


@pytest.mark.parametrize(
    ("others", "text"),
    [
        (0, "test cache: 9 files have a stable time (0.1 s)"),
        (1, "test cache: 9 files have a stable time, 1 keeps its own (0.1 s)"),
        (2, "test cache: 9 files have a stable time, 2 keep theirs (0.1 s)"),
    ],
)
def test_stable_times_text_counts_other_files(others: int, text: str) -> None:
    assert stable_times_text(StableTimes(files=9, others=others, seconds=0.1)) == text


def test_status_text_without_gocache_has_no_folder() -> None:
    off = notice("build-cache-off", "disabled", gocache="off")
    assert status_text(off, Path("off"), None, Contents({}, {}), None) == (
        "build cache: off\n  why      the build cache is left alone, because GOCACHE is off"
    )
