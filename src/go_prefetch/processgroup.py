"""A child process with all its children: its CPU time, and its end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def started(
    argv: Sequence[str], folder: Path, environ: Mapping[str, str], *, with_output: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """`argv` in a process group of its own, its stderr readable (and stdout if asked); its end is the block's end.

    Raises OSError if it cannot be started.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with _signals_held_back():
            process = subprocess.Popen(
                list(argv),
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if with_output else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        yield process
    finally:
        if process and process.poll() is None:
            kill(process)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Handle signals at the end of the block: one in the midst of starting a child would leave nobody to end it."""
    if threading.current_thread() is not threading.main_thread():  # signals are handled in the main thread
        yield
        return
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
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
    """End the process and its children now, and wait until the process is gone."""
    if sys.platform == "win32":
        argv = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(argv, check=False, capture_output=True)
    else:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """CPU time its group has used so far, or as near as this system tells; 0.0 where it does not tell."""
    if sys.platform == "win32":
        return _windows_cpu_seconds(process)
    if Path("/proc/self/stat").exists():
        return _proc_cpu_seconds(process.pid)
    try:
        listed = subprocess.run(["ps", "-A", "-o", "pgid=,time="], check=False, capture_output=True, text=True)
    except OSError:
        return 0.0
    return sum(_ps_seconds(row[1]) for row in map(str.split, listed.stdout.splitlines()) if row[0] == str(process.pid))


def _proc_cpu_seconds(group: int) -> float:
    """Linux: see proc(5), /proc/pid/stat; its name field may hold blanks, so count from the closing bracket."""
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
    """`12:34.56` or `1-02:03:04` in seconds."""
    days, _, clock = time.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)


def _windows_cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """GetProcessTimes of the process alone: kernel and user time in units of 100 ns."""
    created, exited, kernel, user = (ctypes.c_ulonglong() for _ in range(4))
    handle = ctypes.c_void_p(int(getattr(process, "_handle", 0)))
    kernel32 = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy knows it on Windows only
    times = [ctypes.byref(value) for value in (created, exited, kernel, user)]
    return (kernel.value + user.value) / 1e7 if kernel32.GetProcessTimes(handle, *times) else 0.0
