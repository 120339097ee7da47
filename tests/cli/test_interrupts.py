"""Ctrl-C and termination in every step: exit status 130, no half file, no process left."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from go_prefetch.cli.subcommands import SUBCOMMANDS
from tests.support import same_process
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.go_on_path import HANG, GoOnPath
from tests.support.fakes.held_rename import variables_to_hold_renames
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.service_job import MAIN
from tests.support.waiting import is_running, wait_for_end, wait_until
from tests.support.workbench import Workbench

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to another process"),
    pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name),
]

LIB = FakeModule("example.com/lib", "v1.2.3", padding=5_000)
GOOD = FakeModule("example.com/good", "v1.0.0")
MODULES = (LIB, GOOD)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


def start(bench: Workbench, proxy: ModuleProxy, **variables: str) -> subprocess.Popen[str]:
    bench.write_project(MODULES)
    return bench.start(
        "run", "--store", f"dir:{bench.pool}", "--stall-timeout", "60s", **{"GOPROXY": proxy.url, **variables}
    )


def assert_interrupted(
    bench: Workbench, run: subprocess.Popen[str], number: signal.Signals, proxy: ModuleProxy
) -> None:
    """The run ends with 130 and one line; every file under a final name is whole."""
    assert run.poll() is None
    run.send_signal(number)
    _, stderr = run.communicate(timeout=30)
    assert run.returncode == 130, stderr
    assert stderr.endswith("#interrupted\n")
    assert "Traceback" not in stderr
    assert bench.leftovers() == []
    for folder in (bench.download_folder, bench.pool):
        assert all((folder / name).read_bytes() == proxy.files[name] for name in bench.module_files(folder))


def test_during_an_import(bench: Workbench, monkeypatch: pytest.MonkeyPatch, signal_number: signal.Signals) -> None:
    """Python 3.11 wraps what is raised while it makes a class in an error of its own."""

    class Interrupting:
        def __set_name__(self, owner: type, name: str) -> None:
            signal.raise_signal(signal_number)

    def make_a_class(_: object) -> int:
        type("Class", (), {"attribute": Interrupting()})
        return 0

    monkeypatch.setitem(SUBCOMMANDS, "plan", replace(SUBCOMMANDS["plan"], call=make_a_class))
    bench.write_project(MODULES)
    result = same_process.prefetch(bench, "plan")
    assert (result.status, result.stderr.count("#interrupted\n")) == (130, 1)


@pytest.mark.parametrize("fault", [Fault.STALL_BEFORE_HEADERS, Fault.STALL_IN_BODY], ids=lambda f: f.name.lower())
def test_during_download(bench: Workbench, proxy: ModuleProxy, signal_number: signal.Signals, fault: Fault) -> None:
    """A proxy that is silent, before or within a body, does not hold up the end."""
    proxy.fault("*/lib/*", fault)
    run = start(bench, proxy)
    half = (lambda: list(bench.folder.rglob("*.tmp"))) if fault is Fault.STALL_IN_BODY else (lambda: True)
    wait_until(lambda: len(proxy.paths()) == 6 and half(), "all requests")
    assert_interrupted(bench, run, signal_number, proxy)


def test_while_waiting_to_try_again(bench: Workbench, proxy: ModuleProxy, signal_number: signal.Signals) -> None:
    """Nor does the pause that a proxy asked for."""
    proxy.retry_after = 30
    proxy.fault("*/lib/*.zip", Fault.TOO_MANY)
    run = start(bench, proxy)
    wait_until(lambda: any(path.endswith("lib/@v/v1.2.3.zip") for path in proxy.paths()), "the refused request")
    assert_interrupted(bench, run, signal_number, proxy)


def test_during_complete(bench: Workbench, proxy: ModuleProxy, tmp_path: Path, signal_number: signal.Signals) -> None:
    """Go goes, with its children."""
    go = GoOnPath(tmp_path / "bin", on_download=HANG)
    run = start(bench, proxy, PATH=go.path)
    wait_until(go.pids, "go's start")
    pids = go.pids()
    assert len(pids) == 2
    assert_interrupted(bench, run, signal_number, proxy)
    for pid in pids:
        wait_for_end(pid)


def test_while_go_tells_its_environment(
    bench: Workbench, proxy: ModuleProxy, tmp_path: Path, signal_number: signal.Signals
) -> None:
    """A `go env` that hangs can be interrupted too."""
    go = GoOnPath(tmp_path / "bin", on_env='echo $$ >"$HERE/writing"; mv "$HERE/writing" "$HERE/pids"; exec sleep 600')
    run = start(bench, proxy, PATH=go.path)
    wait_until(go.pids, "go's start")
    assert_interrupted(bench, run, signal_number, proxy)
    wait_until(lambda: not is_running(go.pids()[0]), "the end of go env")


@pytest.mark.parametrize("step", ["restore", "save"])
def test_while_files_are_put_in_place(
    bench: Workbench, proxy: ModuleProxy, tmp_path: Path, signal_number: signal.Signals, step: str
) -> None:
    """A file that restore or save has written, and not yet given its name, is put away."""
    reached = tmp_path / "reached"
    if step == "restore":
        bench.write_project(MODULES)
        assert bench.prefetch(goproxy=proxy.url).status == 0
        bench.forget_modcache()
    below = bench.modcache if step == "restore" else bench.pool
    run = start(bench, proxy, **variables_to_hold_renames(tmp_path / "site", below, reached))
    wait_until(reached.exists, f"the first rename in {step}")
    assert bench.leftovers()
    assert_interrupted(bench, run, signal_number, proxy)


@pytest.mark.parametrize("route", ["lookup", "blob.get", "blob.put"])
def test_while_the_cache_service_says_nothing(
    bench: Workbench, proxy: ModuleProxy, signal_number: signal.Signals, route: str
) -> None:
    """Nobody waits for the threads that wait for it."""
    bench.write_project(MODULES)
    with CacheService(MAIN) as service:
        flags = ("run", "--store", "github", "--stall-timeout", "60s")
        variables = {"GOPROXY": proxy.url, **service.v2(MAIN.text)}
        if route == "blob.get":
            assert bench.run(*flags, **variables).status == 0
            bench.forget_modcache()
        service.clear()
        service.inject(route, "silence", times=None)
        run = bench.start(*flags, **variables)
        wait_until(lambda: route in service.routes, "a call that is not answered")
        assert_interrupted(bench, run, signal_number, proxy)
        if route == "blob.put":
            assert service.keys == []
            service.faults.clear()
            bench.forget_modcache()
            assert bench.run(*flags, GOPROXY=proxy.url, **service.v2(MAIN.text, run="2")).status == 0
            assert len(service.keys) == 1  # the key that is still reserved does not block the next run


def test_within_a_text_that_python_executes(tmp_path: Path, signal_number: signal.Signals) -> None:
    """As in the import of a dataclass. Python forgets that it was handled, and ends `python -m` by SIGINT."""
    (tmp_path / "interrupted.py").write_text(f"""
import os, signal
import go_prefetch.cli.main as command_line
from go_prefetch.__main__ import main

def interrupted(*_):
    try:
        exec("os.kill(os.getpid(), {int(signal_number)}); [None for _ in range(1_000_000)]")
    except KeyboardInterrupt:
        return 130

signal.signal({int(signal_number)}, signal.default_int_handler)
command_line.main = interrupted
main()
""")
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, check=False)
    assert done.returncode == 130
