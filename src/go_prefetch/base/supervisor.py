"""The end of the children of a killed run, also after `kill -9`, where there is a /bin/sh.

One shell in its own session reads a pipe that only this process can write to. It gets the process group of each child.
The pipe ends with this process, whatever the reason. Then the shell kills the groups that it has read.

There is no gap. A child starts as a shell that waits for a line on its standard input, and only then becomes the
program (`exec`, so its process id stays). The line is written after the supervisor has the group. If this process dies
before that, the child reads the end of its input and ends too.

Limits: a process that leaves its group (`setsid`) is not followed. Without a /bin/sh (an image with only Python),
children are started directly, and those of a killed run continue.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_SH = "/bin/sh"
_KEEP_LIST = """
trap '' HUP INT TERM
groups=
while read -r sign group; do
  others=
  for each in $groups; do [ "$each" = "$group" ] || others="$others $each"; done
  case $sign in +) groups="$others $group" ;; *) groups=$others ;; esac
done
for each in $groups; do kill -s KILL -- "-$each" 2>/dev/null; done
"""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WAIT = 'read -r _ && exec "$@"'
_WAIT_THEN_NO_INPUT = 'read -r _ && exec "$@" </dev/null'

_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # executables for one kind of machine, and for several

_lock = threading.Lock()
_shells: list[subprocess.Popen[bytes]] = []  # one, or none yet


def is_there() -> bool:
    """Start the supervisor if necessary; return whether it runs."""
    if sys.platform == "win32" or not os.access(_SH, os.X_OK):
        return False
    with _lock, contextlib.suppress(OSError):
        if not _shells:
            _shells.append(_started())
    return bool(_shells)


def waiting(argv: Sequence[str], *, has_input: bool) -> list[str]:
    """Return the arguments of a shell that becomes `argv` after it has read a line."""
    return [_SH, "-c", _WAIT if has_input else _WAIT_THEN_NO_INPUT, "sh", *argv]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` as every shell passes it on. Some shells drop names that no shell variable can have.

    SHELLOPTS would make bash print what it does.
    """
    return {name: text for name, text in environ.items() if _VARIABLE.fullmatch(name) and name != "SHELLOPTS"}


def can_become(program: Path) -> bool:
    """Return whether the system certainly executes this file. A shell runs a file that the system refuses as a script.

    The system executes a script that begins with `#!`, and on Linux a program for the machine that /bin/sh is for. The
    shell of macOS recognises programs, and reads none as a script.
    """
    try:
        head, own = _head(program), _head(Path(_SH))
    except OSError:
        return False
    if head.startswith(b"#!"):
        return True
    if sys.platform == "darwin":
        return head[:4] in _MACH_O
    return head[:6] == own[:6] and head[18:20] == own[18:20]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(20)


def add(group: int) -> None:
    """End this process group when this process ends."""
    _tell(f"+ {group}\n")


def discard(group: int) -> None:
    """Do not end this process group any more."""
    _tell(f"- {group}\n")


def _tell(line: str) -> None:
    # Another process may have ended that shell. Then children survive a kill of this process, and nothing else fails.
    with _lock, contextlib.suppress(OSError, ValueError):
        for pipe in (shell.stdin for shell in _shells if shell.stdin):
            os.write(pipe.fileno(), line.encode())


def _started() -> subprocess.Popen[bytes]:
    nothing = subprocess.DEVNULL
    shell = subprocess.Popen(
        [_SH, "-c", _KEEP_LIST], stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, env={}, cwd="/",
        start_new_session=True,
    )  # fmt: skip
    atexit.register(_end, shell)
    return shell


def _end(shell: subprocess.Popen[bytes]) -> None:
    """Make the shell end, with the children that are left, and collect it, which not every init would do."""
    with _lock:
        if shell.stdin:
            shell.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        shell.wait(timeout=1)
