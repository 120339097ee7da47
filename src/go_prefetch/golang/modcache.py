"""Module files, and folders that hold them in GOPROXY layout: a module cache's download folder, a pool.

`cache/download/<escaped path>/@v/<escaped version>.{info,mod,zip}` below GOMODCACHE; see https://go.dev/ref/mod#module-cache
and https://go.dev/ref/mod#goproxy-protocol. Only these three kinds of file are restored and saved.

A pool keeps toolchains in a folder of their own. With `GOPROXY=file://POOL` alone, Go would take one from the pool
without a check.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.base.windows_names import extended
from go_prefetch.golang import module
from go_prefetch.golang.module import ModuleVersion

Kind = Literal["info", "mod", "zip"]

# Go's own limits in bytes for a module's zip (x/mod/zip, MaxZipFile) and go.mod (MaxGoMod).
MAX_BYTES: dict[Kind, int] = {"zip": 500 << 20, "mod": 16 << 20, "info": 1 << 20}

# Where a pool keeps toolchains, in GOPROXY layout below it. No module path leads there.
TOOLCHAINS_FOLDER = f"{NOTES_FOLDER}/toolchains"


class ModuleFile(NamedTuple):
    """One file of one module version."""

    module: ModuleVersion
    kind: Kind

    @property
    def name(self) -> str:
        """Return its path in GOPROXY layout, with slashes: `github.com/!burnt!sushi/toml/@v/v1.4.0.mod`."""
        return f"{_stem(self.module)}.{self.kind}"

    @property
    def url_path(self) -> str:
        """Return the same, percent-encoded for a request to a proxy."""
        return quote(self.name, safe="/@")

    def __str__(self) -> str:
        return f"{self.module} .{self.kind}"


@cache
def _stem(version: ModuleVersion) -> str:
    return f"{module.escape(version.path)}/@v/{module.escape(version.version)}"


@cache
def _tree_name(version: ModuleVersion) -> str:
    return f"{module.escape(version.path)}@{module.escape(version.version)}"


def file_named(name: str) -> ModuleFile | None:
    """Return the file with this name in GOPROXY layout, or None if the name is not valid there."""
    path, _, rest = name.rpartition("/@v/")
    version, _, kind = rest.rpartition(".")
    if kind not in MAX_BYTES:
        return None
    found = ModuleVersion(module.unescape(path), module.unescape(version))
    file = ModuleFile(found, kind)
    return file if not module.check(*found) and file.name == name else None


def module_cache_of(environ: Mapping[str, str]) -> Path | None:
    """Return GOMODCACHE as Go would find it, without calling Go. https://go.dev/ref/mod#module-cache"""
    if named := environ.get("GOMODCACHE"):
        return Path(named)
    gopath = environ.get("GOPATH", "").split(os.pathsep)[0]
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if gopath:
        return Path(gopath, "pkg", "mod")
    return Path(home, "go", "pkg", "mod") if home else None


Identity = tuple[int, ...] | None


@dataclass(frozen=True)
class ModuleFolder:
    """A folder of module files in GOPROXY layout, and the module cache whose trees Go unpacks from them.

    A pool or a filled folder is not inside a module cache. `gomodcache` is then the folder itself.
    """

    path: Path
    gomodcache: Path
    is_pool: bool = False

    @classmethod
    def at(cls, path: Path) -> ModuleFolder:
        """Return a folder to fill."""
        return cls(path, path)

    @classmethod
    def of_pool(cls, path: Path) -> ModuleFolder:
        """Return a pool."""
        return cls(path, path, is_pool=True)

    @classmethod
    def of_cache(cls, gomodcache: Path) -> ModuleFolder:
        """Return the download folder of a module cache."""
        return cls(gomodcache / "cache" / "download", gomodcache)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def is_module_cache(self) -> bool:
        """Return whether go commands may use this folder: its path is that of a module cache's download folder."""
        return self.path.parts[-2:] == ("cache", "download")

    def name_of(self, file: ModuleFile) -> str:
        """Return the path of `file` relative to this folder, with slashes."""
        apart = self.is_pool and file.module.path == module.TOOLCHAIN
        return f"{TOOLCHAINS_FOLDER}/{file.name}" if apart else file.name

    def path_of(self, file: ModuleFile) -> Path:
        """Return the path of `file`."""
        return self._at(self.name_of(file))

    def zip_path(self, version: ModuleVersion) -> Path:
        """Return the path of a module's zip."""
        return self._at(f"{_stem(version)}.zip")

    def ziphash(self, version: ModuleVersion) -> Path:
        """Return the path of the hash that Go writes for a zip that matches go.sum."""
        return self._at(f"{_stem(version)}.ziphash")

    def lock(self, version: ModuleVersion) -> Path:
        """Return the file that Go locks while it works on a module."""
        return self._at(f"{_stem(version)}.lock")

    def partial(self, version: ModuleVersion) -> Path:
        """Return the path of a file that exists while Go unpacks a module."""
        return self._at(f"{_stem(version)}.partial")

    def tree(self, version: ModuleVersion) -> Path:
        """Return the path of a module's unpacked tree."""
        return Path(extended(f"{self.gomodcache}/{_tree_name(version)}"))

    # The plan asks these about thousands of files. Without a Path they take a third of the time, and never raise.

    def has(self, file: ModuleFile) -> bool:
        """Return whether `file` is there."""
        return os.path.isfile(self._below(self.name_of(file)))  # noqa: PTH113

    def has_content_of(self, file: ModuleFile) -> bool:
        """Return whether `file` is there and not empty."""
        try:
            found = os.stat(self._below(self.name_of(file)))  # noqa: PTH116
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size > 0

    def has_zip(self, version: ModuleVersion) -> bool:
        """Return whether the zip of a module is there."""
        return os.path.isfile(self._below(f"{_stem(version)}.zip"))  # noqa: PTH113

    def has_ziphash(self, version: ModuleVersion) -> bool:
        """Return whether Go has written the hash of a zip."""
        return os.path.isfile(self._below(f"{_stem(version)}.ziphash"))  # noqa: PTH113

    def has_tree(self, version: ModuleVersion) -> bool:
        """Return whether there is an unpacked module for Go. With a `.partial` file, Go starts to unpack again."""
        tree = extended(f"{self.gomodcache}/{_tree_name(version)}")
        return os.path.lexists(tree) and not os.path.exists(self._below(f"{_stem(version)}.partial"))  # noqa: PTH110

    def accepted_by_go(self, version: ModuleVersion) -> bool:
        """Return whether Go has hashed this zip and found it in go.sum. It then writes a `.ziphash`."""
        return self.has_zip(version) and self.has_ziphash(version)

    def _at(self, name: str) -> Path:
        return Path(self._below(name))

    def _below(self, name: str) -> str:
        return extended(f"{self.path}/{name}")

    def identity(self, file: ModuleFile) -> Identity:
        """Return a value that changes when another file takes this name, or None if there is none."""
        try:
            seen = self.path_of(file).stat(follow_symlinks=False)
        except OSError:
            return None
        return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns

    def size_of(self, file: ModuleFile) -> int:
        """Return the bytes of a file. Raise OSError."""
        return self.path_of(file).stat().st_size

    def size_if_there(self, file: ModuleFile) -> int:
        """Return the bytes of a file, or 0 if there is none."""
        try:
            return self.size_of(file)
        except OSError:
            return 0

    def drop(self, file: ModuleFile) -> None:
        """Remove a file. With a zip, remove the hash that Go wrote for it, so that Go hashes the next one."""
        self.path_of(file).unlink(missing_ok=True)
        if file.kind == "zip":
            self.ziphash(file.module).unlink(missing_ok=True)


_POOL = ModuleFolder.of_pool(Path())  # the names of a pool's files do not depend on its place


def name_in_pool(file: ModuleFile) -> str:
    """Return the name of a file in every pool, with slashes."""
    return _POOL.name_of(file)


def file_in_pool(name: str) -> ModuleFile | None:
    """Return the module file with this name in a pool; None for everything else."""
    file = file_named(name.removeprefix(f"{TOOLCHAINS_FOLDER}/"))
    return file if file and name_in_pool(file) == name else None
