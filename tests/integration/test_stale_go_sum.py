"""Lines of go.sum that nobody serves any more: Go needs none of them, so neither do we."""

from __future__ import annotations

import pytest

from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
STALE = FakeModule("example.com/gone", "v0.9.0")
GOMOD_LINE = STALE.go_sum.splitlines(keepends=True)[1]
STALE_MOD = "example.com/gone/@v/v0.9.0.mod"

LINES = pytest.mark.parametrize(
    ("go", "lines"),
    [("1.21", GOMOD_LINE), ("1.21", STALE.go_sum), ("1.16", GOMOD_LINE), ("1.16", STALE.go_sum)],
    ids=["go.mod line", "both lines", "go.mod line before go 1.17", "both lines before go 1.17"],
)


@LINES
def test_a_stale_line_is_a_warning_once_and_then_remembered(bench: Workbench, go: str, lines: str) -> None:
    """Go succeeds, so do we, and say what nobody has; the second run is exact, and asks for nothing but a zip."""
    bench.write_project([LIB], extra_go_sum=lines, go=go)
    with ModuleProxy([LIB]) as proxy:
        first = bench.prefetch(goproxy=proxy.url)
        assert first.status == 0, first.text
        assert bench.warnings == ["files-not-needed"]
        failures = facts(first.notice("files-not-needed"))["failures"]
        assert {str(failure.file.module) for failure in failures} == {"example.com/gone@v0.9.0"}
        assert bench.outputs["cache-result"] == "miss"
        bench.forget_modcache()
        proxy.clear()
        second = bench.prefetch(goproxy=proxy.url)
        assert second.status == 0, second.text
        assert bench.outputs["cache-result"] == "exact"
        assert bench.warnings == []
        wanted_by_old_go = go == "1.16" and lines == STALE.go_sum
        assert proxy.paths() == (["example.com/gone/@v/v0.9.0.zip"] if wanted_by_old_go else [])


def test_where_no_proxy_answers_what_is_remembered_holds(bench: Workbench) -> None:
    """A stale line fails no run while the proxies are down."""
    bench.write_project([LIB], extra_go_sum=STALE.go_sum, go="1.16")
    with ModuleProxy([LIB]) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
        bench.forget_modcache()
        proxy.fault("*", Fault.SERVER_ERROR)
        second = bench.prefetch("--attempts", "1", goproxy=proxy.url)
        assert second.status == 0, second.text
        assert bench.outputs["cache-result"] == "exact"


@pytest.mark.parametrize("fault", [Fault.NOT_FOUND, Fault.GONE], ids=["404", "410"])
def test_not_found_is_an_answer_and_not_asked_for_again(bench: Workbench, fault: Fault) -> None:
    """A file that is not there costs one request, whatever `attempts` says."""
    bench.write_project([LIB], extra_go_sum=GOMOD_LINE)
    with ModuleProxy([LIB]) as proxy:
        proxy.fault(STALE_MOD, fault)
        assert bench.prefetch("--attempts", "5", goproxy=proxy.url).status == 0
        assert proxy.paths().count(STALE_MOD) == 1


def test_a_file_that_go_got_after_all_is_not_remembered_as_gone(bench: Workbench) -> None:
    """A 404 for us and an answer for Go a moment later: the file is saved, and no note says that nobody has it."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        proxy.fault("*.zip", Fault.NOT_FOUND, times=1)
        assert bench.prefetch(goproxy=proxy.url).status == 0
        assert list(bench.pool.glob(".go-prefetch/unavailable/*")) == []
        bench.forget_modcache()
        assert bench.prefetch(goproxy="off").status == 0
        assert bench.outputs["cache-result"] == "exact"


def test_nobody_asked_is_not_nobody_has_it(bench: Workbench) -> None:
    """With GOPROXY=off a stale line is not noted as gone: the next run with a proxy still asks."""
    bench.write_project([LIB])
    with ModuleProxy([LIB, STALE]) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
        bench.write_project([LIB], extra_go_sum=GOMOD_LINE)
        assert bench.prefetch(goproxy="off").status == 0
        proxy.clear()
        assert bench.prefetch(goproxy=proxy.url).status == 0
        assert proxy.paths() == [STALE_MOD]
