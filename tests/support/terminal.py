"""A program on a terminal of some width: stdout and stderr are a pty."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from contextlib import suppress

from tests.support.workbench import Result, Workbench


def on_terminal(bench: Workbench, *arguments: str, columns: str = "80", answer: str = "", **variables: str) -> Result:
    """Run go-prefetch on a terminal, where `answer` is typed.

    `stdout` is what the terminal gets, with line ends as a program writes them.
    """
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(columns), 0, 0))
    with subprocess.Popen(
        [*bench.command, *arguments],
        cwd=bench.project,
        env={**bench.environ, "TERM": "xterm", **variables},
        stdin=its,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        os.write(mine, answer.encode())
        shown = b""
        with suppress(OSError):  # EIO, when the last program has closed the terminal
            while data := os.read(mine, 1 << 16):
                shown += data
    os.close(mine)
    return Result(process.returncode, shown.decode().replace("\r\n", "\n"), "")
