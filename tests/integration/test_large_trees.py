"""Large trees are verified apart from the others: by their own `go mod verify`, with a canary of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.verification import quarantine
from go_prefetch.verification.stub_modcache import StubCache, Verdict
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")

MODULES = [FakeModule(f"example.com/m{number}", "v1.0.0") for number in range(4)]
FIRST, SECOND, THIRD, FOURTH = VERSIONS = [ModuleVersion(module.path, module.version) for module in MODULES]
LIMIT = 60.0  # seconds


@pytest.fixture
def unpacked(tmp_path: Path) -> StubCache:
    """Four trees, of which the second and the third were changed after Go had unpacked them."""
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    hashes = {version: module.h1_zip for version, module in zip(VERSIONS, MODULES, strict=True)}
    stubs = StubCache(tmp_path / "q", Path(goroot), hashes, writable_trees=True)
    for version, module in zip(VERSIONS, MODULES, strict=True):
        stubs.folder.zip_path(version).write_bytes(module.zip)
    stubs.unpack(VERSIONS, Deadline.after(LIMIT))
    for version in (SECOND, THIRD):
        (stubs.folder.tree(version) / "evil.go").write_text("package evil\n")
    return stubs


@pytest.mark.parametrize("large", [[], [SECOND], [FIRST, THIRD], VERSIONS], ids=["none", "one", "two", "all"])
def test_verdict_does_not_depend_on_which_trees_are_large(unpacked: StubCache, large: Iterable[ModuleVersion]) -> None:
    verdict = unpacked.verify(Deadline.after(LIMIT), [*large])
    assert verdict == Verdict(good=frozenset({FIRST, FOURTH}), bad=frozenset({SECOND, THIRD}))


@pytest.mark.parametrize("number", [0, 1])
def test_verify_without_one_of_its_canaries_is_inconclusive(unpacked: StubCache, number: int) -> None:
    shutil.rmtree(unpacked.folder.tree(unpacked._canaries[number]))
    verdict = unpacked.verify(Deadline.after(LIMIT), [FIRST])
    assert verdict.inconclusive
    assert verdict.good == frozenset()


def test_run_with_a_large_module_admits_all(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "_LARGE_BYTES", 64 << 10)
    modules = [*MODULES[:3], FakeModule("example.com/large", "v1.0.0", files={"x.txt": "x" * (64 << 10)})]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, modules)
    assert bench.prefetch(goproxy="off").status == 0
    assert bench.report["admit"]["modules"] == len(modules)
    assert bench.report["admit"]["left_to_go"] == {}
