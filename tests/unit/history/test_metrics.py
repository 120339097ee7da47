"""Figures of many runs: arithmetic that holds for any records and runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.percentile import percentile
from go_prefetch.history.metrics import Delivery, Prefetching, delivery, periods, prefetching
from go_prefetch.history.model import History, ObservedRun, Selection, WorkflowRun
from go_prefetch.history.report import Limits, compare, gates, history_report, interval
from go_prefetch.render.record import Record, parse_record
from tests.support.fakes import records

START = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)


def record(**changed: object) -> Record:
    parsed = parse_record(records.line(**changed))
    assert parsed is not None
    return parsed


def run(
    number: int, conclusion: str = "success", *, hours: float | None = None, seconds: float = 60,
    branch: str = "main", event: str = "push", workflow: str = "ci", commit: str = "",
) -> WorkflowRun:  # fmt: skip
    created = START + timedelta(hours=number if hours is None else hours)
    return WorkflowRun(
        number, 1, workflow, "ci.yml", branch, event, commit or f"{number:040x}", conclusion, created, created,
        created + timedelta(seconds=seconds), created - timedelta(minutes=5), "",
    )  # fmt: skip


def test_hit_rates_by_runs_and_by_modules() -> None:
    """A disabled run is a run, and counts in no rate; what was present was not asked for."""
    found = prefetching([
        record(modules=100, modules_present=50, modules_from_cache=50),
        record(result="partial", modules=100, modules_from_cache=75, reason="new lines"),
        record(result="miss", modules=50, modules_from_cache=0, reason="new lines"),
        record(result="present", modules=100, modules_present=100, modules_from_cache=0),
        record(result="disabled", modules=0, modules_from_cache=0),
    ])  # fmt: skip
    assert found.runs == 5
    assert found.hit_rate_by_runs == 0.5
    assert (found.modules_from_cache, found.modules_wanted) == (125, 200)
    assert found.misses == {"new lines": 2}


def test_time_lost_is_part_of_the_sum_and_told() -> None:
    found = prefetching([record(seconds_saved=30.5), record(seconds_saved=-10.0), record(seconds_saved=None)])
    assert found.seconds_saved == 20.5
    assert (found.runs_measured, found.runs_slower) == (2, 1)


def test_estimates_are_summed_apart() -> None:
    """Records of older versions have none, and those of newer ones have fields that are not known here."""
    found = prefetching([
        record(seconds_saved=30.0, seconds_saved_is_minimum=True),
        record(seconds_saved=12.0),  # as version 0.1.0 wrote it
        record(result="partial", seconds_saved=None, seconds_saved_estimate=7.5),
        record(result="partial", seconds_saved=None, seconds_saved_estimate=-0.5, version="9.0.0", new_field=[1]),
        record(result="partial", seconds_saved=None, seconds_saved_estimate=None),
    ])  # fmt: skip
    assert (found.seconds_saved, found.runs_measured, found.runs_at_least) == (42.0, 2, 1)
    assert (found.seconds_saved_estimate, found.runs_estimated) == (7.0, 2)


def test_failures_avoided_and_failures() -> None:
    found = prefetching([record(failures_avoided=3, failed_attempts=7), record(failure="go-failed", result="miss")])
    assert (found.failures_avoided, found.runs_rescued, found.failed_attempts) == (3, 1, 7)
    assert found.failures == {"go-failed": 1}


def test_runs_that_ended_early_are_no_misses() -> None:
    """They say nothing of the cache, and what ended them all the same."""
    found = prefetching([record(result="exact"), record(result="failed", failure="go-not-found", seconds=0.1)])
    assert (found.runs, found.hit_rate_by_runs, found.failures) == (2, 1.0, {"go-not-found": 1})
    assert found.results == {"exact": 1, "failed": 1}


results = st.sampled_from(["present", "exact", "partial", "miss", "disabled", "failed"])
counts = st.integers(0, 1 << 53)
any_record = st.builds(
    lambda result, modules, present, cached, seconds, saved: record(
        result=result, modules=modules, modules_present=present, modules_from_cache=cached, seconds=seconds,
        seconds_saved=saved, reason="",
    ),
    results, counts, counts, counts, st.floats(0, 1e9), st.none() | st.floats(-1e9, 1e9),
)  # fmt: skip


@given(st.lists(any_record, max_size=20))
def test_rates_are_shares_and_counts_add_up(every: list[Record]) -> None:
    """Whatever the records claim."""
    found = prefetching(every)
    assert sum(found.results.values()) == found.runs == len(every)
    for rate in (found.hit_rate_by_runs, found.hit_rate_by_modules):
        assert rate is None or 0 <= rate <= 1
    assert found.seconds_p50 is None or (found.seconds_p95 is not None and found.seconds_p50 <= found.seconds_p95)
    assert found.runs_slower <= found.runs_measured


@given(st.lists(any_record, min_size=1, max_size=8), st.integers(2, 3))
def test_the_same_runs_again_change_sums_and_no_rates(every: list[Record], times: int) -> None:
    once, often = prefetching(every), prefetching(every * times)
    assert often.hit_rate_by_modules == once.hit_rate_by_modules
    assert often.seconds_p50 == once.seconds_p50
    assert often.modules_wanted == once.modules_wanted * times


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.integers(1, 100))
def test_a_percentile_is_a_value_that_enough_do_not_pass(values: list[float], percent: int) -> None:
    """And the least such."""
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values) + 100


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 50) is None


def test_delivery_counts_ended_runs_of_the_default_branch() -> None:
    runs = [
        run(1), run(2, "failure"), run(3, "cancelled"), run(4, "timed_out", branch="topic"),
        run(5, event="pull_request"), run(6, commit=f"{2:040x}"),
    ]  # fmt: skip
    found = delivery(runs, "main")
    assert (found.runs, found.succeeded, found.failed, found.other) == (6, 3, 2, 1)
    assert (found.changes, found.changes_failed) == (2, 1)
    assert found.change_failure_rate == 0.5
    assert found.lead_p50 == 360
    assert found.success_rate == 0.6


def test_deployment_is_a_commit_whose_runs_all_succeeded() -> None:
    """On the default branch, counted once however many workflows it has."""
    runs = [
        run(1), run(2, workflow="lint", commit=f"{1:040x}"), run(3),
        run(4), run(5, "failure", workflow="lint", commit=f"{4:040x}"),
        run(6, "cancelled"), run(7, branch="topic"), run(8, event="schedule"),
    ]  # fmt: skip
    found = delivery(runs, "main", days=0.5)
    assert (found.deployments, found.deployments_per_day) == (2, 4.0)
    assert delivery(runs, "main").deployments_per_day is None


@pytest.mark.parametrize(("most", "days"), [(100, 10), (3, 2)])
def test_deployments_are_per_day_of_the_time_asked_for(most: int, days: int) -> None:
    """If there may be more runs than were read, that is the time since the first of them."""
    seen = tuple(ObservedRun(run(number, hours=24 * number)) for number in range(3))
    now = START + timedelta(days=2)
    history = History("a/b", "", "main", Selection(now - timedelta(days=10), most), seen, now)
    found = history_report(history, Limits(), (START + timedelta(days=1), "then"))
    assert found.delivery.days == days
    assert found.delivery.deployments_per_day == 3 / days
    assert found.comparison
    assert found.comparison.after.delivery.deployments_per_day == 2.0


def test_time_to_restore_is_first_failure_to_next_success() -> None:
    """Failures that follow do not start it anew, and other workflows mend nothing."""
    runs = [run(1, "failure"), run(2, "failure"), run(3, workflow="lint"), run(4), run(5)]
    assert delivery(runs, "main").restore_p50 == 3 * 3600


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["success", "failure", "cancelled"])), max_size=40))
def test_periods_hold_every_run_once(made: list[tuple[int, str]]) -> None:
    """Without gaps, and never more than asked for."""
    seen = [ObservedRun(run(place, how, hours=24 * days)) for place, (days, how) in enumerate(made)]
    found = periods(seen, "main")
    assert sum(period.delivery.runs for period in found) == len(seen)
    assert len(found) <= 26
    assert all(b.first - a.first == timedelta(days=a.days) for a, b in pairwise(found))


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_the_share_it_is_about(count: int, more: int) -> None:
    total = count + more
    found = interval(count, total)
    assert found is not None
    assert 0 <= found[0] <= count / total + 1e-9
    assert count / total - 1e-9 <= found[1] <= 1


def history(*runs: WorkflowRun) -> History:
    return History("acme/x", "", "main", Selection(None, 100), tuple(ObservedRun(one) for one in runs), START)


def test_before_and_after_share_no_run() -> None:
    runs = [run(number, "failure" if number % 10 == 0 else "success") for number in range(100)]
    found = compare(history(*runs), START + timedelta(hours=40), "that day")
    assert (found.before.delivery.runs, found.after.delivery.runs) == (40, 60)
    assert found.failures_differ is False
    assert not found.is_thin


def test_a_difference_that_chance_does_not_explain() -> None:
    runs = [run(number, "failure" if number < 60 else "success") for number in range(200)]
    assert compare(history(*runs), START + timedelta(hours=100), "x").failures_differ is True


def test_nothing_on_one_side_is_no_difference() -> None:
    found = compare(history(run(1)), START, "x")
    assert found.failures_differ is None
    assert found.is_thin


@pytest.mark.parametrize(
    ("limits", "passed"),
    [
        (Limits(min_hit_rate=0.5), True),
        (Limits(min_hit_rate=0.51), False),
        (Limits(max_p95_seconds=4.1), True),
        (Limits(max_p95_seconds=4.0), False),
        (Limits(max_failure_rate=0.25), True),
        (Limits(max_failure_rate=0.2), False),
    ],
)
def test_a_gate_is_passed_at_its_limit(limits: Limits, passed: bool) -> None:
    """Wanted and measured are told."""
    found = gates(limits, prefetching([record(), record(modules_from_cache=0)]), Delivery(4, 3, 1))
    assert [gate.passed for gate in found] == [passed]
    assert found[0].wanted.startswith(("at least", "at most"))
    assert found[0].measured


def test_no_gates_are_no_gates() -> None:
    assert gates(Limits(), Prefetching(), Delivery()) == ()


def test_what_could_not_be_measured_passes_no_gate() -> None:
    assert not any(gate.passed for gate in gates(Limits(0.1, 10, 0.9), Prefetching(), Delivery()))


def test_where_nothing_was_missing_nothing_was_missed() -> None:
    """A runner that is kept between jobs."""
    present = prefetching([replace(record(), result="present", modules_present=251, modules_from_cache=0)])
    assert present.hit_rate_by_modules is None
    assert gates(Limits(min_hit_rate=0.9), present, Delivery())[0].passed
