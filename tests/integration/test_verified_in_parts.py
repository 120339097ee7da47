"""Trees are verified while other zips arrive: by a `go mod verify` with a canary of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import notice
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.verification import quarantine
from go_prefetch.verification.stub_modcache import StubCache, Verdict, joined
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


def test_verify_in_parts_is_about_those_versions(unpacked: StubCache) -> None:
    """The zips of the others stay, because Go may be about to unpack them."""
    verdicts = [unpacked.verify(versions, Deadline.after(LIMIT)) for versions in ([FIRST, SECOND], [THIRD])]
    assert verdicts == [Verdict(frozenset({FIRST}), frozenset({SECOND})), Verdict(bad=frozenset({THIRD}))]
    assert unpacked.folder.zip_path(FOURTH).exists()
    assert not unpacked.folder.zip_path(FIRST).exists()


def test_joined_verdicts_keep_what_is_good_and_why_not_all_is() -> None:
    problem = notice("inconclusive", "no-time")
    verdicts = [Verdict(good=frozenset({FIRST})), Verdict(inconclusive=problem), Verdict(bad=frozenset({THIRD}))]
    assert joined(verdicts) == Verdict(frozenset({FIRST}), frozenset({THIRD}), problem)


@pytest.mark.parametrize("limit", [0, 64 << 10, 1 << 30], ids=["each batch", "with the large one", "all at the end"])
def test_run_names_an_evil_zip_whenever_it_is_verified(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(quarantine, "_VERIFIED_AT_ONCE", limit)
    large = {"x.txt": "x" * (64 << 10)}
    modules = [*MODULES[:2], FakeModule("example.com/a", "v1.0.0", files=large), FakeModule("example.com/b", "v1.0.0")]
    evil = [FakeModule(one.path, one.version, files={**one.files, "evil.go": "package evil\n"}) for one in modules[1:3]]
    bench.write_project(modules)
    write_proxy_folder(bench.folder / "proxy", modules)
    write_proxy_folder(bench.pool, [modules[0], *evil, modules[3]])
    assert bench.prefetch(goproxy=f"file://{bench.folder / 'proxy'}").status == 0
    assert bench.report["admit"]["modules"] == 2
    assert bench.report["admit"]["left_to_go"] == {"refused by go mod verify": 2}
    assert bench.go("mod", "verify").stdout == "all modules verified\n"
