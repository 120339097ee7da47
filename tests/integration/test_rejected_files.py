"""Files with the right structure and the wrong content: Go's verdict, a second source, and then a security error."""

from __future__ import annotations

import pytest

from go_prefetch.errors import Notice
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, write_proxy_folder
from tests.support.notices import facts
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
GOOD = FakeModule("example.com/good", "v1.0.0")
MODULES = (LIB, GOOD)
ZIP = "example.com/lib/@v/v1.2.3.zip"
MOD = "example.com/lib/@v/v1.2.3.mod"


def assert_only_right_bytes(bench: Workbench, proxy: ModuleProxy) -> None:
    """Whatever lies in module cache and pool under a final name is what go.sum names."""
    for folder in (bench.download_folder, bench.pool):
        assert all((folder / name).read_bytes() == proxy.files[name] for name in bench.module_files(folder))


def rejected(error: Notice) -> tuple[str, tuple[str, ...]]:
    """Which file is wrong, and where it came from."""
    known = facts(error)
    return known["module_file"].name, known["sources"]


@pytest.mark.parametrize("on_failure", ["fail", "warn"])
@pytest.mark.parametrize("name", [ZIP, MOD], ids=["zip", "mod"])
def test_a_file_that_is_wrong_everywhere_is_a_security_error(bench: Workbench, name: str, on_failure: str) -> None:
    """Asked twice and wrong twice: exit 5 whatever on-failure says, with module, version, source and Go's words."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault(name, Fault.WRONG_BYTES)
        result = bench.prefetch("--on-failure", on_failure, goproxy=proxy.url)
        assert result.status == 5, result.text
        error = result.notice("checksum-mismatch")
        assert (error.case, rejected(error)) == ("", (name, (proxy.url, proxy.url)))
        assert "checksum mismatch" in facts(error)["stderr"]
        assert bench.report["failure"]["slug"] == "checksum-mismatch"
        assert "[checksum-mismatch]" in result.stderr
        assert proxy.paths().count(name) == 2
        assert not (bench.download_folder / name).exists()
        assert_only_right_bytes(bench, proxy)
    assert bench.leftovers() == []


def test_two_proxies_that_are_both_wrong_are_both_named(bench: Workbench) -> None:
    """The second source is another proxy where there is one, and the error names both."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault(ZIP, Fault.WRONG_BYTES)
        second.fault(ZIP, Fault.WRONG_BYTES)
        result = bench.prefetch(goproxy=f"{first.url}|{second.url}")
        assert result.status == 5, result.text
        assert rejected(result.notice("checksum-mismatch")) == (ZIP, (first.url, second.url))
        assert first.paths().count(ZIP) == second.paths().count(ZIP) == 1
        assert_only_right_bytes(bench, first)


def test_a_comma_keeps_a_rejected_file_from_the_next_proxy(bench: Workbench) -> None:
    """In `P1,P2` what P1 serves is P1's business, right or wrong: it is asked again, and P2 never hears of the path."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault(ZIP, Fault.WRONG_BYTES, times=1)
        result = bench.prefetch(goproxy=f"{first.url},{second.url}")
        assert result.status == 0, result.text
        assert first.paths().count(ZIP) == 2
        assert second.paths() == []


def test_the_error_shows_both_hashes(bench: Workbench) -> None:
    """Go's two: what came, and what go.sum says."""
    bench.write_project([LIB, GOOD])
    go_sum = bench.project / "go.sum"
    go_sum.write_text(go_sum.read_text().replace(LIB.h1_zip, GOOD.h1_zip))
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 5, result.text
    words = facts(result.notice("checksum-mismatch"))["stderr"]
    assert f"downloaded: {LIB.h1_zip}" in words
    assert f"go.sum:     {GOOD.h1_zip}" in words


def test_the_right_file_of_a_second_proxy_heals_the_run(bench: Workbench) -> None:
    """One wrong proxy costs one more request; the pool gets the right bytes and the next run is exact."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault(ZIP, Fault.WRONG_BYTES)
        result = bench.prefetch(goproxy=f"{first.url}|{second.url}")
        assert result.status == 0, result.text
        assert second.paths() == [ZIP]
        assert_only_right_bytes(bench, first)
        assert bench.module_files(bench.pool) == set(first.files)
        bench.forget_modcache()
        assert bench.prefetch(goproxy="off").status == 0
        assert bench.outputs["cache-result"] == "exact"


def test_one_wrong_file_does_not_leave_another_behind(bench: Workbench) -> None:
    """Of several files that Go refuses in the end, none stays in the module cache for a later go command."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*.zip", Fault.WRONG_BYTES)
        result = bench.prefetch(goproxy=proxy.url)
        assert result.status == 5, result.text
        assert not any(name.endswith(".zip") for name in bench.module_files(bench.download_folder))


def test_a_wrong_file_that_go_downloads_itself_is_named_too(bench: Workbench) -> None:
    """Where we got nothing and Go got a page instead of a go.mod, the error says what the proxy did before."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault(MOD, Fault.HTML)
        result = bench.prefetch("--attempts", "2", goproxy=proxy.url)
        assert result.status == 5, result.text
        assert bench.report["failure"]["slug"] == "checksum-mismatch"
        (error,) = (one for one in result.notices if (one.slug, one.case) == ("checksum-mismatch", "content"))
        (failure,) = facts(error)["failures"]
        assert failure.file.name == MOD
        assert [attempt.source for attempt in failure.attempts] == [proxy.url, proxy.url]
        assert rejected(facts(error)["cause"])[0] == MOD
        assert_only_right_bytes(bench, proxy)


def test_files_of_a_distrusted_store_stay_until_others_have_come(bench: Workbench) -> None:
    """Other runs on this module cache may count on them, and this one may be killed meanwhile."""
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0") for number in range(5)]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, modules)
    for path in sorted(bench.pool.rglob("*.zip"))[:3]:
        path.write_bytes(damaged(path.name, path.read_bytes()))
    with ModuleProxy(modules) as proxy:
        proxy.fault("*.info", Fault.STALL_BEFORE_HEADERS)
        process = bench.start("run", "--store", f"dir:{bench.pool}", GOPROXY=proxy.url)
        wait_until(
            lambda: sum(path.endswith(".info") for path in proxy.paths()) >= 5, "requests for what is distrusted"
        )
        process.kill()
        process.communicate(timeout=30)
    assert len(list(bench.download_folder.rglob("*.info"))) == 5
    assert len(list(bench.download_folder.rglob("*.mod"))) == 5
