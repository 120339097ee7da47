"""A Report on one screen, word by word as in its snapshots."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch.base.format import counted, duration, size
from go_prefetch.model.results import Downloaded, Restored
from go_prefetch.render.summary import headline, summary_text
from tests.support.fakes.reports import A, B, files_of, plan, report
from tests.support.fakes.summaries import ALL
from tests.support.snapshots import TextFile


@pytest.mark.parametrize("name", ALL)
def test_text(snapshot: SnapshotAssertion, name: str) -> None:
    assert summary_text(ALL[name]) + "\n" == snapshot(extension_class=TextFile)


@pytest.mark.parametrize("name", ALL)
def test_no_password_is_shown(name: str) -> None:
    assert "hunter2" not in summary_text(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_lines_fit_the_terminal_and_say_the_same(name: str) -> None:
    """Only a word that is longer, such as a cache key, is not cut."""
    narrow = summary_text(ALL[name], 80)
    assert narrow.split() == summary_text(ALL[name]).split()
    for line in narrow.splitlines():
        assert len(line) <= 80 or len(line.removeprefix("  key").split()) == 1


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (2 * 10**9, "2.0 GB"),
        (10**13, "10000.0 GB"),
    ],
)
def test_sizes_are_in_powers_of_ten(count: int, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (119.6, "2 min 0 s"),
        (3605, "1 h 0 min"),
        (186_000, "2 d 3 h"),
    ],
)
def test_durations_are_as_exact_as_they_are_of_use(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_one_is_no_plural() -> None:
    assert [counted(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_foreign_text_adds_no_line() -> None:
    """A folder with a line break in its name would else begin a line of the log, which may be a command."""
    hostile = summary_text(report(plan(A), restored=Restored("pool\n::error::x ##[error]y", files_of(A))))
    assert not [line for line in hostile.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in hostile


def test_go_mod_files_that_were_brought_are_not_called_nothing() -> None:
    """Every zip was there; go.mod files of versions that are not built from were not."""
    downloaded = Downloaded(bytes=5000)
    assert headline(report(plan(A, present=files_of(A), mods=[B]), downloaded=downloaded, seconds=1.0)) == (
        "1 module already present · 5.0 kB downloaded in 1.0 s"
    )
    assert headline(report(plan(mods=[B]), downloaded=downloaded, seconds=1.0)) == (
        "no modules in the plan · 5.0 kB downloaded in 1.0 s"
    )
    assert headline(report(plan(), seconds=1.0)) == "nothing to do: no modules in the plan"


def test_modules_without_a_hash_are_not_called_nothing() -> None:
    """Without a go.sum nothing is planned, and Go downloads all of them by itself."""
    bare = report(replace(plan(), without_sum=frozenset({A, B})), seconds=1.0)
    assert headline(bare) == (
        "miss · no modules in the plan · 2 modules without a hash in go.sum left to Go · nothing downloaded in 1.0 s"
    )
