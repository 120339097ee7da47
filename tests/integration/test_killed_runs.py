"""kill -9 of a run in each of its steps: no program that it had started goes on."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.go_on_path import HANG, GoOnPath, go_with_another_root
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.service_job import MAIN, Job
from tests.support.waiting import is_running, wait_for_end, wait_until
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs that hang are shell scripts")

LIB = FakeModule("example.com/lib", "v1.2.3", padding=5_000)


def on_path(folder: Path, name: str) -> GoOnPath:
    """A program of this name that hangs, before all others on PATH."""
    go = GoOnPath(folder)
    (folder / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\nHERE={shlex.quote(str(folder))}\n{HANG}\n")
    (folder / name).chmod(0o755)
    return go


def assert_ends_with_the_run(bench: Workbench, hanging: GoOnPath, *arguments: str, **variables: str) -> None:
    """Start go-prefetch, kill it once the program hangs; then that program and its child are gone."""
    run = bench.start(*arguments, **variables)
    try:
        wait_until(lambda: hanging.pids() or run.poll() is not None, "the start of the program that hangs")
        assert run.poll() is None, run.communicate()
        pids = hanging.pids()
        assert len(pids) == 2
        assert all(map(is_running, pids))
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=30)
        for pid in pids:
            wait_for_end(pid)
    finally:
        for pid in hanging.pids():
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


def test_go_env_ends_with_a_killed_run(bench: Workbench, tmp_path: Path) -> None:
    bench.write_project([LIB])
    go = GoOnPath(tmp_path / "bin", on_env=HANG)
    assert_ends_with_the_run(bench, go, "run", PATH=go.path)


def test_git_ends_with_a_killed_plan(bench: Workbench, tmp_path: Path) -> None:
    bench.project.mkdir()
    git = on_path(tmp_path / "bin", "git")
    assert_ends_with_the_run(bench, git, "plan", PATH=git.path)


def test_git_folder_of_a_killed_plan_is_removed(bench: Workbench, tmp_path: Path) -> None:
    """By the next run."""
    bench.project.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    git = on_path(tmp_path / "bin", "git")
    assert_ends_with_the_run(bench, git, "plan", PATH=git.path, TMPDIR=str(temporary))
    assert len(list(temporary.iterdir())) == 1
    bench.write_project([])
    assert bench.run("run", "--store", "none", TMPDIR=str(temporary)).status == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["git", "gh"])
def test_git_and_gh_end_with_a_killed_report(bench: Workbench, tmp_path: Path, name: str) -> None:
    bench.project.mkdir()
    program = on_path(tmp_path / "bin", name)
    repo = ("--repo", "a/b") if name == "gh" else ()
    assert_ends_with_the_run(bench, program, "report", *repo, PATH=program.path)


# What Go does in the quarantine: it unpacks, says what there is, verifies.
QUARANTINE = {
    "download": 'if [ "$2" = download ]; then {}; fi',
    "list": 'if [ "$1" = list ]; then {}; fi',
    "verify": 'if [ "$2" = verify ]; then {}; fi',
}


@pytest.mark.parametrize("command", QUARANTINE)
def test_go_in_the_quarantine_ends_with_a_killed_run(bench: Workbench, tmp_path: Path, command: str) -> None:
    bench.write_project([LIB])
    write_proxy_folder(bench.pool, [LIB])
    script = f"HERE={shlex.quote(str(tmp_path / 'bin'))}\n{QUARANTINE[command].format(HANG)}"
    go = go_with_another_root(tmp_path / "bin", script)
    assert_ends_with_the_run(bench, go, "run", "--store", f"dir:{bench.pool}", GOPROXY="off", PATH=go.path)


def test_go_mod_download_ends_with_a_killed_run(bench: Workbench, tmp_path: Path) -> None:
    bench.write_project([LIB])
    write_proxy_folder(bench.pool, [LIB])
    go = GoOnPath(tmp_path / "bin", on_download=HANG)
    assert_ends_with_the_run(bench, go, "run", "--store", f"dir:{bench.pool}", GOPROXY="off", PATH=go.path)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy([LIB]) as server:
        yield server


def test_upload_of_a_killed_run_does_not_block_the_next(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """Its key stays reserved for a day. Nothing of it is in the temporary folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with CacheService(MAIN) as service:
        bench.write_project([LIB])
        service.inject("blob.put", "silence")
        variables = {"GOPROXY": proxy.url, "TMPDIR": str(temporary)}
        run = bench.start("run", "--store", "github", **variables, **service.v2(MAIN.text))
        wait_until(lambda: "blob.put" in service.routes, "the upload")
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=30)
        assert list(temporary.iterdir()) == []
        assert service.keys == []
        Job(bench, service, proxy)(LIB, run=2)
        assert len(service.keys) == 1
        Job(bench, service, proxy)(LIB, run=3)
        assert bench.outputs["cache-result"] == "exact"


@pytest.mark.system
@pytest.mark.parametrize("step", ["restore", "save"])
def test_zstd_ends_with_a_killed_run(bench: Workbench, proxy: ModuleProxy, tmp_path: Path, step: str) -> None:
    with CacheService(MAIN) as service:
        job = Job(bench, service, proxy)
        variables = {"GOPROXY": proxy.url, **job.only("zstd program"), **service.v2(MAIN.text, run="2")}
        if step == "restore":
            job(LIB, environ=job.only("zstd program"))
        bench.write_project([LIB])
        bench.forget_modcache()
        zstd = on_path(tmp_path / "bin", "zstd")
        variables["PATH"] = os.pathsep.join([str(zstd.folder), variables["PATH"]])
        assert_ends_with_the_run(bench, zstd, "run", "--store", "github", **variables)
