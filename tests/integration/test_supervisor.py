"""The one door through which programs are started: what they get, when they end, what remains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from go_prefetch.base import process_group, supervisor
from tests.support.waiting import is_running, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are those of POSIX systems")

ENVIRON = {"PATH": os.defpath}

# A Python that starts a program in the folder it is given, and dies of `kill -9` as `end` says.
DYING = """
import os, signal, sys
from pathlib import Path
from go_prefetch.base import process_group
from go_prefetch.base import supervisor

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

add, folder = supervisor.add, Path(sys.argv[1])
{before}
with process_group.started(["sh", "-c", {program!r}], folder, {environ!r}) as process:
    {inside}
die()
"""
STARTED = "echo $$ >writing; mv writing started; "
UNTIL_STARTED = "while not (folder / 'started').exists(): pass\n    "


def die(folder: Path, *, before: str = "", program: str = "", inside: str = "die()") -> None:
    """Run that Python to its end."""
    text = DYING.format(before=before, program=STARTED + program, inside=inside, environ=ENVIRON)
    done = subprocess.run([sys.executable, "-c", text, str(folder)], timeout=30, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def processes_in(folder: Path) -> list[int]:
    """Living processes whose working directory this is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.parametrize(
    "before", ["supervisor.add = die", "supervisor.add = lambda group: (add(group), die())"], ids=["before", "after"]
)
def test_kill_between_fork_and_exec_starts_no_program(tmp_path: Path, before: str) -> None:
    """The child waits for a line that cannot come any more, whether the supervisor knows of it or not."""
    die(tmp_path, before=before)
    wait_until(lambda: not processes_in(tmp_path), "the end of the child")
    assert not (tmp_path / "started").exists()


def test_kill_ends_a_stopped_group(tmp_path: Path) -> None:
    """A supervisor in the same group would be stopped too."""
    die(tmp_path, program="exec sleep 600", inside=f"{UNTIL_STARTED}os.killpg(process.pid, signal.SIGSTOP); die()")
    wait_until(lambda: not processes_in(tmp_path), "the end of the child")


def test_kill_ends_a_program_that_ignores_signals(tmp_path: Path) -> None:
    die(tmp_path, program="trap '' INT TERM HUP; while :; do sleep 1; done", inside=f"{UNTIL_STARTED}die()")
    wait_until(lambda: not processes_in(tmp_path), "the end of the child")


def test_kill_leaves_helpers_of_finished_programs(tmp_path: Path) -> None:
    """git and ssh leave some behind on purpose, at times in the same group."""
    die(tmp_path, program="sleep 600 >/dev/null 2>&1 & echo $! >left", inside="process.wait()")
    left = int((tmp_path / "left").read_text())
    assert is_running(left)
    os.kill(left, signal.SIGKILL)


def test_the_process_id_is_the_programs_own(tmp_path: Path) -> None:
    """Its CPU time, its end and its status are asked for by that number."""
    with process_group.started(["sh", "-c", "echo $$; exit 7"], tmp_path, ENVIRON, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=30)
    assert int(output) == process.pid
    assert process.returncode == 7


def test_a_programs_input_begins_where_the_callers_does(tmp_path: Path) -> None:
    """The line that lets it begin is not part of it, and no byte is lost, of much or of nothing."""
    for sent in (b"", b"\n\nx", os.urandom(3_000_000)):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with process_group.started(["cat"], tmp_path, ENVIRON, **pipes) as process:
            assert process.communicate(sent, timeout=30)[0] == sent


def test_a_program_without_input_reads_nothing(tmp_path: Path) -> None:
    done = process_group.answer(["sh", "-c", "cat; echo end"], tmp_path, ENVIRON, 30)
    assert (done.returncode, done.stdout) == (0, b"end\n")


def test_a_program_has_no_descriptor_of_ours(tmp_path: Path) -> None:
    """Nor of the supervisor's: a pipe that a daemon holds open would never end."""
    done = process_group.answer(["sh", "-c", "ls /proc/self/fd 2>/dev/null || ls /dev/fd"], tmp_path, ENVIRON, 30)
    assert len(done.stdout.split()) == 4  # the three standard ones, and the folder that is listed


def test_an_answer_has_a_time_limit(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        process_group.answer(["sh", "-c", "sleep 600 & sleep 600"], tmp_path, ENVIRON, 0.2)
    wait_until(lambda: not processes_in(tmp_path), "the end of the program")


@pytest.mark.parametrize("stream", ["", ">&2"], ids=["stdout", "stderr"])
def test_an_answer_has_a_limit_on_its_size(tmp_path: Path, stream: str) -> None:
    done = process_group.answer(["sh", "-c", f"while :; do echo {'x' * 60_000}; done {stream}"], tmp_path, ENVIRON, 300)
    assert done.returncode == -signal.SIGKILL
    assert len(done.stdout) + len(done.stderr) < 20 << 20


def foreign_program() -> bytes:
    """A program for a machine that this one is not."""
    head = bytearray(Path("/bin/sh").read_bytes()[:4096])
    head[18:20] = b"\x15\x00"  # EM_PPC64, with the wrong order of bytes
    return bytes(head)


@pytest.mark.parametrize("content", [b"echo harm >harm\n", b"", "foreign"], ids=["text", "empty", "foreign"])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the shell refuses it")
def test_what_the_system_does_not_execute_is_no_shell_script(tmp_path: Path, content: bytes | str) -> None:
    """A shell would read it line by line, a program for another machine too."""
    program = tmp_path / "program"
    program.write_bytes(foreign_program() if isinstance(content, str) else content)
    program.chmod(0o755)
    with pytest.raises(OSError, match="Exec format error"), process_group.started([str(program)], tmp_path, ENVIRON):
        pass
    assert not (tmp_path / "harm").exists()


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    for name, error in (("no-such-program", FileNotFoundError), (str(tmp_path / "plain"), PermissionError)):
        with pytest.raises(error), process_group.started([name], tmp_path, ENVIRON):
            pass


def test_without_a_shell_programs_are_started_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image that holds a Python and nothing else."""
    monkeypatch.setattr(supervisor, "_SH", str(tmp_path / "none"))
    done = process_group.answer(["sh", "-c", "echo $PPID"], tmp_path, ENVIRON, 30)
    assert int(done.stdout) == os.getpid()


def test_variables_are_the_same_whatever_shell_there_is(tmp_path: Path) -> None:
    """Some drop names that no shell variable can have, some pass them on; bash would print what it does."""
    odd = {"A.B": "1", "BASH_FUNC_f%%": "() { :; }", "SHELLOPTS": "xtrace", "GOOD_1": "a b\n'c"}
    done = process_group.answer(["env", "-0"], tmp_path, {**ENVIRON, **odd}, 30)
    names = {line.partition(b"=")[0] for line in done.stdout.split(b"\0") if line}
    assert names - {b"PWD", b"SHLVL", b"_", b"OLDPWD"} == {b"PATH", b"GOOD_1"}
    assert b"GOOD_1=a b\n'c\0" in done.stdout
    assert done.stderr == b""
