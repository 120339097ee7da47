"""A `go` that goes before the real one on PATH: a shell script that meddles, then hands over."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path


class GoOnPath:
    """`on_download` and `on_env` are shell, run before `go mod …` and `go env …`; `$HERE` is for their notes."""

    def __init__(self, folder: Path, *, on_download: str = "", on_env: str = "") -> None:
        real = shutil.which("go")
        assert real, "there is no go on PATH"
        self.folder = folder
        folder.mkdir(exist_ok=True)
        script = folder / "go"
        script.write_text(
            f"#!/bin/sh\nGO={shlex.quote(real)}\nHERE={shlex.quote(str(folder))}\n"
            f'case "$1" in\nmod)\n:\n{on_download}\n;;\nenv)\n:\n{on_env}\n;;\nesac\nexec "$GO" "$@"\n'
        )
        script.chmod(0o755)

    @property
    def path(self) -> str:
        """The value for PATH."""
        return os.pathsep.join([str(self.folder), os.environ["PATH"]])

    def note(self, name: str) -> Path:
        """A file that the script writes."""
        return self.folder / name

    def pids(self, name: str = "pids") -> list[int]:
        """The process ids in a note."""
        return [int(word) for word in self.note(name).read_text().split()] if self.note(name).exists() else []


def go_with_another_root(folder: Path, script: str) -> GoOnPath:
    """A go on PATH whose GOROOT is another: with this script before the real program."""
    change = 's|"GOROOT": .*"|"GOROOT": "\'"$HERE"\'/root"|'
    go = GoOnPath(folder, on_env=f'"$GO" "$@" | sed \'{change}\'; exit')
    real = shutil.which("go")
    program = folder / "root" / "bin" / "go"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\nGO={real}\n{script}\nexec "$GO" "$@"\n')
    program.chmod(0o755)
    return go


# `sleep` is a child of the script, so that both have to go. Its output is not the pipe that we read.
HANG = 'sleep 600 >/dev/null 2>&1 & echo "$$ $!" >>"$HERE/writing"; mv "$HERE/writing" "$HERE/pids"; wait'
