"""Which hosts Go asks itself, and with which first request."""

from __future__ import annotations

import pytest

from go_prefetch.doctor.candidates import candidates
from go_prefetch.doctor.measure_hosts import MOST_HOSTS, hosts_behind_direct, left_to_direct
from go_prefetch.doctor.measurement import Holding, Measurement, Sample
from go_prefetch.golang.goproxy import parse_proxy_list
from go_prefetch.golang.module import ModuleVersion

ONE, TWO, THREE = (ModuleVersion(f"example.com/{name}", "v1.0.0") for name in ("one", "two", "three"))
ALL = (ONE, TWO, THREE)
GOOD, LOST = (Sample(first_byte=0.1, seconds=0.1),), (Sample(failure="reset", lost=True),) * 3


def source(has: dict[ModuleVersion, bool | None], samples: tuple[Sample, ...] = GOOD) -> Measurement:
    return Measurement("", "list", samples, tuple(Holding(module, has=found) for module, found in has.items()))


@pytest.mark.parametrize(
    ("listed", "sources", "left"),
    [
        ("direct", [], ALL),
        ("https://a.test,direct", [source({ONE: True, TWO: False, THREE: None})], (TWO,)),
        ("https://a.test|direct", [source({ONE: True, TWO: False, THREE: None})], (TWO, THREE)),
        ("https://a.test,direct", [source({}, LOST)], ()),
        ("https://a.test|direct", [source({}, LOST)], ALL),
        ("https://a.test|direct", [source({}, ())], ()),
        ("https://a.test|https://b.test,direct", [source({}, LOST), source(dict.fromkeys(ALL, True))], ()),
        ("https://a.test|https://b.test,direct", [source({}, LOST), source({ONE: False, TWO: True})], (ONE,)),
    ],
)
def test_left_to_direct_is_what_no_proxy_brings(
    listed: str, sources: list[Measurement], left: tuple[ModuleVersion, ...]
) -> None:
    order = candidates(parse_proxy_list(listed), [])
    assert left_to_direct(dict(zip(order, sources, strict=True)), ALL) == {*left}


@pytest.mark.parametrize(
    ("path", "request_of_go"),
    [
        ("github.com/a/b", "https://github.com/a/b/info/refs?service=git-upload-pack"),
        ("github.com/a/b/v2/c", "https://github.com/a/b/info/refs?service=git-upload-pack"),
        ("bitbucket.org/a/b", "https://bitbucket.org/a/b/info/refs?service=git-upload-pack"),
        ("git.corp.test/x/y.git/z", "https://git.corp.test/x/y.git/info/refs?service=git-upload-pack"),
        ("git.corp.test/x.github", "https://git.corp.test/x.github?go-get=1"),
        ("golang.org/x/text", "https://golang.org/x/text?go-get=1"),
        ("corp.test", "https://corp.test?go-get=1"),
    ],
)
def test_host_behind_direct_gets_the_first_request_of_go(path: str, request_of_go: str) -> None:
    (target,) = hosts_behind_direct([ModuleVersion(path, "v1.0.0")])
    assert target.urls == (request_of_go,)


def test_hosts_behind_direct_are_those_with_most_modules() -> None:
    modules = [ModuleVersion(f"h{number}.test/m{m}", "v1.0.0") for number in range(20) for m in range(1 + number)]
    names = [target.name for target in hosts_behind_direct(modules)]
    assert names == [f"https://h{number}.test" for number in range(19, 19 - MOST_HOSTS, -1)]
