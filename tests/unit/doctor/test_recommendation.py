"""Statistics of samples, and the recommendation: properties that hold for whatever was measured."""

from __future__ import annotations

import math
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.doctor.candidates import candidates
from go_prefetch.doctor.diagnosis import Extent, diagnose
from go_prefetch.doctor.measurement import Holding, Measurement, Sample, Transfer, condense, jitter
from go_prefetch.doctor.rating import rate, usual_size
from go_prefetch.doctor.recommendation import Rated, Recommendation, recommend
from go_prefetch.golang.goproxy import ProxyList, parse_proxy_list
from go_prefetch.golang.module import ModuleVersion

A, B, C = "https://a.test", "https://b.test", "https://c.test"
M1, M2 = ModuleVersion("example.com/m1", "v1.0.0"), ModuleVersion("example.com/m2", "v1.0.0")
seconds = st.floats(0.0001, 60)


def good(first_byte: float, tls: float | None = None) -> Sample:
    return Sample(0.001, 0.002, tls, first_byte, first_byte + 0.003)


def lost(after: float = 1.0) -> Sample:
    return Sample(0.001, 0.002, None, None, after, "connection reset by peer", lost=True)


def refused() -> Sample:
    return Sample(0.001, 0.002, None, 0.01, 0.02, "403 Forbidden")


samples = st.lists(st.one_of(seconds.map(good), seconds.map(lost), st.builds(refused)), max_size=30)


@given(samples)
def test_figures_are_shares_and_medians_of_what_was_sampled(taken: list[Sample]) -> None:
    """Loss counts what had no whole answer; medians lie within the good samples; every failure is told."""
    figures = condense(taken)
    assert figures.samples == len(taken)
    assert figures.lost == sum(sample.lost for sample in taken)
    assert 0 <= figures.loss <= figures.failed <= 1
    firsts = [sample.first_byte for sample in taken if not sample.failure and sample.first_byte is not None]
    assert figures.first_byte == (median(firsts) if firsts else None)
    assert sum(count for _, count in figures.failures) == figures.lost + figures.refused


@given(st.lists(seconds, max_size=20), st.floats(-0.00005, 5))
def test_jitter_is_zero_for_even_times_and_ignores_constants(times: list[float], shift: float) -> None:
    found = jitter(times)
    assert (found is None) == (len(times) < 2)
    if found is not None:
        assert 0 <= found <= max(times) - min(times) + 1e-9
        moved = jitter([time + shift for time in times])
        assert moved is not None
        assert math.isclose(found, moved, abs_tol=1e-9)
        assert jitter([times[0]] * len(times)) == 0


def test_jitter_by_hand() -> None:
    assert jitter([1.0, 3.0, 2.0]) == 1.5


def test_no_samples_have_no_figures() -> None:
    figures = condense([])
    assert (figures.loss, figures.failed, figures.first_byte, figures.jitter) == (0.0, 0.0, None, None)


def measured(url: str, first_byte: float, pace: float = 1e6, loss: int = 0, lacks: int = 0) -> Measurement:
    """Ten samples, of which `loss` were lost; two modules of 100 kB, of which `lacks` are not there."""
    taken = (*(good(first_byte) for _ in range(10 - loss)), *(lost() for _ in range(loss)))
    holdings = tuple(Holding(module, has=number >= lacks, size=100_000) for number, module in enumerate((M1, M2)))
    return Measurement(url, "list", taken, holdings, Transfer(int(pace * 2), 2.0, 1))


def recommended(text: str, *sources: Measurement, also: str = "") -> Recommendation:
    proxies = parse_proxy_list(text)
    order = candidates(proxies, parse_proxy_list(also).proxies if also else ())
    of_name = {source.name: source for source in sources}
    ratings = rate([of_name[one.proxy.shown] for one in order], usual_size(sources))
    return recommend([Rated(one, rating) for one, rating in zip(order, ratings, strict=True)], proxies, proxies.shown)


figures = st.tuples(st.floats(0.001, 2), st.floats(1e4, 1e9), st.integers(0, 10), st.integers(0, 2))


@given(st.tuples(figures, figures, figures))
def test_a_line_is_a_reordering_without_what_is_of_no_use(
    drawn: tuple[tuple[float, float, int, int], ...],
) -> None:
    """Every proxy is in the line once or left out with a reason; those in it are in order of their ratings."""
    sources = [measured(url, *one) for url, one in zip((A, B, C), drawn, strict=True)]
    advice = recommended(f"{A}|{B}|{C}|direct", *sources)
    named = advice.line.split("|")
    assert len(advice.reasons) == 3
    ratings = {rating.name: rating for rating in rate(sources, usual_size(sources))}
    kept = [url for url in (A, B, C) if ratings[url].worth == "usable"]
    if not kept:
        assert advice.line == ""
        return
    assert named[-1] == "direct"
    assert sorted(named[:-1]) == sorted(kept)
    costs = [ratings[url].seconds for url in named[:-1]]
    assert costs == sorted(costs, key=lambda cost: cost or 0.0)
    assert parse_proxy_list(advice.line).text == advice.line


@given(figures, st.floats(1.01, 10))
def test_what_is_worse_in_one_thing_is_rated_worse(one: tuple[float, float, int, int], factor: float) -> None:
    """A later first byte, a slower rate, more loss, more that is lacking: each costs."""
    first_byte, pace, loss, lacks = one
    if loss >= 9 or lacks == 2:
        return
    base = measured(A, first_byte, pace, loss, lacks)
    worse = [measured(B, first_byte * factor, pace, loss, lacks), measured(B, first_byte, pace / factor, loss, lacks)]
    worse.append(measured(B, first_byte, pace, loss + 1, lacks))
    worse += [measured(B, first_byte, pace, loss, 1)] if lacks == 0 else []
    for other in worse:
        better, less = rate([base, other], 100_000)
        assert better.seconds is not None
        assert less.seconds is not None
        assert better.seconds < less.seconds


def test_a_comma_that_protects_paths_keeps_its_place() -> None:
    """The company's proxy stays before the faster one behind it, even where it brings nothing."""
    fast, slow = measured(B, 0.01), measured(A, 0.5)
    assert recommended(f"{A},{B},direct", slow, fast).line == f"{A},{B},direct"
    dead = Measurement(A, "list", tuple(lost() for _ in range(3)))
    advice = recommended(f"{A},{B},direct", dead, fast)
    assert advice.line == f"{A},{B},direct"
    assert "its `,` protects paths" in advice.reasons[0]


def test_proxies_before_a_comma_are_ordered_among_themselves() -> None:
    advice = recommended(f"{A}|{B},{C}", measured(A, 0.5), measured(B, 0.1), measured(C, 0.001))
    assert advice.line == f"{A}|{B},{C}"  # B is the one whose comma protects: it stays last of its group


def test_public_proxies_go_in_any_order_whatever_separates_them() -> None:
    golang, io = "https://proxy.golang.org", "https://goproxy.io"
    advice = recommended(f"{golang},{io},direct", measured(golang, 0.3), measured(io, 0.1))
    assert advice.line == f"{io}|{golang},direct"
    assert advice.changes


def test_better_proxy_goes_first_and_public_one_behind_comma() -> None:
    assert recommended(A, measured(A, 0.3), measured(B, 0.1), also=B).line == f"{B}|{A}"
    io = "https://goproxy.io"
    assert recommended(A, measured(A, 0.3), measured(io, 0.1), also=io).line == f"{A},{io}"


def test_the_list_as_it_is_is_said_to_be_so() -> None:
    advice = recommended(f"{A}|{B}", measured(A, 0.1), measured(B, 0.3))
    assert (advice.line, advice.changes) == (f"{A}|{B}", False)
    assert advice.reasons == (f"{A}: first byte 100 ms, 1.0 MB/s", f"{B}: first byte 300 ms, 1.0 MB/s")


def test_what_was_not_measured_is_neither_judged_nor_left_out() -> None:
    advice = recommended(f"{A}|{B}", Measurement(A, "list"), measured(B, 0.3))
    assert advice.line == f"{B}|{A}"
    proxies = parse_proxy_list(A)
    (one,) = candidates(proxies, ())
    assert diagnose(proxies, [(one, Measurement(A, "list"))], [], (), Extent(0, 0, 1)).unusable == ()


def test_a_list_that_needs_no_change_is_told_as_it_is_written() -> None:
    """Whatever `fallback` makes of its separators."""
    proxies = parse_proxy_list(f"{A}|direct")
    (only,) = candidates(proxies, ())
    rated = [Rated(only, rating) for rating in rate([measured(A, 0.1)], 100_000)]
    advice = recommend(rated, proxies, f"{A},direct")
    assert (advice.line, advice.changes) == (f"{A},direct", False)


def test_nothing_to_recommend() -> None:
    assert recommend([], ProxyList((), "direct"), "direct") == Recommendation("", ())


def test_too_little_has_no_rate() -> None:
    """A zip that came with one read says nothing of the line."""
    assert Transfer(0, 0.0, 1).rate is None
    assert Transfer(1000, 0.00001, 1).rate is None
    assert Transfer(1_000_000, 0.5, 1).rate == 2_000_000
