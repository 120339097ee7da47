"""What somebody planted in the pool or the module cache before: never built, healed, and named in the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.verification.quarantine import Quarantine
from tests.integration.test_quarantine import (
    IN_MODCACHE,
    LIB,
    MODULES,
    TREE,
    ZIP,
    assert_honest,
    names,
    plant_in_pool_link,
    plant_in_pool_partial,
    plant_in_pool_tree,
    plant_in_pool_ziphash,
    plant_lock_link,
    plant_quarantine_link,
    plant_tree_with_partial,
    plant_ziphash,
    ready,
    tamper,
)
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import layout
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

__all__ = ["ready"]  # the fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")


def assert_built_honestly(bench: Workbench) -> None:
    """A build without network says what the authors wrote."""
    built = bench.go("run", ".")
    assert built.status == 0, built.text
    assert "example.com/lib v1.2.3" in built.stderr + built.stdout
    assert "evil" not in built.text


@pytest.mark.parametrize(
    "plant", [plant_in_pool_ziphash, plant_in_pool_tree, plant_in_pool_link], ids=lambda function: function.__name__
)
def test_an_evil_zip_in_the_pool_is_named_and_the_pool_healed(ready: Workbench, plant: Callable[[Path], None]) -> None:
    """Whatever was planted beside it to make it credible."""
    plant(ready.pool)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert_honest(ready)
    assert_built_honestly(ready)
    assert names(ready, result, LIB.path), ready.report
    pool_zip = ready.pool / ZIP
    assert not pool_zip.is_symlink()
    assert {name: (ready.pool / name).read_bytes() for name in ready.module_files(ready.pool)} == layout(MODULES)


def test_a_second_run_does_not_speak_for_the_store(ready: Workbench) -> None:
    """An empty pool lacks everything: nothing was missing in the module cache."""
    assert ready.prefetch(goproxy="off").status == 0
    result = ready.prefetch("--store", f"dir:{ready.folder / 'empty'}", goproxy="off")
    assert result.notice("nothing-to-save").case == "present"


def test_what_is_no_module_file_is_not_taken_from_the_pool(ready: Workbench) -> None:
    """A `.partial` would make Go unpack again, and a folder named as its lock would stop it: neither travels."""
    plant_in_pool_partial(ready.pool)
    assert ready.prefetch(goproxy="off").status == 0
    assert ready.report["admit"]["modules"] == len(MODULES)
    assert_honest(ready)
    assert_built_honestly(ready)


# A file that is no tree, a dangling link: Go fails on them, and says so. A link at the lock, or in place of a
# quarantine, is no module's content.
NOT_CONTENT = (plant_lock_link, plant_quarantine_link)


@pytest.mark.parametrize(
    "plant", [plant for plant in IN_MODCACHE if plant not in NOT_CONTENT], ids=lambda function: function.__name__
)
def test_planted_files_are_not_built_with_check_present(ready: Workbench, plant: Callable[[Workbench], None]) -> None:
    """Healed, or an error where Go itself cannot go on; in both cases the module is named."""
    plant(ready)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch("--check-present", "true", goproxy=proxy.url)
    assert "Traceback" not in result.text
    if result.status == 0:
        assert_honest(ready)
        assert_built_honestly(ready)
        # A hash without a zip is thrown away, and a tree beside `.partial` is one that Go has not finished.
        assert names(ready, result, LIB.path) or plant in (plant_ziphash, plant_tree_with_partial)
    else:
        assert LIB.path in str(result.notice(ready.report["failure"]["slug"]).facts)
        assert ready.go("build", ".").status != 0


@pytest.mark.parametrize("goproxy", ["proxy", "off"])
def test_an_edited_tree_is_healed_from_the_zip_beside_it(ready: Workbench, goproxy: str) -> None:
    """No proxy is asked: Go hashes the zip that is there, and unpacks it anew."""
    assert ready.prefetch(goproxy="off").status == 0
    tamper(ready.modcache / TREE)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch("--check-present", "true", goproxy=proxy.url if goproxy == "proxy" else "off")
        assert proxy.paths() == []
    assert result.status == 0, result.text
    assert names(ready, result, LIB.path)
    assert_honest(ready)
    assert_built_honestly(ready)


def test_a_wrong_go_sum_leaves_no_file_that_go_refused(ready: Workbench) -> None:
    """The module was in the module cache, and a proxy has the same: what is said of both is what became of them."""
    assert ready.prefetch(goproxy="off").status == 0
    gosum = ready.project / "go.sum"
    gosum.write_text(gosum.read_text().replace(LIB.h1_zip, "h1:" + "A" * 43 + "="))
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch("--store", "none", goproxy=proxy.url)
    assert result.status == 5, result.text
    assert not (ready.download_folder / ZIP).exists()
    rejected = [(one.case, facts(one)) for one in result.notices if one.slug == "files-rejected"]
    assert ("removed", {"count": 1, "source": "the module cache"}) in rejected
    assert "replaced" not in [case for case, _ in rejected]


def test_the_steps_add_up_to_the_run(ready: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """To open the quarantine takes time too: it belongs to admit."""

    def slow(*arguments: Any, **options: Any) -> Quarantine:
        time.sleep(1.0)
        return Quarantine(*arguments, **options)

    monkeypatch.setattr("go_prefetch.run.pipeline.Quarantine", slow)
    store = ("--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file))
    assert prefetch(ready, "run", *store, GOPROXY="off").status == 0
    assert ready.report["admit"]["seconds"] >= 1.0
