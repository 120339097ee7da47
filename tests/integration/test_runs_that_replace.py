"""Runs in one module cache, one of which replaces what another's Go has just looked at: Go's lock, and a second try."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from go_prefetch.base import file_lock
from tests.integration.test_quarantine import EVIL, LIB, MODULES, TREE, ZIP, assert_honest, ready
from tests.support.fakes.go_on_path import GoOnPath
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

__all__ = ["ready"]  # the fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")


def started(bench: Workbench, *arguments: str) -> subprocess.Popen[str]:
    store = ("--store", f"dir:{bench.pool}", "--report-file", str(bench.report_file))
    return bench.start("run", *store, *arguments, GOPROXY=f"file://{bench.pool}")


def waits_for(lock: Path, process: psutil.Process) -> bool:
    try:
        return str(lock) in {file.path for file in process.open_files()}
    except psutil.Error:
        return False


def go_waits_for(lock: Path, run: subprocess.Popen[str]) -> bool:
    """Whether a go command of this run has seen a zip and its hash, and wants to unpack it."""
    return any(waits_for(lock, child) for child in psutil.Process(run.pid).children(recursive=True))


@contextmanager
def run_whose_go_waits(bench: Workbench, tmp_path: Path, on_download: str = "") -> Iterator[subprocess.Popen[str]]:
    """A run whose Go has seen the zip of LIB and its hash, but no tree any more, and waits for its lock."""
    assert bench.prefetch(goproxy="off").status == 0
    shutil.rmtree(bench.modcache / TREE)
    zip_path, tree = bench.download_folder / ZIP, bench.modcache / TREE
    # Not in the quarantine, which unpacks LIB first.
    seen = (
        f'if [ "$GOMODCACHE" = {bench.modcache} ] && [ ! -e "$HERE/seen" ]; then '
        f'chmod -R u+w {tree}; rm -rf {tree}; printf %s {LIB.h1_zip} >{zip_path}hash; touch "$HERE/seen"; '
        'until [ -e "$HERE/locked" ]; do sleep 0.02; done; fi'
    )
    go = GoOnPath(tmp_path / "bin", on_download=f"{seen}\n{on_download}")
    bench.environ["PATH"] = go.path
    run = started(bench)
    wait_until(go.note("seen").exists, "the start of go mod download")
    lock = zip_path.with_suffix(".lock")
    with file_lock.held(lock):
        go.note("locked").touch()
        wait_until(lambda: go_waits_for(lock, run), "a go that waits for the lock")
        yield run


def assert_ends_well(bench: Workbench, run: subprocess.Popen[str]) -> None:
    _, words = run.communicate(timeout=60)
    assert run.returncode == 0, words
    assert_honest(bench)
    assert (bench.download_folder / ZIP).read_bytes() == LIB.zip
    assert (bench.download_folder / ZIP).with_suffix(".ziphash").read_text() == LIB.h1_zip


@pytest.mark.parametrize("lost", ["hash", "zip-and-hash", "hash-and-another-zip"])
def test_a_file_replaced_under_gos_hands_fails_no_run(ready: Workbench, tmp_path: Path, lost: str) -> None:
    """Go has seen a zip and its hash, and waits for the lock; who has that takes away the one, the other or both."""
    zip_path = ready.download_folder / ZIP
    with run_whose_go_waits(ready, tmp_path) as run:
        zip_path.with_suffix(".ziphash").unlink()
        if lost != "hash":
            zip_path.unlink()
        if lost == "hash-and-another-zip":
            zip_path.write_bytes(EVIL.zip)
    assert_ends_well(ready, run)


def test_tree_unpacked_without_hash_does_not_outlive_its_zip(ready: Workbench, tmp_path: Path) -> None:
    """The good zip is back before Go looks again: it would note its hash, and keep the tree of the other zip."""
    zip_path = ready.download_folder / ZIP
    back = f'[ -f "$HERE/second" ] && cp {ready.pool / ZIP} {zip_path}; touch "$HERE/second"'
    with run_whose_go_waits(ready, tmp_path, back) as run:
        zip_path.with_suffix(".ziphash").unlink()
        zip_path.unlink()
        zip_path.write_bytes(EVIL.zip)
    assert_ends_well(ready, run)


def test_zip_exchanged_by_another_run_is_not_rejected(ready: Workbench, tmp_path: Path) -> None:
    """Two runs restore from one poisoned pool: the later puts its evil zip where the good one of the earlier lay."""
    (ready.pool / ZIP).write_bytes(EVIL.zip)
    (tmp_path / "evil.zip").write_bytes(EVIL.zip)
    zip_path = ready.download_folder / ZIP
    exchange = (
        f'echo >>"$HERE/runs"; if [ $(wc -l <"$HERE/runs") = 2 ]; then '
        f"cp {tmp_path}/evil.zip {zip_path}9.tmp; mv {zip_path}9.tmp {zip_path}; fi"
    )
    go = GoOnPath(tmp_path / "bin", on_download=exchange)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch(goproxy=proxy.url, PATH=go.path)
        assert proxy.paths() == [ZIP, ZIP]
    assert result.status == 0, result.text
    assert_honest(ready)
    (rejected,) = ready.report["complete"]["rejected"]
    assert rejected["source"].startswith("directory pool")


def test_damaged_zip_healed_by_another_run_fails_no_run(ready: Workbench, tmp_path: Path) -> None:
    """Go says only that a zip is damaged; another run has put a good one in its place when we ask which it was."""
    assert ready.prefetch(goproxy="off").status == 0
    shutil.rmtree(ready.modcache / TREE)
    zip_path = ready.download_folder / ZIP
    zip_path.with_suffix(".ziphash").unlink()
    content = bytearray(LIB.zip)
    content[content.index(b"PK\1\2") + 16] ^= 0xFF  # the checksum of its first file
    zip_path.write_bytes(content)
    heal = f'"$GO" "$@"; status=$?; cp {ready.pool / ZIP} {zip_path}9.tmp; mv {zip_path}9.tmp {zip_path}; exit $status'
    go = GoOnPath(tmp_path / "bin", on_download=heal)
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch("--store", "none", goproxy=proxy.url, PATH=go.path)
    assert result.status == 0, result.text
    assert_honest(ready)


def test_runs_that_exchange_a_zip_for_ever_end_a_run(ready: Workbench, tmp_path: Path) -> None:
    """As often as attempts says: nothing is believed, and there is an end."""
    (ready.pool / ZIP).write_bytes(EVIL.zip)
    (tmp_path / "evil.zip").write_bytes(EVIL.zip)
    zip_path = ready.download_folder / ZIP
    go = GoOnPath(
        tmp_path / "bin", on_download=f"cp {tmp_path}/evil.zip {zip_path}9.tmp; mv {zip_path}9.tmp {zip_path}"
    )
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch("--attempts", "2", goproxy=proxy.url, PATH=go.path)
    assert result.status == 5, result.text
    assert not (ready.modcache / TREE).exists()


def test_what_another_go_has_found_good_meanwhile_is_left(ready: Workbench, tmp_path: Path) -> None:
    """Its build may read that tree and that hash by now."""
    (ready.pool / ZIP).write_bytes(EVIL.zip)
    zip_path, good = ready.download_folder / ZIP, tmp_path / "good"
    other = Workbench(tmp_path / "other", Path(ready.environ["GOCACHE"]))
    other.project.symlink_to(ready.project)
    with ModuleProxy(MODULES) as proxy:
        assert other.go("mod", "download", GOPROXY=proxy.url).status == 0
        other.modcache.rename(good)
        exchange = (
            f'"$GO" "$@"; status=$?; if [ ! -f "$HERE/once" ]; then touch "$HERE/once"; rm {zip_path}; '
            f"cp -p {good}/cache/download/{ZIP} {zip_path}; cp {good}/cache/download/{ZIP}hash {zip_path}hash; "
            f"cp -pR {good}/{TREE} {ready.modcache}/{TREE}; rm -f {zip_path.with_suffix('.partial')}; "  # as Go does
            f'stat -c %i {zip_path} {zip_path}hash {ready.modcache}/{TREE} >"$HERE/inodes"; fi; exit $status'
        )
        go = GoOnPath(tmp_path / "bin", on_download=exchange)
        proxy.clear()
        result = ready.prefetch(goproxy=proxy.url, PATH=go.path)
        assert proxy.paths() == []
    assert result.status == 0, result.text
    left = (zip_path, zip_path.with_suffix(".ziphash"), ready.modcache / TREE)
    assert [path.stat().st_ino for path in left] == list(map(int, go.note("inodes").read_text().split()))
    assert_honest(ready)


def test_a_hash_is_taken_away_under_gos_lock_only(ready: Workbench) -> None:
    """Who holds the lock may be hashing that zip, or unpacking it: it is waited for; then a tree is there."""
    assert ready.prefetch(goproxy="off").status == 0
    shutil.rmtree(ready.modcache / TREE)
    lock = (ready.download_folder / ZIP).with_suffix(".lock")
    ziphash = lock.with_suffix(".ziphash")
    inode = ziphash.stat().st_ino
    with file_lock.held(lock):
        run = started(ready, "--check-present", "true")
        wait_until(lambda: waits_for(lock, psutil.Process(run.pid)), "a run that waits for the lock")
        assert ziphash.exists()
        for name, content in LIB.contents.items():
            path = ready.modcache / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    assert_ends_well(ready, run)
    assert ziphash.stat().st_ino == inode
