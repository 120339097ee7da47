"""Progress as one line."""

from __future__ import annotations

import pytest

from go_prefetch.model.progress import Progress
from go_prefetch.render.progress import progress_line


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress("Download"), "Download: 0.0 s"),
        (
            Progress("Download", modules=34, all_modules=227, files=90, all_files=896, bytes=12_300_000, seconds=3.0),
            "Download: 34 of 227 modules, 12.3 MB, 4.1 MB/s, 3.0 s",
        ),
        (
            Progress("Download", modules=2, all_modules=2, files=5, all_files=6, failed=1, bytes=500, seconds=5.0),
            "Download: 5 of 6 files, 1 failed, 500 B, 100 B/s, 5.0 s",
        ),
        (Progress("Verify", modules=2, all_modules=2, seconds=1.0), "Verify: 2 of 2 modules, 1.0 s"),
        (
            Progress("Save", note="uploading 3 files", bytes=10_000_000, all_bytes=40_000_000, seconds=10.0),
            "Save: uploading 3 files, 10.0 MB of 40.0 MB, 1.0 MB/s, 10 s",
        ),
        (
            Progress("go mod download", seconds=20.0, idle=12.0, waiting_for="https://proxy.test"),
            "go mod download: waiting 12 s for https://proxy.test",
        ),
        (Progress("Verify", seconds=20.0, idle=12.0), "Verify: waiting 12 s"),
        (Progress("Verify", seconds=1.9, idle=1.9, waiting_for="Go"), "Verify: 1.9 s"),
    ],
)
def test_progress_line_has_the_figures_that_are_known(progress: Progress, line: str) -> None:
    assert progress_line(progress) == line
