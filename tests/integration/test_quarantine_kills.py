"""kill -9 at moments drawn by chance, the same in every run: Go accepts what is left, and the next run tidies up."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from shutil import which

import psutil
import pytest

from go_prefetch.base import file_lock
from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.verification.sandbox import IsolatedGo
from tests.integration.test_quarantine import quarantines
from tests.support.fakes.go_on_path import go_with_another_root
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.same_process import prefetch
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")

MODULES = [FakeModule(f"example.com/m{number:03}", "v1.0.0", padding=20_000) for number in range(60)]
ALL = "all modules verified\n"
# What grows while a run goes on, in this order: zips brought in, trees unpacked beside, trees moved to their place.
GROWING = {
    "restore": "cache/download/example.com/*/@v/*.zip",
    "unpack": "cache/go-prefetch-*/q/example.com/*@v1.0.0",
    "admit": "example.com/*@v1.0.0",
}
_CHANCE = random.Random(20)
MOMENTS = [
    pytest.param(step, _CHANCE.randint(1, len(MODULES)), marks=pytest.mark.nightly if number >= 2 else ())
    for step in GROWING
    for number in range(8)
]


def running_in(folder: Path) -> list[int]:
    """Processes whose working folder is below: what a killed run leaves behind goes on for a moment."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def killed_at(bench: Workbench, step: str, count: int) -> int:
    """Start a run, kill it once `count` of what that step makes are there; its exit status."""
    process = bench.start("run", "--store", f"dir:{bench.pool}", GOPROXY="off")
    wait_until(
        lambda: process.poll() is not None or len(list(bench.modcache.glob(GROWING[step]))) >= count,
        f"{count} of {step}",
    )
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    wait_until(lambda: not running_in(bench.modcache), "the end of what the run had started")
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize(("step", "count"), MOMENTS)
def test_killed_at_any_moment_go_accepts_what_is_left(bench: Workbench, step: str, count: int) -> None:
    """First Go alone, then a run of ours on the same leftovers: right modules, dead quarantines gone, others not."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    assert killed_at(bench, step, count) in (-signal.SIGKILL, 0)
    assert bench.go("mod", "download", GOPROXY=f"file://{bench.pool}").status == 0
    assert bench.go("mod", "verify").stdout == ALL
    assert prefetch(bench, "verify").verified[:2] == (len(MODULES), 0)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "count"), MOMENTS)
def test_killed_at_any_moment_the_next_run_tidies_up(bench: Workbench, step: str, count: int) -> None:
    """It ends well, every tree is go.sum's, and only the quarantine that somebody holds is left."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    status = killed_at(bench, step, count)
    assert len(quarantines(bench)) <= (status != 0)
    alive = bench.modcache / "cache/go-prefetch-alive"
    alive.mkdir(parents=True)
    (bench.download_folder / "example.com/m000/@v/v1.0.0.zip").unlink(missing_ok=True)  # something is to be done
    with file_lock.held(alive / "alive.lock"):
        result = bench.prefetch(goproxy="off")
        assert result.status == 0, result.text
        assert quarantines(bench) == [alive]
    assert bench.leftovers() == []
    assert bench.go("mod", "verify").stdout == ALL
    assert prefetch(bench, "verify").verified[:2] == (len(MODULES), 0)


@pytest.mark.parametrize("command", ["run", "run-without-a-module", "verify"])
def test_every_run_clears_what_a_dead_one_left(bench: Workbench, command: str) -> None:
    """Go has brought the rest since, so that nothing is missing; or there is no module to begin with."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    assert killed_at(bench, "unpack", 1) == -signal.SIGKILL
    assert bench.go("mod", "download", GOPROXY=f"file://{bench.pool}").status == 0
    assert len(quarantines(bench)) == 1
    if command == "run-without-a-module":
        (bench.project / "vendor").mkdir()
        (bench.project / "vendor/modules.txt").touch()
    result = prefetch(bench, "verify") if command == "verify" else bench.prefetch(goproxy="off")
    assert result.status == 0, result.text
    assert quarantines(bench) == []


def test_a_run_killed_while_it_checks_leaves_nothing_for_long(bench: Workbench, tmp_path: Path) -> None:
    """Its stubs lie where temporary files do: the next run of this user removes them."""
    bench.write_project(MODULES[:2])
    write_proxy_folder(bench.pool, MODULES[:2])
    assert bench.prefetch(goproxy="off").status == 0
    temporary = bench.folder / "tmp"
    temporary.mkdir()
    go = go_with_another_root(tmp_path / "bin", f'if [ "$2" = verify ]; then touch {tmp_path}/verifies; sleep 600; fi')
    process = bench.start("verify", PATH=go.path, TMPDIR=str(temporary))
    wait_until((tmp_path / "verifies").exists, "a verification")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    (left,) = temporary.iterdir()
    for pid in running_in(left):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not running_in(left), "the end of what the run had started")
    assert bench.prefetch(goproxy="off", TMPDIR=str(temporary)).status == 0
    assert list(temporary.iterdir()) == []


def test_a_go_that_is_to_end_lets_no_other_begin(tmp_path: Path) -> None:
    """Threads that unpack may be about to start the next one, in a folder that is about to go."""
    program = tmp_path / "go" / "bin" / "go"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n: > {tmp_path}/started\n[ $1 = first ] && exec {which('sleep')} 600\nexit 0\n")
    program.chmod(0o755)
    go = IsolatedGo(tmp_path / "q", tmp_path / "go")
    go.main.mkdir(parents=True)
    first = run_in_background(lambda: go.run("first", deadline=Deadline.after(600)))
    wait_until((tmp_path / "started").exists, "a go")
    go.stop()
    said = first.result(timeout=30)
    assert said is None or said.returncode < 0
    assert go.run("next", deadline=Deadline.after(600)) is None


def test_these_moments_fall_into_runs_that_are_not_over(bench: Workbench) -> None:
    """No comparison of finished runs: at the first zip and the first tree there is a run to kill."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)

    def is_killed(step: str) -> bool:
        bench.forget_modcache()
        status = killed_at(bench, step, 1)
        return status == -signal.SIGKILL and len(list(bench.modcache.glob(GROWING["admit"]))) < len(MODULES)

    for step in ("restore", "unpack"):
        assert any(is_killed(step) for _ in range(5)), step  # where we pause and it does not, a run gets to its end
