"""A build context: the files that a builder gets, after .dockerignore."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from go_prefetch.docker.dockerignore import Ignore, parse_ignore
from go_prefetch.errors import InputError

IGNORE_FILE = ".dockerignore"
_MOST_CHARACTERS = 1 << 20


class Size(NamedTuple):
    """Number of files in a context, and their bytes."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Context:
    """A folder and the patterns of files to leave out. `ignore_file` need not exist."""

    folder: Path
    ignore_file: Path
    ignore: Ignore

    @property
    def has_ignore_file(self) -> bool:
        """Return whether there is an ignore file."""
        return self.ignore_file.is_file()

    def refuse_unwritable(self) -> None:
        """Raise InputError if there is no ignore file and none can be written."""
        in_place = os.path.lexists(self.ignore_file) and not self.has_ignore_file
        if in_place or not (self.has_ignore_file or os.access(self.folder, os.W_OK)):
            words = os.strerror(errno.EEXIST if in_place else errno.EACCES)
            raise InputError("dockerignore-unwritable", path=self.ignore_file, words=words)

    def holds(self, path: str) -> bool:
        """Return whether `path` exists and is sent to the builder."""
        return self.exists(path) and not self.ignore.excludes(path)

    def exists(self, path: str) -> bool:
        """Return whether `path` exists, sent or not. A path that no file can have does not exist."""
        try:
            return (self.folder / path).exists()
        except (OSError, ValueError):
            return False

    def names(self, path: str = ".") -> list[str]:
        """Return the names of the entries of a folder that are sent, sorted; nothing for a file."""
        found = (entry.name for entry in _entries(self.folder / path))
        return sorted(name for name in found if not self.ignore.excludes(posixpath.normpath(f"{path}/{name}")))

    def text(self, path: str) -> str:
        """Return the text of a file; empty if there is none that can be read."""
        try:
            return read_text(self.folder / path)
        except (InputError, ValueError):
            return ""

    @cached_property
    def has_module(self) -> bool:
        """Return whether the folder has a go.mod or go.work at any depth, or is not there to be looked at."""
        names = (name.rpartition("/")[2] for name, _ in _sent(self.folder, Ignore()))
        return not self.folder.is_dir() or any(name in ("go.mod", "go.work") for name in names)

    def has_code(self, path: str) -> bool:
        """Return whether a folder of the context has Go files or a go.mod."""
        names = (name for name, _ in _sent(self.folder / path, Ignore()))
        return any(name.endswith(".go") or name.rpartition("/")[2] == "go.mod" for name in names)


def read_context(folder: Path, dockerfile: Path | None = None) -> Context:
    """Return the context at `folder`. `NAME.dockerignore` next to the Dockerfile NAME has precedence.

    Raises InputError if `folder` is not a folder, no builder accepts a pattern, or a file cannot be read.
    """
    if not folder.is_dir():
        raise InputError("context-not-a-folder", folder=folder)
    own = dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}") if dockerfile else None
    path = own if own and own.is_file() else folder / IGNORE_FILE
    return Context(folder, path, parse_ignore(read_text(path), str(path)) if path.is_file() else Ignore())


def read_text(path: Path) -> str:
    """Return the text of a file that the user has named. Never waits for a pipe. Raises InputError if unreadable."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_MOST_CHARACTERS + 1)
    except OSError as error:
        raise InputError("dockerfile-unreadable", path=path, words=error.strerror) from None
    if len(text) > _MOST_CHARACTERS:
        raise too_large(str(path), f"it has more than {_MOST_CHARACTERS} characters")
    return text


def too_large(what: str, why: str) -> InputError:
    """Return the error for a Dockerfile or .dockerignore that would take too long to check."""
    return InputError("dockerfile-too-large", what=what, why=why)


def measure(folder: Path, ignore: Ignore) -> Size:
    """Count the regular files below `folder` that are sent to the builder, and their bytes."""
    files = size = 0
    for _, found in _sent(folder, ignore):
        files += 1
        size += found.st_size
    return Size(files, size)


def _sent(folder: Path, ignore: Ignore) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is sent. Without recursion, because folders may be nested deeper than Python nests calls."""
    pending = [(folder, "")]
    while pending:
        here, prefix = pending.pop()
        for entry in _entries(here):
            path = prefix + entry.name
            excluded = ignore.excludes(path)
            if entry.is_dir(follow_symlinks=False):
                if not excluded or ignore.may_include_below(path):
                    pending.append((Path(entry.path), f"{path}/"))
            elif not excluded:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield path, found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # not readable, so a builder cannot read it either
