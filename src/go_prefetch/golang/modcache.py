"""The module cache's download folder and the pool's: the same names, GOPROXY layout.

`cache/download/<escaped path>/@v/<escaped version>.{info,mod,zip}` below GOMODCACHE; see https://go.dev/ref/mod#module-cache
and https://go.dev/ref/mod#goproxy-protocol. These three kinds of file travel; nothing else of the module cache does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
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


def download_folder(gomodcache: Path) -> Path:
    """Where the module cache keeps what it downloaded, in GOPROXY layout."""
    return gomodcache / "cache" / "download"


def is_module_cache(folder: Path) -> bool:
    """Whether `folder` is the download folder of a module cache, where go commands may be at work."""
    return folder.parts[-2:] == ("cache", "download")


def path_in(folder: Path, file: ModuleFile) -> Path:
    """Where `file` lies in a folder of GOPROXY layout."""
    return folder / file.name


def tree_in(gomodcache: Path, version: ModuleVersion) -> Path:
    """Where Go unpacks a module."""
    return gomodcache / f"{module.escape(version.path)}@{module.escape(version.version)}"


def has_tree(gomodcache: Path, version: ModuleVersion) -> bool:
    """Whether something lies where Go unpacks a module that Go would take for it: beside `.partial` it begins again."""
    partial = path_in(download_folder(gomodcache), ModuleFile(version, "zip")).with_suffix(".partial")
    return os.path.lexists(tree_in(gomodcache, version)) and not os.path.exists(partial)  # noqa: PTH110 - never raises


def forget_ziphash(folder: Path, file: ModuleFile) -> None:
    """Remove the hash Go noted for a zip that is about to be replaced, so that Go computes and checks it again."""
    if file.kind == "zip":
        path_in(folder, file).with_suffix(".ziphash").unlink(missing_ok=True)


def accepted_by_go(folder: Path, version: ModuleVersion) -> bool:
    """Whether Go has hashed the zip that lies there and found it in go.sum: it then leaves a `.ziphash`."""
    zip_path = path_in(folder, ModuleFile(version, "zip"))
    return zip_path.is_file() and zip_path.with_suffix(".ziphash").is_file()


Identity = tuple[int, ...] | None


def identity(path: Path) -> Identity:
    """What changes when another file takes this name; None where there is none."""
    try:
        seen = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns
