"""`-modfile=FILE` in GOFLAGS: go commands read FILE and its .sum in the place of go.mod and go.sum.

FILE is relative to where Go is run, and so are this run's go commands; go.mod has to be there, and is not read.
"""

from __future__ import annotations

from pathlib import Path

from go_prefetch.errors import InputError
from go_prefetch.golang import goflags as flags
from go_prefetch.run.steps.discover import Place


def read_instead(place: Place, goflags: str) -> Path:
    """What Go reads there as its go.mod or go.work. Raises InputError where it would refuse."""
    definition = place.definition
    modfile = flags.value(goflags, "modfile")
    if not modfile:
        return definition
    path = place.folder / modfile
    if definition.name != "go.mod":
        raise _refused("workspace", modfile, definition)
    if path.suffix != ".mod":
        raise _refused("name", modfile, path)
    if not path.is_file():
        raise _refused("missing", modfile, path)
    return path


def _refused(case: str, modfile: str, path: Path) -> InputError:
    return InputError("modfile-invalid", case, modfile=modfile, path=path)
