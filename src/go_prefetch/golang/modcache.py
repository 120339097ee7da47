"""Module files, and the folders in GOPROXY layout that hold them: a module cache's download folder, a pool.

`cache/download/<escaped path>/@v/<escaped version>.{info,mod,zip}` below GOMODCACHE; see https://go.dev/ref/mod#module-cache
and https://go.dev/ref/mod#goproxy-protocol. These three kinds of file travel; nothing else of the module cache does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from go_prefetch.golang import module
from go_prefetch.golang.module import ModuleVersion

Kind = Literal["info", "mod", "zip"]

# Go's own limit for a module's zip (x/mod/zip, MaxZipFile) and go.mod (MaxGoMod), in bytes.
MAX_BYTES: dict[Kind, int] = {"zip": 500 << 20, "mod": 16 << 20, "info": 1 << 20}


class ModuleFile(NamedTuple):
    """One file of one module version."""

    module: ModuleVersion
    kind: Kind

    @property
    def name(self) -> str:
        """Its place in GOPROXY layout, with slashes: `github.com/!burnt!sushi/toml/@v/v1.4.0.mod`."""
        return f"{_stem(self.module)}.{self.kind}"

    @property
    def url_path(self) -> str:
        """The same, percent-encoded for a request to a proxy."""
        return quote(self.name, safe="/@")

    def __str__(self) -> str:
        return f"{self.module} .{self.kind}"


@cache
def _stem(version: ModuleVersion) -> str:
    return f"{module.escape(version.path)}/@v/{module.escape(version.version)}"


def file_named(name: str) -> ModuleFile | None:
    """The file that has this name in GOPROXY layout; None if none is called so."""
    path, _, rest = name.rpartition("/@v/")
    version, _, kind = rest.rpartition(".")
    if kind not in MAX_BYTES:
        return None
    found = ModuleVersion(module.unescape(path), module.unescape(version))
    file = ModuleFile(found, kind)
    return file if not module.check(*found) and file.name == name else None


def module_cache_of(environ: Mapping[str, str]) -> Path | None:
    """GOMODCACHE as Go would find it, with no Go to ask. https://go.dev/ref/mod#module-cache"""
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

    A pool and a filled folder have no module cache around them: `gomodcache` is then the folder itself.
    """

    path: Path
    gomodcache: Path

    @classmethod
    def at(cls, path: Path) -> ModuleFolder:
        """Return a pool, or a folder to fill."""
        return cls(path, path)

    @classmethod
    def of_cache(cls, gomodcache: Path) -> ModuleFolder:
        """Return the download folder of a module cache."""
        return cls(gomodcache / "cache" / "download", gomodcache)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def is_module_cache(self) -> bool:
        """Whether go commands may be at work here: the path is that of a module cache's download folder."""
        return self.path.parts[-2:] == ("cache", "download")

    def path_of(self, file: ModuleFile) -> Path:
        """Return where `file` lies."""
        return self.path / file.name

    def zip_path(self, version: ModuleVersion) -> Path:
        """Return where the zip of a module lies."""
        return self.path / f"{_stem(version)}.zip"

    def ziphash(self, version: ModuleVersion) -> Path:
        """Return where Go notes the hash of a zip that it found in go.sum."""
        return self.path / f"{_stem(version)}.ziphash"

    def lock(self, version: ModuleVersion) -> Path:
        """Return the file that Go locks while it works on a module."""
        return self.path / f"{_stem(version)}.lock"

    def partial(self, version: ModuleVersion) -> Path:
        """Return the file that lies there while Go unpacks a module."""
        return self.path / f"{_stem(version)}.partial"

    def tree(self, version: ModuleVersion) -> Path:
        """Return where Go unpacks a module."""
        return self.gomodcache / f"{module.escape(version.path)}@{module.escape(version.version)}"

    def has(self, file: ModuleFile) -> bool:
        """Whether `file` is there."""
        return self.path_of(file).is_file()

    def has_zip(self, version: ModuleVersion) -> bool:
        """Whether the zip of a module is there."""
        return self.zip_path(version).is_file()

    def has_tree(self, version: ModuleVersion) -> bool:
        """Whether something lies there that Go takes for the unpacked module: beside `.partial` it begins again."""
        return os.path.lexists(self.tree(version)) and not os.path.exists(self.partial(version))  # noqa: PTH110 - never raises

    def accepted_by_go(self, version: ModuleVersion) -> bool:
        """Whether Go has hashed the zip that lies there and found it in go.sum: it then leaves a `.ziphash`."""
        return self.has_zip(version) and self.ziphash(version).is_file()

    def identity(self, file: ModuleFile) -> Identity:
        """Return what changes when another file takes this name; None where there is none."""
        try:
            seen = self.path_of(file).stat(follow_symlinks=False)
        except OSError:
            return None
        return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns

    def size_of(self, file: ModuleFile) -> int:
        """Return the bytes of a file. Raise OSError."""
        return self.path_of(file).stat().st_size

    def drop(self, file: ModuleFile) -> None:
        """Remove a file, and with a zip the hash that Go noted for it, so that Go hashes the next one."""
        self.path_of(file).unlink(missing_ok=True)
        if file.kind == "zip":
            self.ziphash(file.module).unlink(missing_ok=True)
