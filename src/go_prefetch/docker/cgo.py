"""Find out whether a program needs cgo: follow its imports through the modules that are on this machine."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from go_prefetch.docker.go_files import MOST_BYTES, GoFile, package_files, parse_go_file
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.modfiles.zip_inspect import UNREADABLE, read_zip

_NEEDS_CGO = frozenset(("C", "plugin", "runtime/cgo"))  # Go's own packages have other ways without cgo, except these
_MOST_PACKAGES = 20_000


class Packages:
    """The packages of a project and of the modules it needs, by import path."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        modules: Mapping[str, ModuleVersion],
        stores: Sequence[ModuleFolder],
        vendor: Path | None,
    ) -> None:
        """Take local modules by path, planned ones by import path, the folders of their zips, and vendor/."""
        self._folders, self._modules, self._stores, self._vendor = folders, modules, stores, vendor
        self._names: dict[ModuleVersion, list[str]] = {}

    def need_cgo(self, paths: Iterable[str]) -> bool | None:
        """Return whether one of these packages, or one that they import, has C code; None if that is not known."""
        pending, seen, known = list(paths), set[str](), True
        while pending and len(seen) < _MOST_PACKAGES:
            path = pending.pop()
            if path in seen:
                continue
            seen.add(path)
            files = self._files(path)
            known = known and files is not None
            imports = {each for file in files or () for each in file.imports}
            if imports & _NEEDS_CGO:
                return True
            pending += imports
        return False if known else None

    def _files(self, path: str) -> list[GoFile] | None:
        """Return the files of a package; nothing for one of Go's own, None for one that is not on this machine."""
        for prefix in _prefixes(path):
            below = path[len(prefix) + 1 :]
            if prefix in self._folders:
                return _in_folder(self._folders[prefix] / below)
            if prefix in self._modules:
                return self._unzipped(self._modules[prefix], below)
        if self._vendor and (self._vendor / path).is_dir():
            return _in_folder(self._vendor / path)
        return None if "." in path.split("/", maxsplit=1)[0] else []

    def _unzipped(self, version: ModuleVersion, folder: str) -> list[GoFile] | None:
        path = next((path for path in (store.zip_path(version) for store in self._stores) if path.is_file()), None)
        if path is None:
            return None
        wanted = f"{version.path}@{version.version}/{folder}".rstrip("/")

        def read(archive: zipfile.ZipFile) -> list[GoFile]:
            if version not in self._names:
                self._names[version] = sorted(name for name in archive.namelist() if name.endswith(".go"))
            names = (name for name in self._names[version] if name.rpartition("/")[0] == wanted)
            found = (parse_go_file(name.rpartition("/")[2], _beginning(archive, name)) for name in names)
            return [file for file in found if file]

        try:
            with path.open("rb") as content:
                return read_zip(content, read)
        except (OSError, *UNREADABLE):
            return None  # Go has the words for it


def _in_folder(folder: Path) -> list[GoFile]:
    return [file for _, file in package_files(folder)]


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(MOST_BYTES)


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
