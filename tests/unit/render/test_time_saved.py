"""Time saved in words: never without its measure, never a loss in silence."""

from __future__ import annotations

import dataclasses

import pytest

from go_prefetch.errors import notice
from go_prefetch.model.cold_runs import ColdRun, Machine
from go_prefetch.model.report import Report
from go_prefetch.model.results import Admitted, Completed, Restored
from go_prefetch.render.summary import summary_text
from go_prefetch.render.time_saved import formula, in_full, in_short, instead, measured_on
from tests.support.fakes.reports import POOL, A, B, cold, files_of, plan, report
from tests.support.fakes.summaries import SUMMARIES

HERE = Machine(4, "linux")
ELSEWHERE = Machine(64, "linux")


def _hit(*runs: ColdRun, restore: float = 1.0, admit: float = 0.5, complete: float = 0.25) -> Report:
    return report(
        plan(A, B),
        restored=Restored(POOL, files_of(A, B), 1, restore, cold=runs),
        admitted=Admitted(seconds=admit),
        completed=Completed(seconds=complete),
    )


def test_the_formula_is_the_figure() -> None:
    """Every number of it is in the report, and it comes out."""
    hit = _hit(*cold(10.0), *cold(2.5))
    assert (
        formula(hit)
        == "10.00 + 2.50 cold - 1.00 restore - 0.00 download - 0.50 verify - 0.25 go mod download = 10.75 s"
    )
    assert hit.seconds_saved == 10.75
    assert (in_short(hit), measured_on(hit)) == ("saved 11 s", "2 cold runs on linux with 4 cores")


@pytest.mark.parametrize(
    ("noted", "is_said"),
    [(HERE, False), (ELSEWHERE, True), (Machine(4, "darwin"), True), (Machine(), False)],
    ids=["this kind", "more cores", "another system", "not noted"],
)
@pytest.mark.parametrize("seconds", [10.0, 1.0], ids=["saved", "lost"])
def test_a_figure_from_another_kind_of_machine_is_said_to_be_so(noted: Machine, is_said: bool, seconds: float) -> None:
    """In the headline where it flatters, with both machines where there is room; one of several runs is enough."""
    hit = _hit(*cold(0.1, HERE), *cold(seconds, noted))
    assert ("another kind of machine" in in_short(hit) + instead(hit)) == is_said
    assert (f"on {noted}; this is {HERE}" in in_full(hit)) == is_said


@pytest.mark.parametrize(
    ("longest", "advice"), [("restore", "closer store"), ("admit", "more cores"), ("complete", "`go mod download`")]
)
def test_a_slower_hit_says_so_and_what_to_change(longest: str, advice: str) -> None:
    """In the headline too, and by the step that took most of it."""
    hit = _hit(*cold(2.0), **{longest: 9.0})
    assert "slower than downloading" in in_short(hit)
    assert in_full(hit).startswith("none: ")
    assert advice in instead(hit)
    assert instead(hit) in " ".join(summary_text(hit).split())


def test_a_faster_hit_has_no_advice() -> None:
    assert instead(_hit(*cold(10.0))) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("job_not_measured", "no cold run measured these files"),
        ("job_partial", "only an exact hit"),
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


def test_a_loss_of_nothing_is_no_loss() -> None:
    even = _hit(*cold(1.75))
    assert even.seconds_saved == 0.0
    assert in_short(even) == "saved 0.0 s"
    assert in_short(dataclasses.replace(even, restored=dataclasses.replace(even.restored, cold=()))) == (
        "time saved not measured"
    )
