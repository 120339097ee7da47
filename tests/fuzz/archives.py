"""What stores hold: entries, manifests, zips, notes, build results."""

from __future__ import annotations

import contextlib
import io
import json
import time
import zipfile
from pathlib import Path

from go_prefetch.base.redaction import CONTROL
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.buildcache.contents import listing
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.docker.cgo import Packages
from go_prefetch.errors import StoreError
from go_prefetch.golang.build_cache import parse_output_name
from go_prefetch.golang.modcache import MAX_BYTES, Kind, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.build_lineage import Lineage, parse_build_key
from go_prefetch.model.cache_key import cache_key
from go_prefetch.modfiles.staging import StructureError, content_problem, received, trimmed_info
from go_prefetch.modfiles.zip_inspect import plain_space
from go_prefetch.modfiles.zip_repack import UnreadableZip, is_stored, stored_size, write_stored
from go_prefetch.prune.families import family_of
from go_prefetch.run.build_state import read_state
from go_prefetch.stores.cache_service import build_archive
from go_prefetch.stores.cache_service.archive import read_members
from go_prefetch.stores.cache_service.compression import PLAIN, ArchiveError, Encoding, best_encoding
from go_prefetch.stores.cache_service.entry_objects import entry_of, lineage_of, object_name
from go_prefetch.stores.cache_service.keys import parse_key
from go_prefetch.stores.cache_service.manifest import manifest_json, parse_manifest
from go_prefetch.stores.cache_service.module_archive import most_bytes, read_archive
from go_prefetch.stores.entry_files import first_line, read_first_line
from go_prefetch.stores.objects.bundle import KeyObjects
from go_prefetch.stores.pool_metadata import PoolMetadata
from tests.fuzz.target import assert_inside, scratch, target, text_of
from tests.support.fakes.memory_objects import MemoryObjects

_LIB = ModuleVersion("example.com/lib", "v1.2.3")
_KINDS: tuple[Kind, ...] = ("zip", "mod", "info")
FILES = {file.name: file for file in (ModuleFile(_LIB, kind) for kind in _KINDS)}
_ZSTD = best_encoding({"PATH": ""})
_KEY = cache_key("example.com/app", ["example.com/lib v1.2.3 h1:abc="])


@target("stores.cache_service.manifest", "stores.cold_run_note")
def manifest(data: bytes) -> None:
    """Only ArchiveError. Names and sizes are within limits, and what is written of it is read as the same."""
    try:
        found = parse_manifest(data, most_bytes)
    except ArchiveError:
        return
    assert all(0 <= member.bytes <= max(MAX_BYTES.values()) for member in found.members)
    again = parse_manifest(manifest_json(found), most_bytes)
    assert again.members == found.members
    assert len(again.runs) == len(found.runs)


@target("stores.cache_service.archive", "stores.cache_service.module_archive", "modfiles.staging")
def module_entry(data: bytes) -> None:
    """Only ArchiveError and StoreError. What was asked for is in the folder, and nothing else anywhere."""
    _read_modules(data, PLAIN)


@target("stores.cache_service.compression")
def compressed_entry(data: bytes) -> None:
    """The same, in one zstd stream."""
    _read_modules(data, _ZSTD)


def _read_modules(data: bytes, encoding: Encoding) -> None:
    taken: set[str] = set()
    with scratch() as folder:
        with contextlib.suppress(ArchiveError, StoreError):
            read_archive(
                io.BytesIO(data), encoding, folder=ModuleFolder.at(folder), deadline=Deadline.after(60),
                arrived=lambda file: taken.add(file.name), choose=lambda _: FILES,
            )  # fmt: skip
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        assert there == taken <= set(FILES)


@target(
    "stores.cache_service.build_archive", "stores.cache_service.build_patches", "buildcache.intake",
    "buildcache.contents",
)  # fmt: skip
def build_entry(data: bytes) -> None:
    """Only ArchiveError, StoreError and OSError. GOCACHE has files with names of Go's, and no link."""
    with scratch() as gocache, scratch() as old:
        intake = BuildIntake(gocache, old, listing(gocache), time.time(), lambda _: None, Deadline.after(60))
        replaced = build_archive.Replaced()
        entry = build_archive.BuildEntryIntake(gocache, old / "on the way", intake, replaced, is_newest=True)
        try:
            read_members(io.BytesIO(data), PLAIN, entry, Deadline.after(60), build_archive.most_bytes)
            for patch in entry.patches:
                entry.take_patch(patch, _ZSTD, Deadline.after(60))
        except ArchiveError:
            entry.withdraw()
        except (StoreError, OSError):
            pass
        for path in gocache.rglob("*"):
            name = path.relative_to(gocache).as_posix()
            assert not path.is_symlink()
            assert_inside(name)
            if path.is_file() and not name.endswith("-a"):
                assert parse_output_name(name)
        found = listing(gocache)
        assert found.times.keys() <= {path.name[:-2] for path in gocache.rglob("*-a")}


@target("stores.cache_service.keys", "model.build_lineage", "stores.cache_service.entry_objects", "prune.families")
def entry_key(data: bytes) -> None:
    """Keys and names that a service or a bucket lists: None, or a name that means the same."""
    text = text_of(data)
    name = parse_key(text)
    if name:
        assert name.key == text
        assert text.startswith(name.lineage)
    build = parse_build_key(text)
    if build:
        assert entry_of(object_name(build, "plain-1"), "plain-1") == build
        assert lineage_of(object_name(build, "plain-1")) in build.lineage
    found = entry_of(text, "plain-1")
    if found:
        assert_inside(text)
    Lineage.parsed(text)
    family = family_of(text)
    assert "\n" not in CONTROL.sub("", family) or "\n" in text


@target("stores.entry_files")
def first_line_of_entry(data: bytes) -> None:
    """The line before an entry in a pool: None, or the key of this file."""
    line, _, name = data.partition(b"\0")
    found = read_first_line(io.BytesIO(line), text_of(name))
    if found:
        assert line.startswith(first_line(found))


@target("modfiles.zip_inspect", "modfiles.zip_repack", "modfiles.staging")
def module_zip(data: bytes) -> None:
    """A zip of a proxy or a store: StructureError, or a zip whose names are all of this module.

    A zip that is rewritten has the same names and contents, and the size that was announced.
    """
    with scratch() as folder:
        target_file = ModuleFile(_LIB, "zip")
        with contextlib.suppress(StructureError), received(ModuleFolder.at(folder), target_file) as out:
            out.write(data)
        path = folder / target_file.name
        if not path.exists():
            return
        content_problem(target_file, path)
        plain_space(path, 4096)
        is_stored(path)
        size = stored_size(path)
        if size is None:
            return
        out = io.BytesIO()
        try:
            write_stored(path, out)
        except UnreadableZip:
            return
        assert len(out.getvalue()) == size
        assert _contents(out) == _contents(io.BytesIO(data))


def _contents(content: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(content) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@target("docker.cgo")
def zip_that_docker_reads(data: bytes) -> None:
    """A zip of a pool in which `docker` looks for C code: yes, no, or unknown."""
    with scratch() as folder:
        path = folder / ModuleFile(_LIB, "zip").name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        packages = Packages({}, {_LIB.path: _LIB}, [ModuleFolder.at(folder)], None)
        assert packages.need_cgo([_LIB.path, f"{_LIB.path}/sub"]) in (True, False, None)


@target("modfiles.staging")
def small_module_file(data: bytes) -> None:
    """A `.info` or `.mod` of a proxy or a store: StructureError. A `.info` keeps its version and time alone."""
    with scratch() as folder:
        for kind in ("info", "mod"):
            file = ModuleFile(_LIB, kind)
            with contextlib.suppress(StructureError), received(ModuleFolder.at(folder), file) as out:
                out.write(data)
            path = folder / file.name
            if kind == "info" and path.exists():
                kept = json.loads(path.read_bytes())
                assert kept.keys() <= {"Version", "Time"}
                assert kept["Version"] == "v1.2.3"
                assert trimmed_info(_LIB, path.read_bytes()) == path.read_bytes()


@target("stores.objects.bundle", "stores.cold_run_note")
def notes_of_key(data: bytes) -> None:
    """The notes of a cache key in a bucket: no error, and texts and numbers within limits."""
    storage = MemoryObjects()
    key = KeyObjects(storage, _KEY, PLAIN, "proxies")
    storage.objects[f"{NOTES_FOLDER}/notes/{_KEY.text}.json"] = data, 0.0
    notes = key.notes(Deadline.after(60))
    assert len(notes.runs) <= 1000
    assert notes.now_unavailable(FILES.values()) <= set(FILES.values())
    assert all(0 <= size <= max(MAX_BYTES.values()) for size in notes.sizes.values())


@target("stores.pool_metadata", "stores.cold_run_note")
def notes_of_pool(data: bytes) -> None:
    """Notes that another user of a pool has written: no error, and no file outside of them."""
    with scratch() as pool:
        for kind in ("runs", "unavailable", "owed"):
            folder = pool / NOTES_FOLDER / kind
            folder.mkdir(parents=True)
            (folder / f"{'0' * 32}.json").write_bytes(data)
        notes = PoolMetadata(pool, "proxies")
        notes.baseline(FILES.values())
        assert notes.unavailable(FILES.values()) <= set(FILES.values())
        assert notes.owed(FILES.values()) <= set(FILES.values())
        notes.settle(FILES.values())
        notes.forget_others(FILES.values())
        assert {path.name for path in pool.iterdir()} == {NOTES_FOLDER}
        assert {path.suffix for path in (pool / NOTES_FOLDER).rglob("*") if path.is_file()} <= {".json"}


@target("run.build_state")
def build_state(data: bytes) -> None:
    """The state between the restore and the save of a build cache: None, or a state."""
    with scratch() as folder:
        path = Path(folder, "state.json")
        path.write_bytes(data)
        state = read_state(path)
        assert state is None or state.gocache.is_absolute()
