"""GOPROXY as people write it: nothing, nonsense, `off`, `direct`."""

from __future__ import annotations

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")


@pytest.mark.parametrize("given_as", ["variable", "flag"])
@pytest.mark.parametrize(
    "goproxy", [",", "|,|", "proxy", "htps://example.com", "https://"],
    ids=["only a comma", "only separators", "a word", "wrong scheme", "no host"],
)  # fmt: skip
def test_nonsense_is_wrong_input(bench: Workbench, goproxy: str, given_as: str) -> None:
    """Exit 2 before anything is fetched, naming the input."""
    bench.write_project([LIB])
    flag = ["--goproxy", goproxy] if given_as == "flag" else []
    result = bench.prefetch(*flag, goproxy="off" if flag else goproxy)
    assert result.status == 2, result.text
    assert "error: goproxy: " in result.stderr
    assert "[goproxy-invalid]" in result.stderr
    assert not bench.modcache.exists()


@pytest.mark.parametrize("goproxy", ["off", "direct", "direct,off"])
def test_without_a_proxy_a_full_pool_is_enough(bench: Workbench, goproxy: str) -> None:
    """Nothing needs the network, so nothing fails."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
    bench.forget_modcache()
    result = bench.prefetch(goproxy=goproxy)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "exact"
    assert bench.outputs["bytes-downloaded"] == "0"


def test_off_with_nothing_in_the_pool_is_go_s_failure(bench: Workbench) -> None:
    """Exit 4 in Go's own words: no proxy was asked, so none is to blame."""
    bench.write_project([LIB])
    result = bench.prefetch(goproxy="off")
    assert result.status == 4, result.text
    assert "module lookup disabled by GOPROXY=off" in result.stderr
    assert "[go-failed]" in result.stderr
    assert not list(bench.folder.glob("pool/.go-prefetch/unavailable/*"))
