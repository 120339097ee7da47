"""A series of samples in parts of its time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.doctor.measurement import Measurement, Sample
from go_prefetch.doctor.watch import Series
from tests.support.series import watched

STARTED = datetime(2026, 11, 29, 23, 50, tzinfo=timezone.utc)


def series(seconds: float, *afters: float) -> Series:
    return Series(STARTED, seconds, 1.0, {"https://a.test": tuple(watched(after) for after in afters)})


@pytest.mark.parametrize(
    ("seconds", "length"),
    [(1, 1), (100, 10), (121, 15), (600, 60), (7200, 600), (7201, 900), (86400, 7200), (604800, 86400)],
)
def test_parts_of_a_watch_are_even_times(seconds: float, length: float) -> None:
    (part,) = series(seconds, 0.0).parts()
    assert (part.begins, part.ends) == (STARTED, STARTED + timedelta(seconds=length))


def test_parts_have_the_figures_of_their_samples() -> None:
    first, second = series(7200, 0.0, 10.0, 1200.0).parts()
    assert [part.figures.samples for part in (first, second)] == [2, 1]
    assert second.begins == STARTED + timedelta(minutes=20)


@given(st.lists(st.floats(0, 604800), max_size=50))
def test_parts_count_every_sample_once(afters: list[float]) -> None:
    parts = series(604800, *afters).parts()
    assert sum(part.figures.samples for part in parts) == len(afters)
    assert len(parts) <= 12
    assert [part.begins for part in parts] == sorted({part.begins for part in parts})


def test_series_adds_its_samples_to_its_source_only() -> None:
    one = Measurement("https://a.test", "list", (Sample(first_byte=0.1),))
    other = Measurement("https://b.test", "list", (Sample(first_byte=0.1),))
    added = series(10, 1.0, 2.0)
    assert [sample.after for sample in added.added_to(one).samples] == [None, 1.0, 2.0]
    assert added.added_to(other) == other
