"""A Report on one screen, word by word as in tests/golden/."""

from __future__ import annotations

import pytest

from go_prefetch.render.figures import size
from go_prefetch.render.text import text
from tests.fakes.reports import REPORTS
from tests.golden_files import assert_golden


@pytest.mark.parametrize("name", REPORTS)
def test_text(name: str) -> None:
    assert_golden(f"report_{name}.txt", text(REPORTS[name]) + "\n")


@pytest.mark.parametrize("name", REPORTS)
def test_no_password_is_shown(name: str) -> None:
    assert "hunter2" not in text(REPORTS[name])


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
