"""A bench prints no figure of a run that was not what it is compared as."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

import hosted_partial
import hosted_save
from figures import differences, ratios
from hosted_rig import Noted
from realproject import BenchError
from rig import check_report


def report(
    result: str = "partial", *, key: str = "", downloaded: int = 3, by_go: int = 0, **other: Any
) -> dict[str, Any]:
    return {
        "outputs": {"cache-result": result},
        "warnings": [],
        "restore": {"files": 7},
        "download": {"files": downloaded},
        "complete": {"files_by_go": by_go},
        "save": {"key": key},
        **other,
    }


def test_ratios_are_of_rounds_and_skip_what_is_not_there() -> None:
    rows = {"a  Go": [2.0, 4.0], "b-c": [1.0, 1.0]}
    assert ratios(rows, "b-c/a", "b-c/o") == {"b-c/a": [0.5, 0.25]}
    assert differences({"b  with": [3.0], "c  without": [1.0]}, "b-c", "o-p") == {"b-c": [2.0]}


@pytest.mark.parametrize(
    "found",
    [report("exact"), report(warnings=[{"slug": "store-slow"}]), report(by_go=1)],
    ids=["another result", "a warning", "files by Go"],
)
def test_check_report_of_another_run_fails(found: dict[str, Any]) -> None:
    check_report("b", report(), "partial")
    with pytest.raises(BenchError):
        check_report("b", found, "partial")


@pytest.mark.parametrize("downloaded", [0, 3])
def test_partial_hit_without_downloads_is_refused(downloaded: int) -> None:
    label, held = hosted_partial.OURS, {"zip a", "tree a"}
    noted = Noted(reports={label: [report(downloaded=downloaded)]}, held={label: held, hosted_partial.OFFICIAL: held})
    if downloaded:
        hosted_partial.check(noted)
    else:
        with pytest.raises(BenchError):
            hosted_partial.check(noted)


def test_partial_hit_with_other_modules_is_refused() -> None:
    label = hosted_partial.OURS
    noted = Noted(reports={label: [report()]}, held={label: {"zip a"}, hosted_partial.OFFICIAL: {"zip b"}})
    with pytest.raises(BenchError, match="zip a"):
        hosted_partial.check(noted)


@pytest.mark.parametrize(
    ("with_save", "without"),
    [("…-full-…", ""), ("", ""), ("…-delta-…", "…-delta-…")],
    ids=["a full entry", "nothing", "without save, an entry"],
)
def test_save_of_another_entry_is_refused(with_save: str, without: str) -> None:
    with pytest.raises(BenchError):
        _check_delta(with_save, without)


def test_save_of_a_delta_is_accepted() -> None:
    _check_delta("…-delta-…", "")


def _check_delta(with_save: str, without: str) -> None:
    reports = {hosted_save.DELTA: [report(key=with_save)], hosted_save.NO_DELTA: [report(key=without)]}
    hosted_save.check(Noted(reports=reports), "partial", "-delta-", hosted_save.DELTA, hosted_save.OTHER_DELTA)
