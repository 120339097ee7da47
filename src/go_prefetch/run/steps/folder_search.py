"""Search folders for modules: by a pattern, or everywhere below a folder.

A search that goes into depth leaves out what holds no modules of the project: folders that Go ignores, module caches,
and links. A `*` matches any other name in its place, as it says how deep to look.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from go_prefetch.base.suggestions import closest
from go_prefetch.errors import InputError

_GLOB = frozenset("*?[")
_ANY_DEPTH = "**"
_IGNORED = frozenset({"testdata", "vendor", "node_modules"})
_MOST_NAMES = 1_000  # compared with a mistyped one
_MOST_FOLDERS = 100_000  # a search of more takes seconds, and is most likely a mistake


def is_pattern(text: str) -> bool:
    """Return whether the text has a wildcard."""
    return bool(_GLOB & set(text))


def is_ignored(name: str) -> bool:
    """Return whether Go searches no folder of this name for packages of the main module."""
    return name in _IGNORED or name[:1] in ("_", ".")


def is_folder(path: Path) -> bool:
    """Return whether this is a folder that can be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False  # not readable, or longer than a name can be


def is_file(path: Path) -> bool:
    """Return whether this is a file that can be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False


def closest_folder(text: str, cwd: Path) -> str:
    """Return the folder that a mistyped one was meant to be; empty if there is none."""
    path = Path(text)
    if path.name in ("go.mod", "go.work") and is_file(cwd / path):
        return str(path.parent)
    start = Path(path.anchor) if path.is_absolute() else cwd
    meant = Path(path.anchor)
    for part in path.parts[1:] if path.is_absolute() else path.parts:
        name = part if is_folder(start / meant / part) else _closest(part, start / meant)
        if not name:
            return ""
        meant /= name
    return str(meant)


def _closest(name: str, folder: Path) -> str:
    names = sorted(_names_in(folder))[:_MOST_NAMES]
    return closest(name, (one for one in names if is_folder(folder / one)))


def matches(folder: Path, pattern: str, cwd: Path) -> bool:
    """Return whether the pattern matches this folder or one above it. Nothing is looked up."""
    spellings = ((folder, cwd), (folder.resolve(), cwd.resolve()))
    return any(_covers(_parts(base / pattern), _parts(path)) for path, base in spellings)


class FolderSearch:
    """Searches that leave out module caches: the one that Go uses, and any other folder that looks like one."""

    def __init__(self, module_cache: Path) -> None:
        self._module_cache = os.path.realpath(module_cache)

    def matching(self, pattern: str, cwd: Path) -> list[Path]:
        """Return the folders that match, sorted. `**` matches any depth, without folders that are left out.

        A folder that the pattern names is not left out. Raises InputError for a search that is too large.
        """
        path = Path(pattern)
        parts = path.parts[1:] if path.is_absolute() else path.parts
        start = Path(path.anchor) if path.is_absolute() else cwd
        found = {start}
        for part in parts:
            if part == _ANY_DEPTH:
                entered = (f for f in found if f == start or not is_ignored(f.name) or _names(parts, f.name))
                found = {below for folder in entered for below, _ in self.below(folder)}
            else:
                found = {below for folder in found for below in self._step(folder, part)}
        return sorted(found)

    def below(self, folder: Path) -> Iterator[tuple[Path, frozenset[str]]]:
        """Yield this folder and those below it that are not left out, each with the names of its files.

        Raises InputError for a search that is too large.
        """
        for count, (root, folders, files) in enumerate(os.walk(folder.resolve())):
            if count == _MOST_FOLDERS:
                raise InputError("go-mod-not-found", "too-large", folder=folder, most=_MOST_FOLDERS)
            paths = ((name, os.path.join(root, name)) for name in folders if not is_ignored(name))  # noqa: PTH118
            folders[:] = [name for name, path in paths if not self._is_cache(path)]
            yield Path(root), frozenset(files)

    def _step(self, folder: Path, part: str) -> Iterable[Path]:
        """Return where one part of a pattern leads from a folder."""
        if not is_pattern(part):
            return filter(is_folder, [folder / part])
        below = (folder / name for name in _names_in(folder) if fnmatch(name, part))
        return (path for path in below if is_folder(path) and not self._is_cache(str(path.resolve())))

    def _is_cache(self, path: str) -> bool:
        return path == self._module_cache or os.path.isdir(f"{path}/cache/download")  # noqa: PTH112 - many folders


def _parts(path: Path) -> Sequence[str]:
    return Path(os.path.normpath(path)).parts


def _names(parts: Iterable[str], name: str) -> bool:
    """Return whether a part of the pattern names this folder, which would be left out otherwise."""
    return any(fnmatch(name, part) and not part.startswith(("*", "?", "[")) for part in parts)


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names, not paths
    except OSError:
        return []  # not readable


def _covers(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Return whether a pattern matches all of these parts or the first of them; one pass, without going back."""
    places = _reached({0}, pattern)
    for part in parts:
        if len(pattern) in places:
            return True
        stay = {place for place in places if pattern[place] == _ANY_DEPTH}
        step = {place + 1 for place in places if part == pattern[place] or fnmatch(part, pattern[place])}
        places = _reached(stay | step, pattern)
    return len(pattern) in places


def _reached(places: set[int], pattern: Sequence[str]) -> set[int]:
    """Return these places of the pattern, and those after a `**`, which may match nothing."""
    reached: set[int] = set()
    for place in places:
        end = place
        while end < len(pattern) and pattern[end] == _ANY_DEPTH:
            end += 1
        reached.update(range(place, end + 1))
    return reached
