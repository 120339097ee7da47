"""What a Report says of the cache: never better than it was."""

from __future__ import annotations

import dataclasses

import pytest

from go_prefetch.errors import ChecksumMismatch, notice
from go_prefetch.golang.gosum import GoSumLine
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.plan import unambiguous
from go_prefetch.model.report import Report
from go_prefetch.model.results import (
    Admitted,
    Completed,
    Downloaded,
    FailedAttempt,
    Failure,
    Rejection,
    Restored,
    Source,
)
from go_prefetch.model.save_rule import ALL_FILES, SaveRule
from tests.support.fakes.reports import POOL, PRIVATE, A, B, cold, files_of, plan, report
from tests.support.fakes.reports import downloaded as fetched

A_ZIP, A_MOD, A_INFO = (ModuleFile(A, "zip"), ModuleFile(A, "mod"), ModuleFile(A, "info"))
GRAPH_MOD = ModuleFile(PRIVATE, "mod")  # of a module of which no zip is wanted
ALL = files_of(A, B)
NOTHING = notice("no-requirements", definition="go.mod")
ERROR = ChecksumMismatch("checksum-mismatch", module_file="x", sources=("y",), stderr="")


def _rejected(*files: ModuleFile) -> Completed:
    return Completed(rejected=tuple(Rejection(file, POOL, "checksum mismatch") for file in files))


def _gone(*files: ModuleFile) -> Downloaded:
    return Downloaded(
        failures=tuple(
            Failure(file, not_found=True, attempts=(FailedAttempt("p", "404 Not Found", 404),)) for file in files
        )
    )


def _unreachable(*files: ModuleFile) -> Downloaded:
    return Downloaded(
        failures=tuple(Failure(file, not_found=False, attempts=(FailedAttempt("p", "500", 500),)) for file in files)
    )


def _restored(*files: ModuleFile, gone: frozenset[ModuleFile] = frozenset()) -> Restored:
    return Restored(POOL, frozenset(files), unavailable=gone)


# Report, cache result, modules from the cache, hit rate.
CASES: dict[str, tuple[Report, str, int, float | None]] = {
    "everything was there": (report(plan(A, B, present=ALL)), "present", 0, None),
    "no module is needed": (report(plan()), "present", 0, None),
    "only a .mod of the graph was missing": (
        report(plan(A, present=files_of(A), mods=[PRIVATE]), downloaded=fetched(GRAPH_MOD)), "present", 0, None),
    "only a file nobody has was missing": (
        report(plan(A, present=[A_ZIP, A_MOD]), restored=_restored(gone=frozenset({A_INFO}))), "present", 0, None),
    "the run failed for want of a file nobody has": (
        report(plan(A), downloaded=_gone(*files_of(A)), completed=Completed(failure=ERROR)), "miss", 0, 0.0),
    "nothing to do": (report(plan(disabled_because=NOTHING)), "disabled", 0, None),
    "all from the store": (report(plan(A, B), restored=_restored(*ALL)), "exact", 2, 1.0),
    "all that was missing from the store": (
        report(plan(A, B, present=files_of(A)), restored=_restored(*files_of(B))), "exact", 1, 1.0),
    "one file of a module was missing, from the store": (
        report(plan(A, B, present=ALL - {A_MOD}), restored=_restored(A_MOD)), "exact", 1, 1.0),
    "all but a file remembered as gone": (
        report(plan(A, B), restored=_restored(*ALL - {A_INFO}, gone=frozenset({A_INFO}))), "exact", 2, 1.0),
    "all but a file that is gone now": (
        report(plan(A, B), restored=_restored(*ALL - {A_INFO}), downloaded=_gone(A_INFO)), "exact", 2, 1.0),
    "all but a file no proxy gave": (
        report(plan(A, B), restored=_restored(*ALL - {A_INFO}), downloaded=_unreachable(A_INFO)), "partial", 1, 0.5),
    "all but a private module": (
        report(plan(A, PRIVATE, private=[PRIVATE]), restored=_restored(*files_of(A))), "exact", 1, 0.5),
    "nothing but a private module was missing": (
        report(plan(A, PRIVATE, present=files_of(A), private=[PRIVATE])), "miss", 0, 0.0),
    "nothing but private modules": (report(plan(A, B, private=[A, B])), "miss", 0, 0.0),
    "nothing but private modules, saved by an earlier run": (
        report(plan(A, private=[A]), restored=_restored(*files_of(A))), "exact", 1, 1.0),
    "nothing but private modules, which may be saved": (
        report(plan(A, PRIVATE, private=[A, PRIVATE]), rule=ALL_FILES, restored=_restored(*files_of(A))),
        "partial", 1, 0.5),
    "nothing, for a proxy that required a login": (
        report(plan(A), downloaded=fetched(*files_of(A), credentialed=files_of(A))), "miss", 0, 0.0),
    "all but what required a login": (
        report(
            plan(A, B), restored=_restored(*files_of(A)),
            downloaded=fetched(*files_of(B), credentialed=files_of(B)),
        ), "exact", 1, 0.5),
    "nothing, for Go with its logins": (
        report(plan(A), rule=SaveRule(go_logs_in=True), completed=Completed(files_of(A))), "miss", 0, 0.0),
    "only what no proxy has, and Go has from its repository": (
        report(plan(A), downloaded=_gone(*files_of(A)), completed=Completed(files_of(A))), "miss", 0, 0.0),
    "nothing planned, for want of a hash in go.sum": (
        report(dataclasses.replace(plan(), without_sum=frozenset({A}))), "miss", 0, None),
    "all, a private module too": (
        report(plan(A, PRIVATE, private=[PRIVATE]), restored=_restored(*files_of(A, PRIVATE))), "exact", 2, 1.0),
    "all but a .mod of the graph": (
        report(plan(A, mods=[PRIVATE]), restored=_restored(*files_of(A))), "partial", 1, 1.0),
    "one of two modules": (
        report(plan(A, B), restored=_restored(*files_of(A)), downloaded=fetched(*files_of(B))), "partial", 1, 0.5),
    "one file of two modules": (report(plan(A, B), restored=_restored(A_MOD)), "partial", 0, 0.0),
    "nothing": (report(plan(A, B), downloaded=fetched(*ALL)), "miss", 0, 0.0),
    "nothing, and one was there": (report(plan(A, B, present=files_of(B))), "miss", 0, 0.0),
    "all, and Go rejected one": (
        report(plan(A, B), restored=_restored(*ALL), completed=_rejected(A_ZIP)), "partial", 1, 0.5),
    "all, and Go rejected all": (
        report(plan(A), restored=_restored(*files_of(A)), completed=_rejected(*files_of(A))), "miss", 0, 0.0),
    "what the store had that nobody wanted does not count": (
        report(plan(A), restored=Restored(POOL, frozenset())), "miss", 0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize(
    ("report", "result", "modules", "rate"), [pytest.param(*case, id=name) for name, case in CASES.items()]
)
def test_what_the_store_was_worth(report: Report, result: str, modules: int, rate: float | None) -> None:
    assert (report.cache_result, report.modules_from_cache, report.hit_rate) == (result, modules, rate)


def _timed(restored: Restored) -> Report:
    parts = dataclasses.replace(restored, seconds=1.0)
    return report(
        plan(A, B),
        restored=parts,
        downloaded=Downloaded(seconds=0.5),
        admitted=Admitted(seconds=0.25),
        completed=Completed(seconds=2.0),
    )


@pytest.mark.parametrize(
    ("restored", "saved"),
    [
        pytest.param(Restored(POOL, ALL, cold=cold(11.5)), 10.0, id="measured"),
        pytest.param(Restored(POOL, ALL, cold=cold(0.75)), -0.75, id="slower than downloading"),
        pytest.param(Restored(POOL, ALL), None, id="never measured"),
        pytest.param(Restored(POOL, files_of(A), cold=cold(13.75)), None, id="partial"),
        pytest.param(Restored(POOL), None, id="miss"),
    ],
)
def test_seconds_saved_are_measured_or_not_told(restored: Restored, saved: float | None) -> None:
    """The cold runs' seconds less this run's own for restore and download. Go's work is on neither side."""
    assert _timed(restored).seconds_saved == saved


def test_a_run_that_failed_saved_no_time() -> None:
    failed = dataclasses.replace(_timed(Restored(POOL, ALL, cold=cold(99.0))), completed=Completed(failure=ERROR))
    assert (failed.cache_result, failed.seconds_saved) == ("exact", None)


def test_nothing_was_saved_where_nothing_was_missing() -> None:
    present = report(plan(A, present=files_of(A)), restored=Restored(POOL, cold=cold(9.0)))
    assert present.seconds_saved is None


def test_plan_counts_a_module_as_present_with_all_its_files() -> None:
    found = plan(A, B, present=files_of(A) | {ModuleFile(B, "zip")})
    assert found.modules == (A, B)
    assert found.modules_present == {A}
    assert set(found.missing) == {ModuleFile(B, "mod"), ModuleFile(B, "info")}


def test_a_plan_knows_every_hash_of_a_zip() -> None:
    """Two for one version: such a zip is left to the slow way."""
    lines = (GoSumLine(A, "zip", "h1:A="), GoSumLine(A, "zip", "h1:B="), GoSumLine(B, "zip", "h1:C="))
    scope = dataclasses.replace(plan(A).scopes[0], gosum_lines=lines)
    found = dataclasses.replace(plan(A), scopes=(scope,))
    assert found.zip_hashes == {A: {"h1:A=", "h1:B="}, B: {"h1:C="}}
    assert unambiguous(found.zip_hashes) == {B: "h1:C="}


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        report(plan(A)).seconds = 0.0  # type: ignore[misc]


def test_unavailable_is_what_every_proxy_denies() -> None:
    both = Downloaded(failures=(*_gone(A_ZIP).failures, *_unreachable(A_MOD).failures))
    assert both.unavailable == {A_ZIP}


def test_downloads_together_have_one_row_for_each_proxy() -> None:
    """A second download may have no file. What was counted from the beginning of the run is not added up."""
    first = Downloaded(sources=(Source("a", 2, 20, 1, 3, 0.5), Source("b", 1, 10, 0)))
    later = Downloaded(sources=(Source("a", 1, 5, 2, 3, 0.6), Source("c", 0, 0, 1)))
    expected = (Source("a", 3, 25, 2, 3, 0.6), Source("b", 1, 10, 0), Source("c", 0, 0, 1))
    assert first.plus(later).sources == expected
