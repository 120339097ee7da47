"""The module graph of a workspace, and the versions that Go selects from it (minimal version selection).

Follows `readModGraph` of cmd/go/internal/modload/buildlist.go, which is the same from Go 1.21 to 1.27, with graph
pruning (https://go.dev/ref/mod#graph-pruning). `go list -m all` prints the same selection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from go_prefetch.golang import semver
from go_prefetch.golang.module import ModuleVersion


class Requirements(NamedTuple):
    """What the graph needs of one go.mod. With `go` 1.16 or older it does not list what its dependencies need."""

    requires: tuple[ModuleVersion, ...]
    is_pruned: bool


# Returns the requirements of a module after `replace`, without excluded versions; None if its go.mod is not at hand.
ReadRequirements = Callable[[ModuleVersion], Requirements | None]


_NOTHING = Requirements((), is_pruned=True)


class _Pruning(Enum):
    """How far below a module the graph is read."""

    PRUNED = "pruned"
    UNPRUNED = "unpruned"
    WORKSPACE = "workspace"


@dataclass(frozen=True)
class ModuleGraph:
    """A module graph as far as its go.mod files are at hand. A main module has an empty version."""

    mains: tuple[ModuleVersion, ...]
    requirements: Mapping[ModuleVersion, Requirements]
    unread: frozenset[ModuleVersion]  # the graph continues there, but their go.mod is not at hand

    @cached_property
    def selected(self) -> Mapping[str, ModuleVersion]:
        """Return the selected version of each module path: the highest that any go.mod requires."""
        found = {main.path: main for main in self.mains}
        for requirements in self.requirements.values():
            for required in requirements.requires:
                if is_higher(required, found.get(required.path)):
                    found[required.path] = required
        return found

    @cached_property
    def needed(self) -> frozenset[ModuleVersion]:
        """Return the selected versions whose zips a build or test of the main modules may read.

        To find a package, Go looks into every selected module whose path is the beginning of the package's path:
        `example.com/lib` too if the package is in `example.com/lib/v2`.
        """
        paths = self.providers
        above = set().union(*map(_beginnings, paths))
        return frozenset(
            module
            for path, module in self.selected.items()
            if path in paths or path in above or not paths.isdisjoint(_beginnings(path))
        )

    @cached_property
    def providers(self) -> frozenset[str]:
        """Return the paths of modules that may provide packages for a build or test of the main modules.

        A tidy go.mod lists every module that its packages import from, also indirectly. That holds for a dependency
        too, as long as Go selects the versions that it lists. So the list of a dependency counts only if a higher
        version of it was selected than a go.mod asked for, or if the go.mod that asks is unpruned.
        """
        found: set[str] = set()
        waiting, visited = list(self.mains), set(self.mains)
        while waiting:
            requirements = self.requirements.get(waiting.pop(), _NOTHING)
            for required in requirements.requires:
                found.add(required.path)
                taken = self.selected[required.path]
                if taken not in visited and (taken != required or not requirements.is_pruned):
                    visited.add(taken)
                    waiting.append(taken)
        return frozenset(found)


def read_graph(mains: Iterable[ModuleVersion], read: ReadRequirements) -> ModuleGraph:
    """Return the graph below the main modules, which `read` is asked for with an empty version."""
    return _Reader(tuple(mains), read).graph()


class _Reader:
    def __init__(self, mains: tuple[ModuleVersion, ...], read: ReadRequirements) -> None:
        self._mains = mains
        self._read = read
        self._selected = {main.path: main for main in mains}
        self._requirements: dict[ModuleVersion, Requirements | None] = {}
        self._seen: set[tuple[ModuleVersion, _Pruning]] = set()

    def graph(self) -> ModuleGraph:
        self._load(self._mains)
        self._load_raised()
        known = {module: found for module, found in self._requirements.items() if found is not None}
        return ModuleGraph(self._mains, known, frozenset(self._requirements.keys() - known.keys()))

    def _load_raised(self) -> None:
        """Read on below versions that were raised: the list of the lower version does not say what they import."""
        with_dependencies = set(self._mains)
        loaded = set(self._mains)
        while True:
            wanted = set()
            for module in [self._selected[module.path] for module in with_dependencies]:
                if module not in loaded:
                    wanted.add(module)
                    continue
                for required in self._required_by(module):
                    taken = self._selected[required.path]
                    if is_higher(taken, required) and taken not in loaded:
                        wanted.add(taken)
            if not wanted:
                return
            self._load(wanted)
            loaded |= wanted
            with_dependencies |= wanted

    def _load(self, modules: Iterable[ModuleVersion]) -> None:
        waiting = [(module, _Pruning.WORKSPACE) for module in modules]
        while waiting:
            module, pruning = waiting.pop()
            if (module, pruning) in self._seen:
                continue
            self._seen.add((module, pruning))
            requirements = self._requirements_of(module)
            if requirements is None or (pruning is _Pruning.PRUNED and requirements.is_pruned):
                continue
            below = pruning if pruning is _Pruning.UNPRUNED else _Pruning.PRUNED
            if not requirements.is_pruned:
                below = _Pruning.UNPRUNED
            waiting.extend((required, below) for required in requirements.requires)

    def _requirements_of(self, module: ModuleVersion) -> Requirements | None:
        if module not in self._requirements:
            found = self._requirements[module] = self._read(module)
            for required in found.requires if found else ():
                if is_higher(required, self._selected.get(required.path)):
                    self._selected[required.path] = required
        return self._requirements[module]

    def _required_by(self, module: ModuleVersion) -> tuple[ModuleVersion, ...]:
        requirements = self._requirements.get(module)
        return requirements.requires if requirements else ()


def _beginnings(path: str) -> set[str]:
    return {path[:at] for at, letter in enumerate(path) if letter == "/"}


def is_higher(module: ModuleVersion, than: ModuleVersion | None) -> bool:
    """Return whether one version of a path precedes another. A main module precedes all."""
    if than is None or not than.version or not module.version:
        return than is None or bool(than.version and not module.version)
    return semver.sort_key(module.version) > semver.sort_key(than.version)
