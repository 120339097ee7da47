"""A child process with all its children: start, CPU time, end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from go_prefetch.base import supervisor
from go_prefetch.base.background import run_in_background
from go_prefetch.base.programs import find_program
from go_prefetch.base.stop_signals import STOP_SIGNALS

if TYPE_CHECKING:
    from go_prefetch.base import windows_job

_MOST_OUTPUT = 16 << 20  # bytes of an answer
_PS_SECONDS = 5.0
_jobs: dict[int, windows_job.Job] = {}  # on Windows, by process id


@contextlib.contextmanager
def started(
    argv: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | BinaryIO = subprocess.DEVNULL,
    stderr: int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `argv` in a process group. What is left of the group ends with the block, or with this process.

    Every program is started here. A name without a slash is looked up in the PATH of `environ`. Without an input the
    program reads the null device. Raises OSError if it cannot be started.
    """
    program = _program(argv[0], environ)
    process: subprocess.Popen[bytes] | None = None
    try:
        with _signals_held_back():
            streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
            process = _begun([program, *argv[1:]], folder, environ, streams)
        yield process
    finally:
        if process:
            kill(process)
            _leave_in_peace(process)


def _begun(
    argv: Sequence[str], folder: Path, environ: Mapping[str, str], streams: dict[str, Any]
) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        from go_prefetch.base import windows_job  # noqa: PLC0415 - ctypes takes a while, and some commands start nothing

        group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        process = subprocess.Popen(list(argv), cwd=folder, env=dict(environ), creationflags=group, **streams)
        _jobs[process.pid] = windows_job.Job(process)
        return process
    is_supervised = supervisor.is_there()
    if not is_supervised or not supervisor.can_become(Path(argv[0])):
        process = subprocess.Popen(list(argv), cwd=folder, env=dict(environ), start_new_session=True, **streams)
        if is_supervised:
            supervisor.add(process.pid)
        return process
    has_input = streams["stdin"] != subprocess.DEVNULL
    process = subprocess.Popen(
        supervisor.waiting(argv, has_input=has_input), cwd=folder, env=supervisor.environment(environ),
        start_new_session=True, **{**streams, "stdin": subprocess.PIPE},
    )  # fmt: skip
    supervisor.add(process.pid)
    assert process.stdin is not None  # noqa: S101 - for the type checker: it was asked for
    with contextlib.suppress(BrokenPipeError):  # another process has ended it, and its status says so
        process.stdin.write(b"\n")
        process.stdin.flush()
    if not has_input:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
    return process


def _leave_in_peace(process: subprocess.Popen[bytes]) -> None:
    """Release the group: what is still in it was left behind on purpose, by git or ssh."""
    if sys.platform == "win32":
        _jobs.pop(process.pid).release()
    else:
        supervisor.discard(process.pid)


def _program(name: str, environ: Mapping[str, str]) -> str:
    """Return the file to execute. Raises FileNotFoundError, PermissionError: a shell would only print them."""
    by_name = find_program(name, environ.get("PATH", os.defpath)) if Path(name).name == name else name
    found = Path(by_name or "").absolute()
    if not by_name or not found.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    if found.is_dir() or not os.access(found, os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
    return str(found)


def answer(
    argv: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    seconds: float,
    *,
    given: bytes = b"",
    most_memory: int | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a short program with `given` as its input, and return what it prints.

    Raises OSError if it cannot be started, subprocess.TimeoutExpired after that many seconds. A program that prints
    more than 16 MiB is killed, and so has a status that is not 0. On Linux it gets `most_memory` bytes at most.
    """
    until = time.monotonic() + seconds
    stdin = subprocess.PIPE if given else subprocess.DEVNULL
    with started(argv, folder, environ, stdin=stdin, stdout=subprocess.PIPE) as process:
        if process.stdin:
            run_in_background(partial(_give, process.stdin, given))
        if most_memory is not None:
            _limit_memory(process, most_memory)
        reading = [
            run_in_background(partial(_all_of, pipe, process)) for pipe in (process.stdout, process.stderr) if pipe
        ]
        try:
            said = [call.result(timeout=max(0.0, until - time.monotonic())) for call in reading]
            status = process.wait(timeout=max(0.0, until - time.monotonic()))
        except (subprocess.TimeoutExpired, futures.TimeoutError):
            raise subprocess.TimeoutExpired(list(argv), seconds) from None
    return subprocess.CompletedProcess(list(argv), status, *said)


def _give(pipe: IO[bytes], given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:  # it reads no input, or has ended
        pipe.write(given)


def _limit_memory(process: subprocess.Popen[bytes], most: int) -> None:
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not everywhere

        with contextlib.suppress(OSError, ValueError):  # the process has ended, or has a lower limit already
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (most, most))


def _all_of(pipe: IO[bytes], process: subprocess.Popen[bytes]) -> bytes:
    with pipe:
        output = pipe.read(_MOST_OUTPUT + 1)
        if len(output) > _MOST_OUTPUT:
            kill(process)  # while the pipe is open: it could end normally otherwise
        return output


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Handle signals at the end of the block. A signal during the start of a child would leave that child running."""
    if threading.current_thread() is not threading.main_thread():  # signals are handled in the main thread
        yield
        return
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    held = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in held:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children now, unless it has ended, and wait until the process is gone."""
    if process.poll() is None:
        if sys.platform == "win32":
            _jobs[process.pid].end()
            process.kill()  # in case it is not in its job
        else:
            with contextlib.suppress(ProcessLookupError):  # it has ended in the meantime
                os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU time of its group in seconds, as far as this system reports it; otherwise 0.0."""
    if sys.platform == "win32":
        return _jobs[process.pid].cpu_seconds()
    if Path("/proc/self/stat").exists():
        return _proc_cpu_seconds(process.pid)
    try:
        listed = answer(["ps", "-A", "-o", "pgid=,time="], Path("/"), {"PATH": os.defpath}, _PS_SECONDS).stdout.decode()
    except (OSError, subprocess.TimeoutExpired):
        return 0.0
    return sum(_ps_seconds(row[1]) for row in map(str.split, listed.splitlines()) if row[0] == str(process.pid))


def _proc_cpu_seconds(group: int) -> float:
    """Read /proc/pid/stat (Linux, proc(5)). The name field may have blanks, so count from the closing bracket."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # that process has just ended
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ps_seconds(time: str) -> float:
    """Parse `12:34.56` or `1-02:03:04` into seconds."""
    days, _, clock = time.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)
