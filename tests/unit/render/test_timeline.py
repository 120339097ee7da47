"""The picture of a run."""

from __future__ import annotations

from go_prefetch.model.results import Restored
from go_prefetch.render.timeline import bars
from tests.support.fakes.reports import POOL, A, cold, files_of, plan, report


def test_bars_of_a_run_and_download_without_time_are_drawn() -> None:
    """One small file, from a pool on the same machine."""
    quick = report(plan(A), restored=Restored(POOL, files_of(A), 1, 0.0, cold=cold(0.0)))
    assert quick.cache_result == "exact"
    (line,) = bars(quick).splitlines()[1:-1]
    assert line.split() == ["cold", "download", "▏", "0.0", "s"]
