"""What a Dockerfile depends on, read from the files of a project: modules, main packages, cgo."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.base.trees import walk
from go_prefetch.golang.gomod import GoMod, GoWork, parse_gomod, parse_gowork
from go_prefetch.model.plan import Scope

_PACKAGE_MAIN = re.compile(rb"^package[ \t]+main\b", re.MULTILINE)
_LEFT_OUT = re.compile(rb"^//(?:go:build|[ \t]*\+build)[ \t]+ignore\b", re.MULTILINE)
_CGO = re.compile(rb'^[ \t]*import[ \t]+"C"', re.MULTILINE)
_OLDEST = (1, 21)  # of the images that still exist with this Debian
_IMPORT_PATH = re.compile(r"[A-Za-z0-9._~+/-]+")  # what Go accepts as the name of a package
_MOST_BYTES = 1 << 20  # bytes of a Go file: package clause and imports are at its beginning


@dataclass(frozen=True)
class LocalModule:
    """A module of the context: its folder relative to the context, with slashes, and which module files it has."""

    folder: str
    path: str
    has_sum: bool
    programs: tuple[str, ...]  # folders with a main package, relative to the context


@dataclass(frozen=True)
class Project:
    """One main module or workspace, and what its image needs."""

    context: Path  # contains every local module
    folder: str  # where Go runs, relative to the context
    modules: tuple[LocalModule, ...]  # the main module first; otherwise those of go.work
    workspace: bool
    has_work_sum: bool
    go: tuple[int, int]
    vendored: bool
    listed: bool  # `go mod download` needs a list of modules
    needs_modules: bool
    cgo: bool

    @property
    def name(self) -> str:
        """Return the display name: that of the main module."""
        return self.modules[0].path

    @property
    def programs(self) -> tuple[str, ...]:
        """Return the folders with a main package, relative to where Go runs: `./cmd/server`."""
        main = [program for module in self.modules if self._is_built(module) for program in module.programs]
        named = [_dotted(os.path.relpath(program, self.folder)) for program in main]
        return tuple(sorted(named, key=lambda program: (program != ".", "cmd" not in program.split("/"))))

    @property
    def libraries(self) -> tuple[LocalModule, ...]:
        """Return the modules of a workspace without a program, if others have one."""
        without = tuple(module for module in self.modules if not module.programs)
        return without if self.workspace and len(without) < len(self.modules) else ()

    def _is_built(self, module: LocalModule) -> bool:
        return self.workspace or module is self.modules[0]


def read_project(definition: Path, scope: Scope | None) -> Project:
    """Read the project of a go.mod or go.work. `scope` comes from the plan, or is None if it needs no modules.

    Raises GoSumError for files that Go would refuse, OSError for files that cannot be read.
    """
    workspace = definition.name == "go.work"
    work = parse_gowork(_text(definition), str(definition)) if workspace else None
    folders = _workspace_folders(definition.parent, work) if work else _module_folders(definition.parent)
    context = Path(os.path.commonpath([definition.parent, *folders]))
    files = {folder: parse_gomod(_text(folder / "go.mod"), str(folder / "go.mod")) for folder in folders}
    modules = tuple(_module(context, folder, gomod) for folder, gomod in files.items())
    return Project(
        context=context,
        folder=_relative(definition.parent, context),
        modules=modules,
        workspace=workspace,
        has_work_sum=workspace and definition.with_name("go.work.sum").is_file(),
        go=max(_OLDEST, *map(_version, _go_lines(work, files.values()))),
        vendored=(definition.parent / "vendor" / "modules.txt").is_file() and scope is None,
        listed=bool(scope and scope.explicit),
        needs_modules=scope is not None,
        cgo=any(_CGO.search(data) for folder in folders for _, data in _sources(folder)),
    )


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
    programs = {path.parent for path, data in _sources(folder) if _PACKAGE_MAIN.search(data)}
    return LocalModule(
        folder=_relative(folder, context),
        path=gomod.module,
        has_sum=(folder / "go.sum").is_file(),
        programs=tuple(sorted(filter(_IMPORT_PATH.fullmatch, (_relative(program, context) for program in programs)))),
    )


def _sources(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the Go files of a module that a build may read: no tests, no ignored files, no nested modules."""
    for here, entries in walk(folder, enter=_is_searched):
        for name in sorted(entry.name for entry in entries if not entry.is_dir()):
            if name.endswith(".go") and not name.endswith("_test.go") and name[0] not in "._":
                data = _beginning(here / name)
                if not _LEFT_OUT.search(data):
                    yield here / name, data


def _beginning(path: Path) -> bytes:
    """Return the beginning of a file, following a link. Return nothing for a pipe or device, which may not end."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _is_searched(folder: Path) -> bool:
    ours = folder.name[0] not in "._" and folder.name not in ("vendor", "testdata", "node_modules")
    return ours and not (folder / "go.mod").is_file()


def _version(text: str) -> tuple[int, int]:
    match = re.match(r"(?:go)?(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _dotted(path: str) -> str:
    path = Path(path).as_posix()
    return path if path.startswith(".") else f"./{path}"
