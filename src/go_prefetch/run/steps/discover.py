"""Find the main modules and workspaces in scope: their go.mod or go.work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.config.settings import Settings
from go_prefetch.errors import InputError
from go_prefetch.golang.goflags import value

_GLOB = frozenset("*?[")
# Go itself searches none of these for packages of the main module.
_NOT_OURS = ("testdata", "vendor", "node_modules")


@dataclass(frozen=True)
class Place:
    """A go.mod or go.work, and the folder where Go runs (its own or one below): paths in GOFLAGS are relative to it."""

    definition: Path
    folder: Path


def discover(settings: Settings, gowork: str) -> tuple[Place, ...]:
    """Return the go.mod and go.work files of the working directories, each once, in the given order.

    `gowork` is GOWORK as it is set: `off`, a path, or empty.

    Raises InputError for a folder that does not exist or has no go.mod in or above it.
    """
    found: dict[Path, Place] = {}
    for text in settings.working_directory:
        for place in _places(text, settings, gowork):
            # A go.mod that is a link counts in its own folder, as for Go.
            definition = place.definition.parent.resolve() / place.definition.name
            found.setdefault(definition, Place(definition, place.folder.resolve()))
    return tuple(found.values())


def _places(text: str, settings: Settings, gowork: str) -> Iterator[Place]:
    folder = settings.cwd / text
    if _GLOB & set(text) and not _is_folder(folder):
        yield from _globbed(text, settings.cwd, gowork)
        return
    if not _is_folder(folder):
        raise InputError("folder-not-found", text=text, cwd=settings.cwd)
    definition = _definition_for(folder, gowork)
    if definition:
        yield Place(definition, folder)
        return
    case = "empty" if text == "." and _is_empty(folder) else ""
    try:
        tracked = _tracked_below(folder, settings.git) if text == "." else []
    except NotTrustedError:
        tracked = []
        case = f"{case or 'any'}-not-trusted"
    below = [path for path in tracked if _definition_for(path.parent, gowork)]
    if not below:
        raise InputError("go-mod-not-found", case, folder=folder.resolve())
    for path in below:
        yield Place(_definition_for(path.parent, gowork) or path, path.parent)


def _globbed(pattern: str, cwd: Path, gowork: str) -> Iterator[Place]:
    absolute = Path(pattern).is_absolute()
    base = Path(Path(pattern).anchor) if absolute else cwd
    relative = str(Path(pattern).relative_to(Path(pattern).anchor)) if absolute else pattern
    try:
        folders = sorted(path for path in base.glob(relative) if _is_folder(path))
    except ValueError:  # `**` as a part of a name, before Python 3.13
        folders = []
    definitions = [_beside(folder) for folder in folders]
    if not any(definitions):
        raise InputError("go-mod-not-found", "pattern", pattern=pattern, base=base)
    for definition in definitions:
        if definition:
            yield Place(_definition_for(definition.parent, gowork) or definition, definition.parent)


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False  # not readable


def _beside(folder: Path) -> Path | None:
    """Return the go.work or go.mod in this folder."""
    return next((folder / name for name in ("go.work", "go.mod") if _is_file(folder / name)), None)


def _definition_for(folder: Path, gowork: str) -> Path | None:
    """Return what Go uses when it runs in `folder`: GOWORK, else the nearest go.work, else the nearest go.mod."""
    above = [folder.resolve(), *folder.resolve().parents]
    if gowork not in ("", "auto", "off"):
        return Path(gowork)
    for name in ("go.work", "go.mod") if gowork != "off" else ("go.mod",):
        for parent in above:
            if _is_file(parent / name):
                return parent / name
    return None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # not readable, or longer than a name can be


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _tracked_below(folder: Path, git: GitCommand) -> list[Path]:
    """Return go.mod and go.work files below `folder` that git tracks, shallow ones first. Raises NotTrustedError."""
    names = git.tracked(folder, "**/go.mod", "**/go.work")
    ours = [name for name in names if not any(part in _NOT_OURS or part[0] in "._" for part in name.parts[:-1])]
    return [folder / name for name in sorted(ours, key=lambda name: (len(name.parts), name))]


def read_instead(place: Place, goflags: str) -> Path:
    """Return what Go reads as its go.mod or go.work: with `-modfile=FILE` in GOFLAGS it is FILE, and its .sum.

    FILE is relative to the folder where Go runs, which this run uses too. There must be a go.mod, which is not read.
    Raises InputError if Go would refuse.
    """
    definition = place.definition
    modfile = value(goflags, "modfile")
    if not modfile:
        return definition
    path = place.folder / modfile
    if definition.name != "go.mod":
        raise _modfile_refused("workspace", modfile, definition)
    if path.suffix != ".mod":
        raise _modfile_refused("name", modfile, path)
    if not path.is_file():
        raise _modfile_refused("missing", modfile, path)
    return path


def _modfile_refused(case: str, modfile: str, path: Path) -> InputError:
    return InputError("modfile-invalid", case, modfile=modfile, path=path)
