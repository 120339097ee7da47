"""What cold runs are worth to a later hit: the union of their spans, never the sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.model.cold_runs import Span, baseline, length, measured

SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: Span(min(pair), max(pair), 1)))
NAMES = st.sampled_from([f"m{number}/@v/v1.0.0.zip" for number in range(6)])
RUNS = st.lists(st.dictionaries(NAMES, SPANS.filter(bool).map(lambda spans: spans[0]), min_size=1), max_size=4)


def _zip(name: str, version: str = "v1.0.0") -> str:
    return f"example.com/{name}/@v/{version}.zip"


@given(SPANS)
def test_length_counts_each_moment_once(spans: list[Span]) -> None:
    moments = {at for span in spans for at in range(int(span.began), int(span.ended))}
    assert length(spans) == len(moments)


@given(SPANS, st.integers(0, 60))
def test_length_ends_at_a_moment(spans: list[Span], end: int) -> None:
    moments = {at for span in spans for at in range(int(span.began), int(span.ended)) if at < end}
    assert length(spans, end) == len(moments)


@given(RUNS, st.sets(NAMES))
def test_baseline_is_no_more_than_all_runs_together(runs: list[dict[str, Span]], restored: set[str]) -> None:
    noted = [measured(files) for files in runs]
    found = baseline(noted, restored)
    names = {name for files in runs for name in files}
    assert (found is None) == names.isdisjoint(restored)
    if found:
        assert found.seconds <= sum(run.seconds for run in noted)
        assert found.estimate <= max(run.seconds for run in noted)
        assert (found.modules, found.modules_restored) == (len(names & restored), len(restored))
        assert found.is_minimum or found.seconds == noted[0].seconds or len(noted) > 1


def test_baseline_after_an_upgrade_keeps_the_rest() -> None:
    """One of four files is no longer wanted: the time in which only that one was on its way is gone."""
    old = measured({_zip("a"): Span(100, 104, 8), _zip("b"): Span(101, 103, 4), _zip("c"): Span(104, 110, 8)})
    new = measured({_zip("c", "v1.1.0"): Span(7, 9, 5)})
    found = baseline([old, new], {_zip("a"), _zip("b"), _zip("c", "v1.1.0")})
    assert found
    assert (found.seconds, found.is_minimum, found.runs) == (4, True, 2)
    assert (found.modules, found.modules_restored) == (3, 3)
    assert found.estimate == 10 * 12 / 20


def test_baseline_of_one_whole_run_is_exact() -> None:
    run = measured({_zip("a"): Span(1, 2, 1), _zip("b"): Span(3, 4, 1)}, verify_seconds=0.5)
    found = baseline([run], {_zip("a"), _zip("b")})
    assert found
    assert (found.seconds, found.is_minimum, found.verify_seconds) == (2, False, 0.5)


def test_baseline_counts_a_file_of_two_runs_once() -> None:
    both = [measured({_zip("a"): Span(0, 5, 1)}), measured({_zip("a"): Span(3, 8, 1)})]
    found = baseline(both, {_zip("a")})
    assert found
    assert (found.seconds, found.runs) == (5, 1)


def test_baseline_without_a_zip_is_none() -> None:
    run = measured({"example.com/a/@v/v1.0.0.mod": Span(0, 1, 1)})
    assert baseline([run], {"example.com/a/@v/v1.0.0.mod"}) is None
