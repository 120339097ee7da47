"""What a Dockerfile depends on, read from the files of a project: modules, main packages, cgo, embedded files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from go_prefetch.docker.cgo import Packages
from go_prefetch.docker.dockerignore import Ignore
from go_prefetch.docker.go_files import Embed, embeds_of, go_files
from go_prefetch.golang.gomod import GoMod, GoWork, go_lines, parse_gomod, parse_gowork
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Scope

_OLDEST = (1, 21, 0)  # of the images that still exist with this Debian
_IMPORT_PATH = re.compile(r"[A-Za-z0-9._~+/-]+")  # what Go accepts as the name of a package


class Program(NamedTuple):
    """A folder with a main package, relative to the context. An empty `main` is a placeholder more often than not."""

    folder: str
    is_empty: bool


@dataclass(frozen=True)
class LocalModule:
    """A module of the context: its folder relative to the context, with slashes, and which module files it has."""

    folder: str
    path: str
    has_sum: bool
    programs: tuple[Program, ...]
    embeds: tuple[Embed, ...]

    def rank(self, program: Program) -> tuple[bool, bool, bool, str]:
        """Return the order of programs: the one that is named like the module first, placeholders last."""
        named = re.sub(r"/v\d+$", "", self.path).rpartition("/")[2]
        is_root = program.folder == self.folder
        return (
            program.is_empty,
            not is_root and program.folder.rpartition("/")[2] != named,
            not is_root and "cmd" not in program.folder.split("/"),
            "" if is_root else program.folder,
        )


@dataclass(frozen=True)
class Project:
    """One main module or workspace, and what its image needs."""

    context: Path  # contains every local module
    folder: str  # where Go runs, relative to the context
    modules: tuple[LocalModule, ...]  # the main module first; otherwise those of go.work
    workspace: bool
    has_work_sum: bool
    go: str  # the version for the tag of the image
    scope: Scope | None  # None if no module is needed
    replaced: tuple[tuple[str, str], ...]  # import paths that another module stands for
    vendored: bool
    cgo: bool | None = False  # None if it is not known
    unreachable: tuple[str, ...] = ()  # folders that `replace` or `use` lines name, and that no image can have
    private: str = ""  # patterns of the private modules that the build needs

    @property
    def listed(self) -> bool:
        """Return whether `go mod download` needs a list of modules."""
        return bool(self.scope and self.scope.explicit)

    @property
    def needs_modules(self) -> bool:
        """Return whether the build downloads modules."""
        return self.scope is not None

    @property
    def name(self) -> str:
        """Return the display name: that of the main module."""
        return self.modules[0].path

    @property
    def programs(self) -> tuple[str, ...]:
        """Return the folders with a main package, relative to where Go runs: `./cmd/server`."""
        main = [(module.rank(each), each.folder) for module in self._built for each in module.programs]
        return tuple(_dotted(os.path.relpath(folder, self.folder)) for _, folder in sorted(main))

    @property
    def libraries(self) -> tuple[LocalModule, ...]:
        """Return the modules of a workspace without a program, if others have one."""
        without = tuple(module for module in self.modules if not module.programs)
        return without if self.workspace and len(without) < len(self.modules) else ()

    @property
    def _built(self) -> tuple[LocalModule, ...]:
        return self.modules if self.workspace else self.modules[:1]

    def module_files(self) -> Iterator[str]:
        """Yield the files that the build needs for its modules, relative to the context."""
        if self.workspace:
            yield from (_at(self.folder, name) for name in ("go.work", "go.work.sum")[: 1 + self.has_work_sum])
        for module in self.modules:
            yield from (_at(module.folder, name) for name in ("go.mod", "go.sum")[: 1 + module.has_sum])

    def needs_cgo(self, stores: Sequence[ModuleFolder]) -> bool | None:
        """Return whether a program needs cgo; None if modules that decide it are not in these folders."""
        modules = {version.path: version for version in sorted(self.scope.zips if self.scope else ())}
        modules |= {old: modules[new] for old, new in self.replaced if new in modules}
        folders = {module.path: self.context / module.folder for module in self.modules}
        vendor = self.context / self.folder / "vendor" if self.vendored else None
        roots = [_import_path(module, each.folder) for module in self._built for each in module.programs]
        return Packages(folders, modules, stores, vendor).need_cgo(roots or folders)

    def image_go(self, stores: Sequence[ModuleFolder]) -> str:
        """Return the tag of the image with the Go that the project and its modules ask for, as far as they are here."""
        files = (ModuleFile(version, "mod") for version in (self.scope.zips if self.scope else ()))
        paths = (next(filter(Path.is_file, (store.path_of(file) for store in stores)), None) for file in files)
        return _image_version([self.go, *(go_lines(_text(path)).go for path in paths if path)])

    def excluded_embeds(self, ignore: Ignore) -> Iterator[Embed]:
        """Yield what is embedded although the builder does not get it."""
        for each in (embed for module in self.modules for embed in module.embeds):
            begin, *wild = re.split(r"[*?\[]", each.path, maxsplit=1)
            if ignore.excludes(each.path) and not ignore.may_include_below(begin.rpartition("/")[0] if wild else begin):
                yield each

    def untracked_embeds(self, tracked: Sequence[Path]) -> Iterator[Embed]:
        """Yield what is embedded although none of these files, relative to the context, is meant by it."""
        names = [path.as_posix() for path in tracked]
        for each in (embed for module in self.modules for embed in module.embeds):
            if not any(fnmatch(name, each.path) or fnmatch(name, f"{each.path}/*") for name in names):
                yield each


def read_project(definition: Path, scope: Scope | None) -> Project:
    """Read the project of a go.mod or go.work. `scope` comes from the plan, or is None if it needs no modules.

    Raises GoSumError for files that Go would refuse, OSError for files that cannot be read.
    """
    workspace = definition.name == "go.work"
    work = parse_gowork(_text(definition), str(definition)) if workspace else None
    folders = _workspace_folders(definition.parent, work) if work else _module_folders(definition.parent)
    context = Path(os.path.commonpath([definition.parent, *folders]))
    files = {folder: parse_gomod(_text(folder / "go.mod"), str(folder / "go.mod")) for folder in folders}
    replaces = [each for file in (work, *files.values()) if file for each in file.replaces]
    return Project(
        context=context,
        folder=_relative(definition.parent, context),
        modules=tuple(_module(context, folder, gomod) for folder, gomod in files.items()),
        workspace=workspace,
        has_work_sum=workspace and definition.with_name("go.work.sum").is_file(),
        go=_image_version(_go_lines(work, files.values())),
        scope=scope,
        replaced=tuple((each.old_path, each.new_path) for each in replaces if each.new_version),
        vendored=(definition.parent / "vendor" / "modules.txt").is_file() and scope is None,
        unreachable=tuple(_unreachable(definition.parent, work, files)),
    )


def _unreachable(folder: Path, work: GoWork | None, files: Mapping[Path, GoMod]) -> Iterator[str]:
    """Yield absolute folders, and folders without a module, that Go needs."""
    required = {each.path for gomod in files.values() for each in gomod.requires}
    named = [(folder, work.replaces), *((at, gomod.replaces) for at, gomod in files.items())] if work else []
    named = named or [(folder, files[folder].replaces)]  # Go ignores the `replace` lines of other modules
    yield from (use for use in (work.uses if work else ()) if Path(use).is_absolute())
    for at, replaces in named:
        for each in replaces:
            is_needed = not each.new_version and each.old_path in required
            if is_needed and (Path(each.new_path).is_absolute() or not (at / each.new_path / "go.mod").is_file()):
                yield each.new_path


def _go_lines(work: GoWork | None, gomods: Iterable[GoMod]) -> Iterator[str]:
    if work:
        yield work.go
    for gomod in gomods:
        yield from (gomod.go, gomod.toolchain)


def _workspace_folders(folder: Path, work: GoWork) -> list[Path]:
    return [Path(os.path.normpath(folder / use)) for use in work.uses]


def _module_folders(folder: Path) -> list[Path]:
    """Return the module's folder and the local folders of its `replace` lines."""
    gomod = parse_gomod(_text(folder / "go.mod"), str(folder / "go.mod"))
    replaced = [Path(os.path.normpath(folder / each.new_path)) for each in gomod.replaces if not each.new_version]
    return list(dict.fromkeys([folder, *(each for each in replaced if (each / "go.mod").is_file())]))


def _module(context: Path, folder: Path, gomod: GoMod) -> LocalModule:
    mains: dict[str, bool] = {}
    embeds: list[Embed] = []
    for path, file in go_files(folder):
        here = _relative(path.parent, context)
        if file.has_main and _IMPORT_PATH.fullmatch(here):
            mains[here] = file.main_is_empty
        embeds += embeds_of(_relative(path, context), file)
    programs = tuple(Program(*pair) for pair in mains.items())
    return LocalModule(_relative(folder, context), gomod.module, (folder / "go.sum").is_file(), programs, tuple(embeds))


def _import_path(module: LocalModule, folder: str) -> str:
    below = os.path.relpath(folder, module.folder).replace(os.sep, "/")
    return module.path if below == "." else f"{module.path}/{below}"


def _image_version(texts: Iterable[str]) -> str:
    """Return the tag of the image with the newest of these versions: `1.26` has every patch, `1.26.9` has its own."""
    found = [re.match(r"(?:go)?([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9})|rc([0-9]{1,9}))?", text) for text in texts]
    parts = [((int(m[1]), int(m[2]), int(m[3] or 0)), m[4] or "") for m in found if m]
    (major, minor, patch), candidate = max([*parts, (_OLDEST, "")])
    return f"{major}.{minor}{f'.{patch}' if patch else ''}{f'rc{candidate}' if candidate else ''}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _dotted(path: str) -> str:
    path = Path(path).as_posix()
    return path if path.startswith(".") else f"./{path}"


def _at(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
