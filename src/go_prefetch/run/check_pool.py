"""Let Go check what a pool holds, part by part, and remove what it rejects.

Files that go.sum names are compared with it. Go compares the others with the checksum database. Private modules are in
no database, and an `.info` has no hash at all: the first are not verified, and of the second only the form is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from go_prefetch.base.retry import Deadline
from go_prefetch.base.temporary_folder import temporary_folder
from go_prefetch.errors import Notice, StoreError
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder, file_in_pool, name_in_pool
from go_prefetch.modfiles.staging import StructureError, received
from go_prefetch.stores.cache_service.compression import ArchiveError
from go_prefetch.stores.objects.port import ObjectError, ObjectInfo, ObjectStorage, Trouble
from go_prefetch.stores.objects.repacked import RepackedZips, zip_of_repacked
from go_prefetch.verification.check_by_database import check_by_database
from go_prefetch.verification.check_folder import check_folder

_MOST_BYTES, _MOST_MODULES = 1 << 30, 200  # of a part, which is on the disk at once, zips and trees
_READERS = 16


class Doubt(Enum):
    """Why a file has no verdict. The values are for people."""

    PRIVATE = "private, and no go.sum names it"
    NO_VERDICT = "Go gave no verdict"
    UNREADABLE = "the pool could not be read"
    ENCODING = "repacked in a way that needs zstd"


@dataclass(frozen=True)
class PoolVerdict:
    """What a check found. `infos` have no hash, and the right form."""

    good: frozenset[ModuleFile] = frozenset()
    bad: Mapping[ModuleFile, str] = field(default_factory=dict)  # with the words of Go, or what is wrong with the form
    unverified: Mapping[ModuleFile, Doubt] = field(default_factory=dict)
    infos: frozenset[ModuleFile] = frozenset()
    inconclusive: tuple[Notice, ...] = ()

    def plus(self, later: PoolVerdict) -> PoolVerdict:
        """Return this verdict and that on another part, together."""
        return PoolVerdict(
            self.good | later.good,
            {**self.bad, **later.bad},
            {**self.unverified, **later.unverified},
            self.infos | later.infos,
            (*self.inconclusive, *later.inconclusive),
        )


@dataclass(frozen=True)
class PoolCheck:
    """A check of `contents`. `hashes` are those of go.sum, of files for which all projects have the same one."""

    contents: ObjectStorage
    repacked: RepackedZips
    hashes: Mapping[ModuleFile, str]
    go: GoCommand
    goproxy: str  # the proxies that may lead to the checksum database
    environment: GoEnvironment

    def parts(self, deadline: Deadline) -> list[list[ObjectInfo]]:
        """Return the module files in the pool, in parts that fit on the disk. Raises ObjectError.

        Repacked zips are in parts of their own: the same file comes twice. Go checks a zip if it has the `.mod`.
        """
        held = list(self.contents.entries("", deadline))
        parts = _parts(info for info in held if file_in_pool(info.name))
        for part in _parts(info for info in held if zip_of_repacked(info.name)):
            zips = filter(None, [zip_of_repacked(info.name) for info in part])
            mods = [ObjectInfo(name_in_pool(ModuleFile(file.module, "mod")), 0, 0.0) for file in zips]
            parts.append([*part, *mods])
        return parts

    def named_parts(self) -> list[list[ObjectInfo]]:
        """Return the files that go.sum names, whether the pool has them or not, for a pool that cannot be listed."""
        infos = {ModuleFile(file.module, "info") for file in self.hashes if file.kind == "zip"}
        return _parts(ObjectInfo(name_in_pool(file), 0, 0.0) for file in {*self.hashes, *infos})

    def check(self, part: Iterable[ObjectInfo], deadline: Deadline) -> PoolVerdict:
        """Return the verdict on one part. Raises OSError for the folder of temporary files."""
        objects = {file: info.name for info in part if (file := file_in_pool(info.name) or zip_of_repacked(info.name))}
        files = list(objects)
        with temporary_folder() as place:
            folder = ModuleFolder.at(place / "pool")
            bad, doubtful = self._copy(objects, folder, deadline)
            there = frozenset(filter(folder.has, files))
            hashed = frozenset(file for file in there if file.kind != "info")
            good, by_go, notes = self._by_go_sum(folder, hashed, deadline)
            bad |= by_go
            rest = hashed - good - bad.keys() - self.hashes.keys()
            private = {file for file in rest if self.environment.private_by(file.module.path)}
            for file in bad:
                folder.drop(file)
            if rest - private:
                verdict = check_by_database(folder, self.go, self.goproxy, rest - private, deadline)
                good, bad = good | verdict.good, {**bad, **verdict.bad}
                notes = (*notes, *((verdict.inconclusive,) if verdict.inconclusive else ()))
        doubtful |= dict.fromkeys(private, Doubt.PRIVATE)
        doubtful |= dict.fromkeys(hashed - good - bad.keys() - private, Doubt.NO_VERDICT)
        return PoolVerdict(good, bad, doubtful, there - hashed, notes)

    def remove(self, file: ModuleFile, deadline: Deadline) -> None:
        """Remove a file from the pool, and its repacked copy. Raises ObjectError."""
        self.contents.remove(name_in_pool(file), deadline)
        self.repacked.remove(file, deadline)

    def _copy(
        self, objects: Mapping[ModuleFile, str], folder: ModuleFolder, deadline: Deadline
    ) -> tuple[dict[ModuleFile, str], dict[ModuleFile, Doubt]]:
        """Copy files into the folder. Return those whose form is wrong, and those that could not be read."""
        bad: dict[ModuleFile, str] = {}
        doubtful: dict[ModuleFile, Doubt] = {}

        def copy(file: ModuleFile) -> None:
            try:
                if objects[file] == name_in_pool(file):
                    with received(folder, file) as out:
                        self.contents.get(objects[file], out, MAX_BYTES[file.kind], deadline)
                elif objects[file] != self.repacked.name_of(file):
                    doubtful[file] = Doubt.ENCODING
                else:
                    self._unpack(file, folder, deadline)
            except (StructureError, ArchiveError) as error:
                bad[file] = str(error)
            except StoreError:  # no room
                doubtful[file] = Doubt.UNREADABLE
            except ObjectError as error:
                if error.trouble is Trouble.TOO_LARGE:
                    bad[file] = error.words
                elif error.trouble is not Trouble.MISSING:
                    doubtful[file] = Doubt.UNREADABLE

        with ThreadPoolExecutor(_READERS) as readers:
            list(readers.map(copy, objects))
        return bad, doubtful

    def _unpack(self, file: ModuleFile, folder: ModuleFolder, deadline: Deadline) -> None:
        with self.repacked.fetched(file, deadline) as (archive, _):
            if not self.repacked.unpack(archive, file, folder, deadline):
                raise ArchiveError("the repacked copy is of another file")

    def _by_go_sum(
        self, folder: ModuleFolder, files: Iterable[ModuleFile], deadline: Deadline
    ) -> tuple[frozenset[ModuleFile], dict[ModuleFile, str], tuple[Notice, ...]]:
        """Return what go.sum proves good and bad, and why there is no verdict on the rest."""
        left = {file: self.hashes[file] for file in files if file in self.hashes}
        good: frozenset[ModuleFile] = frozenset()
        bad: dict[ModuleFile, str] = {}
        while left:  # Go names one bad .mod of many
            verdict = check_folder(folder, self.environment.goroot, left, deadline)
            good, bad = good | verdict.good, {**bad, **verdict.bad}
            left = {file: digest for file, digest in left.items() if file not in good and file not in bad}
            if verdict.inconclusive:
                return good, bad, (verdict.inconclusive,)
            if not verdict.bad:
                break
        return good, bad, ()


def _parts(files: Iterable[ObjectInfo]) -> list[list[ObjectInfo]]:
    parts: list[list[ObjectInfo]] = []
    size = count = 0
    for _, group in groupby(sorted(files, key=lambda info: info.name), key=_stem):
        module = list(group)
        size, count = size + sum(info.bytes for info in module), count + 1
        if not parts or size > _MOST_BYTES or count > _MOST_MODULES:
            parts.append([])
            size, count = sum(info.bytes for info in module), 1
        parts[-1] += module
    return parts


def _stem(info: ObjectInfo) -> str:
    return info.name.rpartition(".")[0]
