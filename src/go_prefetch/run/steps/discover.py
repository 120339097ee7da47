"""Find the main modules and workspaces in scope: their go.mod or go.work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.config.settings import Settings
from go_prefetch.errors import InputError
from go_prefetch.golang.goflags import value
from go_prefetch.run.steps.folder_search import (
    FolderSearch,
    closest_folder,
    is_file,
    is_folder,
    is_ignored,
    is_pattern,
    matches,
)
from go_prefetch.run.steps.project_files import regular_bytes

_NAMES = frozenset({"go.mod", "go.work"})
_SUBMODULE = re.compile(r"^[ \t]*path[ \t]*=[ \t]*(\S.*?)[ \t\r]*$", re.MULTILINE)
_MOST_GITMODULES = 1 << 20  # bytes


@dataclass(frozen=True)
class Place:
    """A go.mod or go.work, and the folder where Go runs (its own or one below): paths in GOFLAGS are relative to it."""

    definition: Path
    folder: Path
    named: tuple[Path, ...] = ()  # folders that lines name; empty if only a search found the file


def discover(settings: Settings, gowork: str, module_cache: Path) -> tuple[Place, ...]:
    """Return the go.mod and go.work files of the working directories, each once, in the given order.

    `gowork` is GOWORK as it is set: `off`, a path, or empty. No search enters `module_cache`.

    Raises InputError for a folder that does not exist or has no go.mod in or above it.
    """
    lines, cwd = settings.working_directory, settings.cwd
    excluded = tuple(filter(None, (line[1:].strip() for line in lines if line.startswith("!"))))
    wanted = [line for line in lines if not line.startswith("!")] or ["."]
    scope = _Scope(cwd, gowork, FolderSearch(module_cache), settings.git)
    places = [place for text in wanted for place in scope.places(text)]
    kept = [place for place in places if not any(matches(place.folder, pattern, cwd) for pattern in excluded)]
    if not kept:
        raise InputError("go-mod-not-found", "excluded", count=len(places), patterns=excluded)
    found: dict[Path, Place] = {}
    for place in kept:
        # A go.mod that is a link counts in its own folder, as for Go.
        definition = place.definition.parent.resolve() / place.definition.name
        first = found.get(definition, Place(definition, place.folder.resolve()))
        found[definition] = Place(definition, first.folder, (*first.named, *place.named))
    return tuple(found.values())


@dataclass(frozen=True)
class _Scope:
    """Where lines of the input lead."""

    cwd: Path
    gowork: str
    search: FolderSearch
    git: GitCommand

    def places(self, text: str) -> Iterator[Place]:
        """Yield what one line means."""
        folder = self.cwd / text
        if is_pattern(text) and not is_folder(folder):
            yield from self._matching(text)
        elif not is_folder(folder):
            meant = closest_folder(text, self.cwd)
            raise InputError("folder-not-found", "did-you-mean" if meant else "", text=text, cwd=self.cwd, meant=meant)
        elif definition := _definition_for(folder, self.gowork):
            yield Place(definition, folder, (folder.resolve(),))
        else:
            yield from self._below(folder)

    def _matching(self, pattern: str) -> Iterator[Place]:
        folders = self.search.matching(pattern, self.cwd)
        found = [folder for folder in folders if any(is_file(folder / name) for name in _NAMES)]
        if not found:
            raise InputError("go-mod-not-found", "pattern", pattern=pattern, base=self.cwd)
        yield from self._used_in(found)

    def _below(self, folder: Path) -> Iterator[Place]:
        """Yield what is below the folder of the job. Raises InputError for another folder, and if there is nothing."""
        is_own = folder.resolve() == self.cwd.resolve()
        case = "empty" if is_own and _is_empty(folder) else ""
        try:
            below = self._folders_below(folder) if is_own else []
        except NotTrustedError:
            below, case = [], f"{case or 'any'}-not-trusted"
        found = list(self._used_in(below))
        if not found:
            submodules = _submodules(folder) if is_own and not case else ()
            case = "submodules" if submodules else case
            raise InputError("go-mod-not-found", case, folder=folder.resolve(), submodules=submodules)
        yield from found

    def _folders_below(self, folder: Path) -> list[Path]:
        """Return the folders with a go.mod or go.work that git tracks, shallow ones first. Raises NotTrustedError.

        Without git, and outside a clone, it is all of them. There too, modules of submodules do not count.
        """
        tracked = self.git.tracked(folder, *(f"**/{name}" for name in _NAMES))
        if tracked is None:
            found = {path.relative_to(folder.resolve()) for path in self._walked(folder)}
        else:
            found = {name.parent for name in tracked if not any(map(is_ignored, name.parent.parts))}
        return [folder / name for name in sorted(found, key=lambda name: (len(name.parts), name))]

    def _walked(self, folder: Path) -> Iterator[Path]:
        submodules: set[Path] = set()
        for path, files in self.search.below(folder):
            if path.parent in submodules or (".git" in files and path != folder.resolve()):
                submodules.add(path)
            elif not files.isdisjoint(_NAMES):
                yield path

    def _used_in(self, folders: Iterable[Path]) -> Iterator[Place]:
        """Yield what Go uses in folders that a search found."""
        for folder in folders:
            if definition := _definition_for(folder, self.gowork):
                yield Place(definition, folder)


def _submodules(folder: Path) -> tuple[str, ...]:
    """Return the folders of a clone's submodules, also of those that are not checked out."""
    try:
        text = regular_bytes(folder / ".gitmodules", _MOST_GITMODULES).decode(errors="surrogateescape")
    except OSError:
        return ()
    return tuple(_SUBMODULE.findall(text))


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False  # not readable


def _definition_for(folder: Path, gowork: str) -> Path | None:
    """Return what Go uses when it runs in `folder`: GOWORK, else the nearest go.work, else the nearest go.mod."""
    above = [folder.resolve(), *folder.resolve().parents]
    if gowork not in ("", "auto", "off"):
        return Path(gowork)
    for name in ("go.work", "go.mod") if gowork != "off" else ("go.mod",):
        for parent in above:
            if is_file(parent / name):
                return parent / name
    return None


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
