"""The plan: which module files the module cache must hold, and which of them it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from go_prefetch.errors import Notice, notice
from go_prefetch.golang.gomod import GoMod, Replace
from go_prefetch.golang.gosum import GoSumLine, Kind
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.toolchain import GoLines
from go_prefetch.model.cache_key import CacheKey

# One hash for each version, or several where go.sum was merged badly.
Hashes = Mapping[ModuleVersion, frozenset[str]]


def unambiguous(hashes: Hashes) -> dict[ModuleVersion, str]:
    """Return the hash of each version that has only one. Go decides which of two counts."""
    return {version: next(iter(found)) for version, found in hashes.items() if len(found) == 1}


@dataclass(frozen=True)
class Workspace:
    """What go.work, go.mod and their sums say about a workspace. The graph below needs go.mod files of dependencies."""

    members: tuple[GoMod, ...]
    replaces: Mapping[tuple[str, str], Replace]  # by path and version; a folder is absolute
    work_replaces: Mapping[tuple[str, str], Replace]  # those of go.work, which have precedence

    def replaced(self, module: ModuleVersion) -> ModuleVersion:
        """Return what Go reads instead of `module`; a folder has an empty version. Main modules are not replaced."""
        for replaces in (self.work_replaces, self.replaces):
            # An exact version has precedence over a whole path.
            fitting = replaces.get(module) or replaces.get((module.path, ""))
            if fitting and module.version:
                return ModuleVersion(fitting.new_path, fitting.new_version)
        return module


@dataclass(frozen=True)
class Disagreement:
    """A module that go.mod files require in several versions, or in a lower one than Go selects."""

    path: str
    asked: tuple[tuple[str, str], ...]  # who requires it, in which version
    taken: str  # empty if each scope takes its own


@dataclass(frozen=True)
class Scope:
    """One main module or workspace, and the modules that Go needs for it.

    In a workspace they depend on the module graph. Until its go.mod files are at hand, `undecided` has some of them.
    """

    folder: Path  # where Go runs: the folder of the definition, or one below
    definition: Path  # its go.mod, the file that -modfile names instead, or its go.work
    module_paths: tuple[str, ...]
    zips: tuple[ModuleVersion, ...]
    required_zips: frozenset[ModuleVersion]  # zips that a build certainly needs: a go.mod requires exactly these
    mods: tuple[ModuleVersion, ...]
    explicit: bool  # `go mod download` gets the list: without one it would take `all` and write go.work.sum
    gosum_lines: tuple[GoSumLine, ...]
    key_lines: tuple[GoSumLine, ...]  # they depend on the files of the project alone, unlike `zips`
    sums: tuple[Path, ...]  # the files the plan was read from, which a run must not change
    zips_without_sum: frozenset[ModuleVersion] = frozenset()  # Go needs these zips, and go.sum has no hash of them
    workspace: Workspace | None = None
    every_zip: bool = False  # the zips are all that go.sum has a hash of, whatever Go selects
    undecided: frozenset[ModuleVersion] = frozenset()  # their `.mod` is planned and decides which zips Go selects
    candidates: tuple[ModuleVersion, ...] = ()  # zips that Go may select then
    mods_without_sum: frozenset[ModuleVersion] = frozenset()  # Go needs these `.mod`, and go.sum has no hash of them
    disagreements: tuple[Disagreement, ...] = ()
    disabled_because: Notice | None = None
    warnings: tuple[Notice, ...] = ()
    go_lines: GoLines = field(default_factory=GoLines)  # they select a toolchain; `-modfile` does not count for it
    is_for_toolchain: bool = False  # Go needs no module here, only a toolchain
    unsure: tuple[Path, ...] = ()  # its go.mod and go.work files with a directive of a later Go, or a misspelt one

    def without_modules(self) -> Scope:
        """Return a scope that needs no modules, such as a vendored one, for its toolchain alone."""
        return Scope(
            self.folder, self.definition, self.module_paths, zips=(), required_zips=frozenset(), mods=(),
            explicit=False, gosum_lines=(), key_lines=(), sums=self.sums, go_lines=self.go_lines, is_for_toolchain=True,
        )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The files the module cache must hold, and which of them it holds."""

    scopes: tuple[Scope, ...]
    key: CacheKey
    folder: ModuleFolder  # the module cache's download folder, or the folder that `fill` fills
    files: tuple[ModuleFile, ...]
    present: frozenset[ModuleFile]
    private: frozenset[ModuleVersion]  # left to Go, and not saved by default
    unsaved: Mapping[ModuleVersion, str]  # private ones, each with the variable of Go that says so
    disabled_because: Notice | None = None
    warnings: tuple[Notice, ...] = ()
    seconds: float = 0.0
    unpacked: frozenset[ModuleVersion] = frozenset()  # complete: the three files, Go's hash of the zip, a tree
    without_sum: frozenset[ModuleVersion] = frozenset()  # Go needs them, go.sum has no hash, and they are not there
    candidates: tuple[ModuleFile, ...] = ()  # files that may be planned once more `.mod` files are there
    toolchains: tuple[ModuleVersion, ...] = ()  # Go switches to them; only their zips are planned
    places: tuple[Path, ...] = ()  # the folder of each scope, also of those that need no modules

    @cached_property
    def gaps(self) -> tuple[Notice, ...]:
        """Return why a build in a workspace may need more than these files."""
        return tuple(gap for scope in self.scopes if scope.workspace for gap in _gaps(scope))

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Return modules in several versions: within a workspace, and across scopes, each of which takes its own."""
        asked: dict[str, dict[str, str]] = {}
        for scope in self.scopes:
            definition = str(scope.definition)
            for path, version in scope.zips:
                asked.setdefault(path, {})[definition] = version
        return (
            *(one for scope in self.scopes for one in scope.disagreements),
            *(
                Disagreement(path, tuple(by.items()), "")
                for path, by in sorted(asked.items())
                if len({*by.values()}) > 1
            ),
        )

    @property
    def is_complete(self) -> bool:
        """Return whether these are all files that a build needs."""
        return not (self.without_sum or self.gaps)

    @cached_property
    def missing(self) -> tuple[ModuleFile, ...]:
        """Return planned files that the module cache lacks."""
        return tuple(file for file in self.files if file not in self.present)

    @property
    def missing_of_modules(self) -> tuple[ModuleFile, ...]:
        """Return missing files without those of toolchains, which a store keeps apart."""
        return tuple(file for file in self.missing if file.module not in self.toolchains)

    @property
    def missing_toolchains(self) -> tuple[ModuleFile, ...]:
        """Return the zips of toolchains that the module cache lacks."""
        return tuple(file for file in self.missing if file.module in self.toolchains)

    @cached_property
    def zip_hashes(self) -> Hashes:
        """Return the hashes that go.sum has of each planned zip."""
        return self._hashes("zip")

    @cached_property
    def mod_hashes(self) -> Hashes:
        """Return the hashes that go.sum has of each planned `.mod`."""
        return self._hashes("mod")

    @cached_property
    def hashes(self) -> Mapping[ModuleFile, str]:
        """Return the hash of each zip and `.mod` of which go.sum has only one."""
        zips, mods = unambiguous(self.zip_hashes), unambiguous(self.mod_hashes)
        return {
            **{ModuleFile(version, "zip"): digest for version, digest in zips.items()},
            **{ModuleFile(version, "mod"): digest for version, digest in mods.items()},
        }

    def _hashes(self, kind: Kind) -> Hashes:
        hashes: dict[ModuleVersion, frozenset[str]] = {}
        for line in (line for scope in self.scopes for line in scope.gosum_lines):
            if line.kind == kind:
                hashes[line.module] = hashes.get(line.module, frozenset()) | {line.digest}
        return hashes

    @cached_property
    def modules(self) -> tuple[ModuleVersion, ...]:
        """Return module versions whose zip is planned."""
        return tuple(file.module for file in self.files if file.kind == "zip")

    @cached_property
    def packed(self) -> frozenset[ModuleVersion]:
        """Return modules whose zip was there, but which Go has still to unpack, or to unpack again."""
        zips = (file.module for file in self.files if file.kind == "zip" and file in self.present)
        return frozenset(version for version in zips if version not in self.unpacked)

    @property
    def modules_present(self) -> frozenset[ModuleVersion]:
        """Return those of which zip, .mod and .info were already there."""
        return frozenset(self.modules) - {file.module for file in self.missing}


def _gaps(scope: Scope) -> Iterator[Notice]:
    found = {"graph": scope.undecided}  # the others are not known before
    if not scope.undecided and scope.gosum_lines:  # another warning says that there are none
        found = {"mods": scope.mods_without_sum, "zips": scope.zips_without_sum}
    for case, modules in found.items():
        if modules:
            listed = tuple(sorted(modules))
            yield notice("plan-incomplete", case, definition=scope.definition, count=len(listed), modules=listed)


# The plan of a run that ended before there was one.
NO_PLAN = Plan((), CacheKey("", "", 0), ModuleFolder.at(Path()), (), frozenset(), frozenset(), {})
