"""Where the fast way runs: strange variables, a go that is a wrapper, mounts, folders that cannot be written."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_quarantine import EVIL, MODULES, TREE, ZIP, admitted, assert_honest
from tests.support.fakes.go_on_path import GoOnPath
from tests.support.fakes.modules import write_proxy_folder
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")

AS_NOBODY_SPECIAL = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
LEFT = "not unpacked, or there already"


def prepare(bench: Workbench) -> Workbench:
    """A project of four modules, all in the pool."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    return bench


def run_under(bench: Workbench, *before: str) -> Result:
    """`go-prefetch run` from the pool, without network, started by another program."""
    run = (*bench.command, "run", "--store", f"dir:{bench.pool}", "--report-file", str(bench.report_file))
    return bench.program([*before, *run], GOPROXY="off")


def test_without_a_home_the_fast_way_works(bench: Workbench) -> None:
    """HOME unset, not only empty, and no variable that could stand for it."""
    prepare(bench)
    del bench.environ["HOME"]
    result = bench.prefetch(goproxy="off")
    assert result.status == 0, result.text
    assert admitted(bench) == len(MODULES)
    assert bench.report["admit"]["notice"] == ""
    assert_honest(bench)


def test_wrapper_of_go_that_prints_text_does_not_disturb(bench: Workbench, tmp_path: Path) -> None:
    """It speaks on stderr and asks nobody; in the quarantine GOROOT's own go runs, so its words are exactly Go's."""
    prepare(bench)
    go = GoOnPath(tmp_path / "bin", on_download='echo "wrapper: $*" >&2; echo "$*" >>"$HERE/asked"')
    result = bench.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 0, result.text
    assert admitted(bench) == len(MODULES)
    assert bench.report["admit"]["notice"] == ""
    asked = go.note("asked").read_text()
    assert "mod download" in asked
    assert "verify" not in asked
    assert_honest(bench)


def test_a_wrapper_that_bends_go_does_not_reach_the_quarantine(bench: Workbench, tmp_path: Path) -> None:
    """It names another go.mod for every `go mod …`; each tree is verified all the same, an evil one is not there."""
    prepare(bench)
    (bench.project / "other.mod").write_text("module other\n\ngo 1.21\n")
    (bench.pool / ZIP).write_bytes(EVIL.zip)
    go = GoOnPath(tmp_path / "bin", on_download='export GOFLAGS="-modcacherw -modfile=other.mod"')
    result = bench.prefetch(goproxy="off", PATH=go.path)
    assert result.status == 0, result.text
    assert admitted(bench) == len(MODULES) - 1
    assert not (bench.modcache / TREE).exists()


def mounts_or_skip() -> None:
    try:
        subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace can be made here: {error}")


@pytest.mark.system
@pytest.mark.parametrize(("mounted", "fast"), [(".", True), ("cache", False), ("cache/download", True)])
def test_a_mount_of_its_own_ends_as_anywhere(bench: Workbench, mounted: str, fast: bool) -> None:
    """No link reaches from the pool to there: zips are copied. Where no tree can be renamed out, Go unpacks all."""
    mounts_or_skip()
    prepare(bench)
    place = bench.modcache / mounted
    place.mkdir(parents=True)
    kept = bench.folder / "kept"
    script = f'mount -t tmpfs -o size=64m none "{place}" && "$@" && cp -a "{bench.modcache}" "{kept}"'
    result = run_under(bench, "unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    assert result.status == 0, result.text
    assert list(bench.download_folder.rglob("*.zip")) == []  # the mount is gone, and all that was in it
    assert admitted(bench) == (len(MODULES) if fast else 0)
    assert bench.report["admit"]["left_to_go"] == ({} if fast else {LEFT: len(MODULES)})
    shutil.rmtree(bench.modcache)
    kept.rename(bench.modcache)
    assert_honest(bench)


@pytest.mark.system
def test_where_no_quarantine_can_be_made_go_unpacks_all(bench: Workbench) -> None:
    """The module cache takes trees and downloads, its `cache` folder no new one: the slow way, with the reason."""
    assert shutil.which("setpriv"), "setpriv (util-linux) is missing"
    prepare(bench)
    bench.download_folder.mkdir(parents=True)
    (bench.modcache / "cache/lock").touch()
    (bench.modcache / "cache").chmod(0o555)
    try:
        result = run_under(bench, *AS_NOBODY_SPECIAL)
    finally:
        (bench.modcache / "cache").chmod(0o755)
    assert result.status == 0, result.text
    assert admitted(bench) == 0
    assert bench.report["admit"]["left_to_go"] == {"no quarantine": len(MODULES)}
    assert_honest(bench)


@pytest.mark.system
def test_unwritable_module_cache_is_an_error_as_with_go(bench: Workbench) -> None:
    """Exit 5 with the name of the error; the folder is as it was, its mode too."""
    assert shutil.which("setpriv"), "setpriv (util-linux) is missing"
    prepare(bench)
    bench.modcache.mkdir()
    bench.modcache.chmod(0o555)
    result = run_under(bench, *AS_NOBODY_SPECIAL)
    theirs = bench.program([*AS_NOBODY_SPECIAL, "go", "mod", "download"], GOPROXY=f"file://{bench.pool}")
    assert (result.status, theirs.status) == (5, 1), result.text + theirs.text
    assert "[folder-unwritable]" in result.stderr
    assert list(bench.modcache.iterdir()) == []
    assert stat.S_IMODE(bench.modcache.stat().st_mode) == 0o555
