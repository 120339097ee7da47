"""Find programs on PATH, in folders that the checkout does not choose."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def find_program(name: str, path: str) -> str | None:
    """Return the absolute path of program `name`; None if no folder of `path` (as PATH has it) holds it.

    Relative and empty entries are skipped: they mean the current folder, which is the user's repository. Go skips them
    too (`exec.ErrDot`). Windows would look in the current folder before PATH; there only NAME.exe is looked for.
    """
    file = f"{name}.exe" if sys.platform == "win32" else name
    for folder in path.split(os.pathsep):
        program = Path(folder, file)
        if program.is_absolute() and os.access(program, os.X_OK) and program.is_file():
            return str(program)
    return None
