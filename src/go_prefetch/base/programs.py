"""Find programs on PATH, in folders that the checkout does not choose."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from go_prefetch.base.windows_names import IS_WINDOWS

_SCRIPTS = (".bat", ".cmd")


def find_program(name: str, path: str) -> str | None:
    """Return the absolute path of program `name`, or None if no folder of `path` (as in PATH) has it.

    Relative and empty entries are skipped. They mean the current folder, which is the user's repository. Go skips them
    too (`exec.ErrDot`). Windows would search the current folder before PATH. There, only NAME.exe is searched for.
    """
    file = f"{name}.exe" if sys.platform == "win32" else name
    for folder in path.split(os.pathsep):
        program = Path(folder, file)
        if program.is_absolute() and os.access(program, os.X_OK) and program.is_file():
            return str(program)
    return None


def find_script(name: str, path: str, *, windows: bool = IS_WINDOWS) -> str:
    """Return the script that a Windows shell would run as `name`; empty if there is none, and on other systems.

    Such a script is run by cmd.exe, which gives some characters in arguments a meaning. So none is started.
    """
    found = (Path(folder, name + suffix) for folder in path.split(os.pathsep) for suffix in _SCRIPTS)
    return next((str(script) for script in found if script.is_absolute() and script.is_file()), "") if windows else ""
