"""What rules look at: everything that leads to a stage, and what its instructions bring from the build context."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from go_prefetch.docker.context import Context
from go_prefetch.docker.stages import Dockerfile, Stage, assignments, commands, mounts
from go_prefetch.docker.syntax import Instruction

MODULE_FILES = ("go.mod", "go.sum", "go.work", "go.work.sum")
# Where Go keeps modules: below GOPATH, or where GOMODCACHE is named.
_MODULE_CACHE = re.compile(
    r"/pkg/mod\b|\$\{?(?:GOMODCACHE|GOPATH)\}?(?:/pkg)?$|^(?:/root|/home/[^/]+)?/go(?:/pkg)?$"
    r"|/(?:go-?)?mod(?:s|ules)?(?:-?cache)?$"
)
_BELOW = {"GOMODCACHE": "", "GOPATH": "/pkg/mod"}  # where modules are, below the value of a variable
_WHOLE = (".", "*")
_CODE = ("cmd", "internal", "pkg")  # folders of Go files in most projects, if the context does not have them


class Found(NamedTuple):
    """The name of a finding, the line, and what is there."""

    slug: str
    line: int
    what: str


@dataclass(frozen=True)
class History:
    """One stage, and every instruction that leads to its end."""

    dockerfile: Dockerfile
    context: Context
    stage: Stage
    instructions: tuple[Instruction, ...]
    every: Sequence[History] = ()  # those of all stages, this one too

    @cached_property
    def download(self) -> int | None:
        """Return the index of the first RUN that downloads modules."""
        runs = enumerate(self.instructions)
        return next((at for at, each in runs if any(command.downloads for command in commands(each))), None)

    @cached_property
    def root(self) -> Stage:
        """Return the first stage of the chain, which names the base image."""
        return list(self.stage.chain)[-1]

    @cached_property
    def image(self) -> tuple[str, str]:
        """Return the name of the base image without its registry, and its tag; no name if it is not known."""
        name, _, tag = self.root.base.partition("@")[0].rpartition("/")[2].partition(":")
        return ("", "") if "$" in name else (name, tag)

    @cached_property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """Return the names and values of every ENV, ARG, and assignment of a RUN."""
        named = (pair for each in self.instructions if each.name in ("ENV", "ARG") for pair in assignments(each))
        return (*named, *(pair for each in self.instructions for run in commands(each) for pair in run.assigned))

    @cached_property
    def _module_folders(self) -> tuple[str, ...]:
        """Return where the module cache is; nothing if it is not known."""
        values = [(value.partition(":")[0], _BELOW[name]) for name, value in self.settings if name in _BELOW]
        if not values and self.image[0] == "golang":
            values = [("/go", "/pkg/mod")]
        written = any(command.go[:2] == ("env", "-w") for each in self.instructions for command in commands(each))
        is_known = not written and all(value.startswith("/") and "$" not in value for value, _ in values)
        return tuple(posixpath.normpath(value + below) for value, below in values) if is_known else ()

    def module_caches(self, instruction: Instruction) -> frozenset[str]:
        """Return the ids of a RUN's cache mounts for modules. The id of a mount defaults to its path."""
        return frozenset(
            mount.get("id", _target(mount)) for mount in _cache_mounts(instruction)
            if self._covers(_target(mount)) or (_MODULE_CACHE.search(_target(mount)) and (
                not self._module_folders or "$" in _target(mount)))
        )  # fmt: skip

    def may_have_modules(self, instruction: Instruction) -> bool:
        """Return whether a RUN has a cache mount that may be for modules: a script can put them there."""
        targets = map(_target, _cache_mounts(instruction))
        return any(_MODULE_CACHE.search(target) or self._covers(target) for target in targets)

    def _covers(self, target: str) -> bool:
        """Return whether a mount there has the module cache in it, or a part of it."""
        pairs = [(f"{folder}/", f"{target}/") for folder in self._module_folders]
        return any(a.startswith(b) or b.startswith(a) for a, b in pairs)

    @cached_property
    def is_vendored(self) -> bool:
        """Return whether the build reads vendor/, or the project requires no module."""
        context = self.context
        texts = (f"{each.text} {each.heredocs}" for each in self.dockerfile.instructions)
        copied = (path == "vendor" for each in self.instructions for path in map(path_of, sources(each)))
        without = context.exists("go.mod") and "require" not in context.text("go.mod") + context.text("go.work")
        without = without and not context.exists("go.sum") and not context.exists("go.work")
        said = any(re.search(r"-mod[= ]vendor|\bgo mod vendor", text) for text in texts)
        return said or any(copied) or context.holds("vendor/modules.txt") or without

    @cached_property
    def modules(self) -> frozenset[str]:
        """Return the folders of the modules that are brought."""
        return frozenset().union(*map(self.modules_in, self.instructions))

    def modules_in(self, instruction: Instruction) -> frozenset[str]:
        """Return the folders of the modules that an instruction brings: by go.mod's name, or as a whole."""
        paths = list(map(path_of, sources(instruction)))
        named = {posixpath.dirname(path) or "." for path in paths if is_module_file(path, "go.mod")}
        whole = {"."} if any(map(is_whole, paths)) and self.context.has_module else set()
        return frozenset(named | whole | {path for path in paths if self.context.exists(f"{path}/go.mod")})

    def code_in(self, instruction: Instruction) -> str:
        """Return the first source of an instruction that has Go files; empty if none is known to have any."""
        return next(filter(self._is_code, sources(instruction)), "")

    def _is_code(self, source: str) -> bool:
        path = path_of(source)
        if is_whole(source) or path.endswith(".go") or path.split("/")[0] == ".git":  # another one with each commit
            return True
        if is_module_file(source) or path == "vendor":
            return False
        folder = posixpath.dirname(re.split(r"[*?\[]", path)[0]) if re.search(r"[*?\[]", path) else path
        return self.context.has_code(folder) if self.context.exists(folder) else path.split("/")[0] in _CODE


Rule = Callable[[History], Iterator[Found]]


def histories(dockerfile: Dockerfile, context: Context) -> Sequence[History]:
    """Return the history of each stage that no other stage starts from. Common stages repeat."""
    found: list[History] = []
    found += [History(dockerfile, context, stage, stage.history, found) for stage in dockerfile.last_stages]
    return found


def sources(instruction: Instruction) -> list[str]:
    """Return what a COPY, an ADD, or the bind mounts of a RUN take from the build context; `.` is all of it."""
    if instruction.name in ("COPY", "ADD") and not instruction.flag("from"):
        return [word for word in instruction.words[:-1] if "://" not in word and not word.startswith("<<")]
    if instruction.name != "RUN":
        return []
    bound = [mount for mount in mounts(instruction) if mount.get("type", "bind") == "bind" and "from" not in mount]
    return [mount.get("source", mount.get("src", ".")) for mount in bound]


def path_of(source: str) -> str:
    """Return a source as a path below the context."""
    return posixpath.normpath(f"/{source}").lstrip("/") or "."


def is_whole(source: str) -> bool:
    """Return whether this source is the whole context."""
    return path_of(source) in _WHOLE


def is_module_file(source: str, *names: str) -> bool:
    """Return whether a source names go.mod or another file of a module, also by a pattern: `go.*`."""
    last = path_of(source).rpartition("/")[2]
    return not is_whole(source) and any(fnmatchcase(name, last) for name in names or MODULE_FILES)


def brings_module_cache(instruction: Instruction) -> bool:
    """Return whether downloaded modules arrive from the context, another stage or another image."""
    if instruction.name in ("COPY", "ADD"):
        if any(is_whole(source) or is_module_file(source) for source in sources(instruction)):
            return False
        return any(word == "/" or _MODULE_CACHE.search(word.rstrip("/")) for word in instruction.words)
    return any(
        _MODULE_CACHE.search(_target(mount)) for mount in mounts(instruction)
        if mount.get("type", "bind") == "bind" or "from" in mount
    )  # fmt: skip


def _cache_mounts(instruction: Instruction) -> list[dict[str, str]]:
    return [mount for mount in mounts(instruction) if mount.get("type") == "cache" and "from" not in mount]


def _target(mount: dict[str, str]) -> str:
    return posixpath.normpath(mount.get("target", mount.get("dst", mount.get("destination", ""))))
