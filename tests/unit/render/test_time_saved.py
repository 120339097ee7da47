"""Time saved in words: never without its measure, never a loss in silence, never advice from one run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from go_prefetch.errors import notice
from go_prefetch.model.cold_runs import Baseline, Machine
from go_prefetch.model.report import Report
from go_prefetch.model.results import Admitted, Completed, Restored, Saved
from go_prefetch.render.time_saved import formula, in_full, in_short, measured_on
from tests.support.fakes.reports import POOL, A, B, cold, files_of, plan, report
from tests.support.fakes.summaries import SUMMARIES

HERE = Machine(4, "linux")
ELSEWHERE = Machine(64, "linux")


def _hit(measured: Baseline | None, restore: float = 1.0, **more: Any) -> Report:
    return report(
        plan(A, B),
        restored=Restored(POOL, files_of(A, B), 1, restore, cold=measured),
        admitted=Admitted(seconds=60.0),
        completed=Completed(seconds=60.0),
        **more,
    )


def _partial(estimate: float, **more: Any) -> Report:
    hit = _hit(cold(10.0, estimate=estimate, is_minimum=True))
    return dataclasses.replace(hit, restored=dataclasses.replace(hit.restored, files=files_of(A)), **more)


def test_formula_of_a_hit_is_the_figure() -> None:
    """Every number of it is in the report, and it comes out. Go's own work is on neither side."""
    baseline = cold(11.75, runs=2)
    hit = _hit(baseline)
    assert formula(hit) == "11.75 cold download - 1.00 restore - 0.00 download = 10.75 s"
    assert hit.seconds_saved == 10.75
    assert (in_short(hit), measured_on(baseline)) == ("saved 11 s", "2 cold runs on linux with 4 cores")


@pytest.mark.parametrize(
    ("noted", "is_said"),
    [(HERE, False), (ELSEWHERE, True), (Machine(4, "darwin"), True), (Machine(), False)],
    ids=["this kind", "more cores", "another system", "not noted"],
)
@pytest.mark.parametrize("seconds", [10.0, 0.1], ids=["saved", "lost"])
def test_figure_of_another_machine_is_said_to_be_so(noted: Machine, is_said: bool, seconds: float) -> None:
    """In the headline too, with both machines where there is room; one of several runs is enough."""
    hit = _hit(cold(seconds, HERE, noted))
    assert ("another kind of machine" in in_short(hit)) == is_said
    assert (f"on {noted}; this is {HERE}" in in_full(hit)) == is_said


def test_slower_hit_says_so_without_advice() -> None:
    """One run is no sample: it names no step, and nothing to buy."""
    hit = _hit(cold(2.0), restore=9.0)
    assert in_short(hit) == "7.0 s slower than downloading"
    assert in_full(hit) == ("7.0 s slower than downloading. Cold runs waited 2.0 s for downloads, and this run 9.0 s")


def test_hit_on_files_of_several_runs_is_a_minimum() -> None:
    hit = _hit(cold(9.0, is_minimum=True, modules=217, modules_restored=227))
    assert in_short(hit) == "saved at least 8.0 s"
    assert in_full(hit).startswith("at least 8.0 s, measured for 217 of 227 modules. ")


def test_loss_against_a_minimum_is_a_maximum() -> None:
    assert in_short(_hit(cold(0.5, is_minimum=True))) == "at most 0.5 s slower than downloading"


def test_loss_against_some_modules_is_no_figure() -> None:
    hit = _hit(cold(0.5, is_minimum=True, modules=1, modules_restored=2))
    assert (hit.seconds_saved, in_short(hit)) == (None, "time saved not measured")
    assert in_full(hit) == "not measured, because cold runs measured only 1 of 2 modules"


@pytest.mark.parametrize(
    ("estimate", "words"), [(9.0, "saved about 8.0 s (estimate)"), (0.4, "about 0.6 s slower (estimate)")]
)
def test_partial_hit_has_an_estimate_that_is_no_measurement(estimate: float, words: str) -> None:
    part = _partial(estimate)
    assert (part.cache_result, part.seconds_saved) == ("partial", None)
    assert in_short(part) == words
    assert formula(part) == (
        f"{estimate:.2f} share of the cold download - 1.00 restore = {part.seconds_saved_estimate:.2f} s"
    )


def test_estimate_of_a_failed_run_is_none() -> None:
    failed = _partial(9.0, completed=Completed(failure=SUMMARIES["job_proxy_failure"].completed.failure))
    assert (failed.seconds_saved_estimate, in_short(failed), in_full(failed)) == (None, "", "")


def test_fill_says_what_it_cannot_count() -> None:
    filled = _hit(cold(9.0), saved=Saved(skipped_reason=notice("fill-keeps-folder")))
    assert "fetched the folder is not counted" in in_full(filled)
    assert "not counted" not in in_full(_hit(cold(9.0)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("job_not_measured", "no cold run measured these files"),
        ("job_miss", ""),
        ("job_proxy_failure", ""),
        ("present", ""),
        ("disabled", ""),
    ],
)
def test_no_figure_has_its_reason(name: str, words: str) -> None:
    """None is made up, and nothing is said where there was nothing to save time with."""
    found = {
        **SUMMARIES,
        "present": report(plan(A, present=files_of(A))),
        "disabled": report(plan(disabled_because=notice("no-requirements", definition="go.mod"))),
    }
    assert formula(found[name]) == ""
    assert words in in_full(found[name])
    assert (in_full(found[name]) == "") == (words == "")


def test_loss_of_nothing_is_no_loss() -> None:
    even = _hit(cold(1.0))
    assert even.seconds_saved == 0.0
    assert in_short(even) == "saved 0.0 s"
    assert in_short(_hit(None)) == "time saved not measured"
