"""What takes minutes to make, depends on no code of ours, and stays from one run of the tests to the next."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from go_prefetch.base import file_lock

_LONGEST = 900.0  # seconds that another worker may take to make something
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def kept() -> Path:
    """Return the folder in which such things stay."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "go-prefetch-tests"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make `folder`, and let one worker of the test run in at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock.held(folder / "lock", seconds=_LONGEST):
        yield


@contextmanager
def made_once(name: str, recipe: str) -> Iterator[tuple[Path, bool]]:
    """A folder for the results of `recipe`, and whether they are still to be made there, by this caller alone."""
    outer = kept() / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    with alone(outer):
        folder, mark = outer / "made", outer / "complete"
        if mark.exists():
            yield folder, False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder, True
        mark.touch()


def built_once(source: Path, *command: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return a copy of the folder `source` in which `command` has run."""
    files = sorted(path for path in source.rglob("*") if path.is_file())
    recipe = "\n".join([*command, *(f"{path.relative_to(source)}\n{path.read_text()}" for path in files)])
    with made_once(source.name, recipe) as (folder, is_new):
        if is_new:
            shutil.copytree(source, folder, dirs_exist_ok=True)
            done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder
