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
        raise _refused(modfile, f"and Go takes no such flag in a workspace ({definition})")
    if path.suffix != ".mod":
        raise _refused(modfile, "and its name does not end in .mod")
    if not path.is_file():
        raise _refused(modfile, f"and there is no {path}")
    return path


def _refused(modfile: str, why: str) -> InputError:
    return InputError(
        "modfile-invalid",
        f"GOFLAGS has -modfile={modfile}, {why}",
        hint="Every go command fails so. `go env GOFLAGS` shows the flags, `go env -u GOFLAGS` forgets what `-w` set.",
    )
