"""Input and output of a rule."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from go_prefetch.docker.context import Context
from go_prefetch.docker.stages import Dockerfile, Stage, commands, mounts
from go_prefetch.docker.syntax import Instruction

# Where Go keeps modules: below GOPATH, or where GOMODCACHE is named.
_MODULE_CACHE = re.compile(
    r"/pkg/mod\b|GOMODCACHE|GOPATH|^(?:/root|/home/[^/]+)?/go(?:/pkg)?$|/(?:go-?)?mod(?:s|ules)?(?:-?cache)?$"
)
_WHOLE = (".", "./", "*", "./*", "/", "..")


class Found(NamedTuple):
    """The line, and what is there. The rule says why that is bad and what to do instead."""

    line: int
    what: str


@dataclass(frozen=True)
class Finding:
    """One line of the result."""

    line: int
    slug: str
    what: str
    instead: str


@dataclass(frozen=True)
class Subject:
    """A Dockerfile and its build context."""

    dockerfile: Dockerfile
    context: Context

    @property
    def histories(self) -> Iterator[tuple[Stage, tuple[Instruction, ...]]]:
        """Return each stage that no other stage starts from, with everything that leads to it. Common stages repeat."""
        for stage in self.dockerfile.last_stages:
            yield stage, stage.history

    def brings_module(self, source: str) -> bool:
        """Return whether this source is the whole context, or a folder of it with a go.mod."""
        return is_whole(source) or self.context.exists(f"./{source.strip('/')}/go.mod")


Rule = Callable[[Subject], Iterator[Found]]


def sources(instruction: Instruction) -> list[str]:
    """Return what a COPY, an ADD, or the bind mounts of a RUN take from the build context; `.` is all of it."""
    if instruction.name in ("COPY", "ADD") and not instruction.flag("from"):
        return [word for word in instruction.words[:-1] if "://" not in word and not word.startswith("<<")]
    if instruction.name != "RUN":
        return []
    bound = [mount for mount in mounts(instruction) if mount.get("type", "bind") == "bind" and "from" not in mount]
    return [mount.get("source", mount.get("src", ".")) for mount in bound]


def is_whole(source: str) -> bool:
    """Return whether this source is the whole context."""
    return source in _WHOLE


def downloads(instruction: Instruction) -> bool:
    """Return whether a RUN has a command that fills the module cache."""
    return any(command.downloads for command in commands(instruction))


def builds(instruction: Instruction) -> bool:
    """Return whether a RUN needs the modules."""
    return any(command.builds for command in commands(instruction))


def download_in(history: tuple[Instruction, ...]) -> int | None:
    """Return the index of the first RUN that downloads modules."""
    return next((index for index, instruction in enumerate(history) if downloads(instruction)), None)


def module_caches(instruction: Instruction) -> frozenset[str]:
    """Return the ids of a RUN's cache mounts for modules. The id of a mount defaults to its path."""
    found = set()
    for mount in mounts(instruction):
        place = posixpath.normpath(mount.get("target", mount.get("dst", mount.get("destination", ""))))
        if mount.get("type") == "cache" and _MODULE_CACHE.search(place):
            found.add(mount.get("id", place))
    return frozenset(found)


def basename(source: str) -> str:
    """Return the last part of a path in a Dockerfile."""
    return PurePosixPath(source).name
