"""The inputs of `report` and `prune` as values."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from go_prefetch.config.choices import ReportFormat
from go_prefetch.config.forge_inputs import (
    PRUNE,
    REPORT,
    PruneSettings,
    ReportSettings,
    prune_settings,
    report_settings,
)
from go_prefetch.config.inputs import read_inputs
from go_prefetch.config.settings import user_cache_folder
from go_prefetch.errors import InputError

CWD = Path("/proj")
HOME = {"HOME": "/home/me", "LOCALAPPDATA": "/home/me/.cache"}  # the second one is for Windows


def _report(**flags: str) -> ReportSettings:
    given = {name.replace("_", "-"): text for name, text in flags.items()}
    return report_settings(read_inputs(given, {}, REPORT), HOME, CWD)


def _prune(**flags: str) -> PruneSettings:
    given = {name.replace("_", "-"): text for name, text in flags.items()}
    return prune_settings(read_inputs(given, {}, PRUNE), HOME, CWD)


def test_report_without_inputs_has_defaults() -> None:
    base = user_cache_folder(HOME)
    assert base
    folder = base / "go-prefetch" / "history"
    assert _report() == ReportSettings(ReportFormat.TEXT, wait=False, history_dir=folder, output=None)


def test_report_inputs_are_typed() -> None:
    settings = _report(format="json", runs="5", min_hit_rate="80%", branch="a\nb", output="r.json", repo="o/n.git")
    assert (settings.format, settings.runs, settings.min_hit_rate) == (ReportFormat.JSON, 5, 0.8)
    assert (settings.branch, settings.output, settings.repo) == (("a", "b"), CWD / "r.json", "o/n")


@pytest.mark.parametrize(("text", "folder"), [("none", None), ("runs", CWD / "runs"), ("/srv/runs", Path("/srv/runs"))])
def test_history_dir(text: str, folder: Path | None) -> None:
    assert _report(history_dir=text).history_dir == folder


def test_without_a_cache_folder_runs_are_not_kept() -> None:
    assert report_settings(read_inputs({}, {}, REPORT), {}, CWD).history_dir is None


@pytest.mark.skipif(sys.platform == "win32", reason="it guesses the folder of a user")
@pytest.mark.parametrize("name", ["output", "history-dir"])
def test_a_folder_of_an_unknown_user_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError) as caught:
        _report(**{name: "~no-such-user-here/x"})
    assert caught.value.slug == "input-invalid"


def test_prune_pool_auto_is_the_default_pool() -> None:
    base = user_cache_folder(HOME)
    assert base
    assert _prune(pool="auto").pool == base / "go-prefetch" / "pool"
    assert _prune(pool="./auto").pool == CWD / "auto"


def test_prune_dry_run_beats_delete() -> None:
    assert [_prune(delete=delete, dry_run=dry).delete for delete in ("true", "false") for dry in ("true", "false")] == [
        False, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "is_allowed"),
    [
        ({}, True),
        ({"max_age": "2w"}, True),
        ({"pool": "pool", "max_age": "2w"}, True),
        ({"pool": "pool", "max_size": "5GB"}, True),
        ({"pool": "pool"}, True),
        ({"pool": "dir:pool"}, True),
        ({"pool": "pool", "delete": "true"}, False),
        ({"max_size": "5GB"}, False),
        ({"max_age": "2w", "max_size": "5GB"}, False),
    ],
)
def test_prune_takes_limits_that_fit_together(flags: dict[str, str], *, is_allowed: bool) -> None:
    if is_allowed:
        assert _prune(**flags).pool == (CWD / "pool" if "pool" in flags else None)
    else:
        with pytest.raises(InputError):
            _prune(**flags)
