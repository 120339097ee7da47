"""The end of the children of a run that was killed, `kill -9` included, where there is a /bin/sh.

One shell in a session of its own reads a pipe that only this process can write to. It gets the process group of each
child. The pipe ends when this process does, for whatever reason, and then the shell kills the groups that it knows.

No moment is open. A child starts as a shell that waits for a line on its standard input, and becomes the program only
then (`exec`, so its process id stays). The line is written after the supervisor knows the group. If this process dies
before, the child reads the end of its input and ends too.

What remains open: a process that leaves its group (`setsid`) is not followed. Without a /bin/sh (an image with nothing
but Python), children are started directly, and those of a killed run go on to their own end.
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

_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # for one kind of machine, for several

_lock = threading.Lock()
_shells: list[subprocess.Popen[bytes]] = []  # one, or none yet


def is_there() -> bool:
    """Start the supervisor if it is not there yet; tell whether it is."""
    if sys.platform == "win32" or not os.access(_SH, os.X_OK):
        return False
    with _lock, contextlib.suppress(OSError):
        if not _shells:
            _shells.append(_started())
    return bool(_shells)


def waiting(argv: Sequence[str], *, has_input: bool) -> list[str]:
    """Return the arguments of a shell that becomes `argv` once it has read a line."""
    return [_SH, "-c", _WAIT if has_input else _WAIT_THEN_NO_INPUT, "sh", *argv]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` as every shell passes it on: some drop names that no shell variable can have, some do not.

    SHELLOPTS would have bash print what it does.
    """
    return {name: text for name, text in environ.items() if _VARIABLE.fullmatch(name) and name != "SHELLOPTS"}


def can_become(program: Path) -> bool:
    """Tell whether the system surely executes this file: a shell runs as a script of its own what the system refuses.

    So it does with a script that begins with `#!`, and on Linux with a program for the machine that /bin/sh is for.
    The shell of macOS knows programs when it sees them, and reads none as a script.
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
    """Leave this process group in peace from now on."""
    _tell(f"- {group}\n")


def _tell(line: str) -> None:
    # Somebody may have ended that shell: then children live on when this process is killed, and nothing else fails.
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
    """Have the shell end, with the children that are left, and collect it: not every init would."""
    with _lock:
        if shell.stdin:
            shell.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        shell.wait(timeout=1)
