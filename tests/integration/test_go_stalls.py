"""A go that hangs is stopped with its children and started again; one that leaves a daemon behind is not waited for."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from go_prefetch.errors import GoCommandError
from go_prefetch.golang.command import GoCommand
from tests.support.fakes.go_on_path import HANG, GoOnPath
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.waiting import wait_for_end
from tests.support.workbench import Workbench

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for go is a shell script"),
]  # real silences of Go

LIB = FakeModule("example.com/lib", "v1.2.3")
QUICK = ("--stall-timeout", "300ms")


def assert_gone(pids: list[int]) -> None:
    assert pids
    for pid in pids:
        wait_for_end(pid)


def test_silent_go_is_killed_with_children_and_restarted(bench: Workbench, tmp_path: Path) -> None:
    """No line, no CPU time, no growth: its whole process group ends, and a second start succeeds."""
    go = GoOnPath(tmp_path / "bin", on_download=f'if mkdir "$HERE/once" 2>/dev/null; then {HANG}; fi')
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(*QUICK, goproxy=proxy.url, PATH=go.path)
    assert result.status == 0, result.text
    assert len(go.pids()) == 2
    assert_gone(go.pids())


def test_a_go_that_always_stalls_fails_the_run(bench: Workbench, tmp_path: Path) -> None:
    """After `attempts` starts the run ends with status 5 and says so; no process stays."""
    go = GoOnPath(tmp_path / "bin", on_download=f'touch "$HERE/writing"; cat "$HERE/pids" >>"$HERE/all"; {HANG}')
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(*QUICK, "--attempts", "2", goproxy=proxy.url, PATH=go.path)
    assert result.status == 5, result.text
    assert "[go-stalled]" in result.stderr
    assert len(go.pids("all")) == 2
    assert_gone([*go.pids(), *go.pids("all")])


def test_a_talkative_go_is_held_to_the_deadline(bench: Workbench, tmp_path: Path) -> None:
    """Lines without end are signs of life, and still the deadline ends the run."""
    go = GoOnPath(tmp_path / "bin", on_download="while :; do echo '# get …' >&2; sleep 0.02; done")
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch("--deadline", "2s", goproxy=proxy.url, PATH=go.path)
    assert result.status == 5, result.text
    assert "[deadline-passed]" in result.stderr


def test_a_go_that_is_fed_in_drips_has_stalled(bench: Workbench) -> None:
    """A proxy that sends a byte now and then gives Go no end, and us neither: as if it were silent."""
    lib = FakeModule("example.com/lib", "v1.2.3", padding=3_000)
    bench.write_project([lib])
    with ModuleProxy([lib]) as proxy:
        proxy.fault("*.zip", Fault.SLOW_DRIP)
        result = bench.prefetch("--stall-timeout", "250ms", "--attempts", "1", goproxy=proxy.url)
    assert result.status == 5, result.text
    failed = facts(result.notice("proxy-unavailable"))
    assert failed["cause"].slug == "go-stalled"
    assert all(attempt.words.startswith("crawling: ") for one in failed["failures"] for attempt in one.attempts)


@pytest.mark.parametrize("status", [0, 1])
def test_a_daemon_that_holds_stderr_open_is_not_waited_for(bench: Workbench, tmp_path: Path, status: int) -> None:
    """What git or ssh leave behind in a session of its own outlives go; go's own exit status counts."""
    daemon = 'setsid sleep 600 & echo $! >"$HERE/pids"' if sys.platform == "linux" else "sleep 600 &"
    end = '"$GO" "$@"; exit $?' if status == 0 else "echo 'go: no such thing' >&2; exit 1"
    go = GoOnPath(tmp_path / "bin", on_download=f"{daemon}\n{end}")
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch("--stall-timeout", "20s", goproxy=proxy.url, PATH=go.path)
    assert result.status == (0 if status == 0 else 4), result.text
    for pid in go.pids():
        os.kill(pid, signal.SIGTERM)


def test_stalled_go_with_a_daemon_on_stderr_is_restarted(bench: Workbench, tmp_path: Path) -> None:
    """Nor does such a daemon keep us from going on once go itself is killed."""
    daemon = 'setsid sleep 600 & echo $! >"$HERE/daemon"'
    go = GoOnPath(tmp_path / "bin", on_download=f'if mkdir "$HERE/once" 2>/dev/null; then {daemon}; {HANG}; fi')
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(*QUICK, goproxy=proxy.url, PATH=go.path)
    assert result.status == 0, result.text
    for pid in go.pids("daemon"):
        os.kill(pid, signal.SIGTERM)


def test_the_last_words_of_a_go_that_has_ended_are_waited_for(bench: Workbench, tmp_path: Path) -> None:
    """On a busy machine they are read some time after its end; without them nobody knows what went wrong."""
    go = GoOnPath(tmp_path / "bin", on_download="{ sleep 0.3; echo 'go: what went wrong' >&2; } & exit 1")
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(goproxy=proxy.url, PATH=go.path)
    assert result.status == 4, result.text
    assert facts(result.notice("go-failed"))["stderr"].strip() == "go: what went wrong"


def test_a_go_env_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    """A wrapper in Go's place may ask something that nobody answers."""
    go = GoOnPath(tmp_path / "bin", on_env=HANG)
    with pytest.raises(GoCommandError) as caught:
        GoCommand({"PATH": go.path}, env_seconds=0.5).environment(tmp_path)
    assert (caught.value.slug, caught.value.notice.case) == ("go-failed", "env-stalled")
    assert_gone(go.pids())
