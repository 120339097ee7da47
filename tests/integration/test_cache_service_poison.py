"""Archives made by somebody who means harm: nothing leaves the folder, nothing unasked stays, Go has the last word."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.golang.modcache import Kind, ModuleFile, ModuleFolder, file_named
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cold_runs import ColdRun, Machine, Span, measured
from go_prefetch.render.messages import as_warning
from go_prefetch.stores.cache_service.compression import PLAIN, ArchiveError, Encoding
from go_prefetch.stores.cache_service.manifest import Manifest, Member, Unavailable, manifest_json, parse_manifest
from go_prefetch.stores.cache_service.module_archive import most_bytes, read_archive, write_archive
from go_prefetch.stores.cold_run_note import as_note
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, write_proxy_folder
from tests.support.service_job import MAIN, Job
from tests.support.service_shelf import ENCODINGS, Shelf
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
BIG = FakeModule("github.com/Upper/big", "v1.4.0", padding=5_000)
STEM = "example.com/lib/@v/v1.2.3"
KINDS: tuple[Kind, ...] = ("zip", "mod", "info")
WANTED = {f"{STEM}.{kind}": ModuleFile(ModuleVersion("example.com/lib", "v1.2.3"), kind) for kind in KINDS}
CONTENT = {f"{STEM}.zip": LIB.zip, f"{STEM}.mod": LIB.mod, f"{STEM}.info": LIB.info}


def listed(files: list[tuple[str, int]], **other: object) -> bytes:
    values = {"format": 1, "full": "", "files": [{"name": n, "bytes": s} for n, s in files], "runs": []}
    return json.dumps({**values, "unavailable": [], **other}).encode()


def tar(*members: tuple[tarfile.TarInfo | str, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar of these members, by Python's own writer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for given, content in members:
            info = tarfile.TarInfo(given) if isinstance(given, str) else given
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def read(data: bytes, folder: Path, encoding: Encoding = PLAIN) -> tuple[set[str], str]:
    """The names of what a reader took, and why it stopped."""
    taken: set[str] = set()
    why = ""
    try:
        warnings = read_archive(
            io.BytesIO(data), encoding, folder=ModuleFolder.at(folder), deadline=Deadline.after(20),
            arrived=lambda file: taken.add(file.name), choose=lambda _: WANTED,
        )  # fmt: skip
        why = "; ".join(map(as_warning, warnings))
    except (ArchiveError, StoreError) as error:
        why = str(error)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    assert there == taken <= set(WANTED)
    assert {path.name for path in folder.parent.iterdir()} <= {folder.name}
    return taken, why


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def negative_size() -> bytes:
    """A size as GNU tar writes very large ones, of less than no bytes."""
    whole = bytearray(tar(("manifest.json", b"{}")))
    whole[124:136] = b"\xff" * 12
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    return bytes(whole)


def of(**sizes: int) -> bytes:
    return listed([(f"{STEM}.{kind}", size) for kind, size in sizes.items()])


MOD = LIB.mod
TWICE = listed([(f"{STEM}.mod", len(MOD))] * 2)
HOSTILE: dict[str, bytes] = {
    "no manifest": tar((f"{STEM}.mod", MOD)),
    "manifest comes second": tar((f"{STEM}.mod", MOD), ("manifest.json", of(mod=len(MOD)))),
    "manifest is a link": tar((special("manifest.json", tarfile.SYMTYPE, "/etc/passwd"), b"")),
    "manifest of 5 MB": tar(("manifest.json", b" " * (5 << 20))),
    "manifest of nothing": tar(("manifest.json", b"")),
    "manifest is no JSON": tar(("manifest.json", b"{" * 100_000)),
    "another name than announced": tar(("manifest.json", of(mod=len(MOD))), ("../../evil", MOD)),
    "a symbolic link": tar(("manifest.json", of(mod=0)), (special(f"{STEM}.mod", tarfile.SYMTYPE, "/etc/passwd"), b"")),
    "a hard link": tar(("manifest.json", of(mod=0)), (special(f"{STEM}.mod", tarfile.LNKTYPE, "/etc/passwd"), b"")),
    "a folder": tar(("manifest.json", of(mod=0)), (special(f"{STEM}.mod", tarfile.DIRTYPE), b"")),
    "a pipe": tar(("manifest.json", of(mod=0)), (special(f"{STEM}.mod", tarfile.FIFOTYPE), b"")),
    "a sparse file": tar(("manifest.json", of(mod=0)), (special(f"{STEM}.mod", tarfile.GNUTYPE_SPARSE), b"")),
    "a long name": tar(("manifest.json", of(mod=len(MOD))), (STEM + "x" * 300, MOD), form=tarfile.GNU_FORMAT),
    "a header for all": tar((special("manifest.json", tarfile.XGLTYPE), b"9 a=b\n"), (f"{STEM}.mod", MOD)),
    "fewer bytes than none": negative_size(),
    "a device": tar(("manifest.json", of(mod=0)), (special(f"{STEM}.mod", tarfile.CHRTYPE), b"")),
    "larger than announced": tar(("manifest.json", of(mod=3)), (f"{STEM}.mod", MOD)),
    "smaller than announced": tar(("manifest.json", of(mod=len(MOD) + 1)), (f"{STEM}.mod", MOD)),
    "an extended header": tar(("manifest.json", of(mod=len(MOD))), (STEM + "x" * 300, MOD), form=tarfile.PAX_FORMAT),
    "the same twice": tar(("manifest.json", TWICE), (f"{STEM}.mod", MOD), (f"{STEM}.mod", MOD)),
    "a zip that is none": tar(("manifest.json", of(zip=9)), (f"{STEM}.zip", b"not a zip")),
    "an info of another version": tar(("manifest.json", of(info=len(BIG.info))), (f"{STEM}.info", BIG.info)),
    "a web page": b"<html>" * 4000,
    "runs without number": tar(
        ("manifest.json", listed([(f"{STEM}.mod", len(MOD))],
                                 runs=[{"seconds": 1, "files": [0], "cores": 1, "os": ""}] * 20_000)),
        (f"{STEM}.mod", MOD),
    ),
    "an announced terabyte": tar(("manifest.json", listed([(f"{STEM}.zip", 1 << 40)])), (f"{STEM}.zip", b"x")),
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_members(tmp_path: Path, data: bytes) -> None:
    taken, why = read(data, tmp_path / "folder")
    assert taken == set()
    assert why != ""


def test_no_archive_is_written_that_nobody_would_read(tmp_path: Path) -> None:
    """With more in its manifest than a reader takes."""
    notes = [Unavailable("x" * 9_000, "proxies", 1.0)] * 1000
    with (tmp_path / "out").open("wb") as out, pytest.raises(ArchiveError):
        write_archive(out, ModuleFolder.at(tmp_path), (), PLAIN, Manifest(unavailable=tuple(notes)))


def test_what_is_not_wanted_is_passed_over(tmp_path: Path) -> None:
    """A module of another project, paths that lead away."""
    strange = ("example.com/other/@v/v1.0.0.mod", "../evil/@v/v1.0.0.mod", "/tmp/evil/@v/v1.0.0.mod")
    others = {**dict.fromkeys(strange, b"module example.com/other\n"), f"{STEM}.mod": MOD}
    names = [(name, len(content)) for name, content in others.items()]
    data = tar(("manifest.json", listed(names)), *others.items())
    assert read(data, tmp_path / "folder") == ({f"{STEM}.mod"}, "")


def test_a_ziphash_in_the_manifest_spoils_it(tmp_path: Path) -> None:
    name = f"{STEM}.ziphash"
    manifest = listed([(name, len(LIB.h1_zip)), (f"{STEM}.mod", len(MOD))])
    with pytest.raises(ArchiveError):
        parse_manifest(manifest, most_bytes)
    data = tar(("manifest.json", manifest), (name, LIB.h1_zip.encode()), (f"{STEM}.mod", MOD))
    assert read(data, tmp_path / "folder")[0] == set()


@given(st.binary(max_size=300) | st.text().map(str.encode))
def test_no_bytes_break_the_manifest_parser(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        parse_manifest(data, most_bytes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_no_json_breaks_the_manifest_parser(data: st.DataObject) -> None:
    """A good manifest with something else in one place of it: a Manifest or an ArchiveError, nothing else."""
    values = json.loads(of(zip=10, mod=5))
    values["runs"] = [as_note(measured({"any": Span(0.0, 1.0, 5)}), lambda _: 0)]
    values["unavailable"] = [{"name": f"{STEM}.mod", "asked": "x", "until": 1}]
    place = values
    while isinstance(place, (dict, list)) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    try:
        parsed = parse_manifest(json.dumps(values).encode(), most_bytes)
    except ArchiveError:
        return
    assert all(0 <= member.bytes <= 500 << 20 for member in parsed.members)
    assert all(run.files.keys() <= {member.name for member in parsed.members} for run in parsed.runs)


NAMES = st.lists(st.sampled_from(["a", "b/c", "d.e/f"]), unique=True, max_size=3)


@given(NAMES, st.floats(0, 1e5), st.integers(0, 128))
def test_a_manifest_is_read_as_it_was_written(paths: list[str], seconds: float, cores: int) -> None:
    members = tuple(Member(f"{path}/@v/v1.0.0.mod", 7) for path in paths)
    spans = {member.name: Span(0.0, round(seconds, 3), 7) for member in members}
    run = ColdRun(spans, round(seconds, 3), 7, 9, Machine(cores, "linux"), None)
    manifest = Manifest(members, "key", (run,) if spans else (), (Unavailable("x/@v/v1.0.0.zip", "proxies", 5.0),))
    assert parse_manifest(manifest_json(manifest), most_bytes) == manifest


@settings(deadline=None, max_examples=10)
@given(st.permutations([*WANTED, "github.com/!upper/big/@v/v1.4.0.zip"]), st.sampled_from(sorted(ENCODINGS)))
def test_the_same_files_are_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], name: str
) -> None:
    """In whatever order they are given: the zips first, the largest of them before the others."""
    folder = tmp_path_factory.mktemp("same")
    write_proxy_folder(folder, (LIB, BIG))
    made = []
    for names in (order, sorted(order)):
        out = folder / "out"
        with out.open("wb") as stream:
            files = [file for file in map(file_named, names) if file]
            manifest = write_archive(stream, ModuleFolder.at(folder), files, ENCODINGS[name])
        made.append(out.read_bytes())
    assert made[0] == made[1]
    assert [member.name for member in manifest.members][:2] == ["github.com/!upper/big/@v/v1.4.0.zip", f"{STEM}.zip"]


@settings(deadline=None, max_examples=60)
@given(data=st.data(), name=st.sampled_from(sorted(ENCODINGS)))
def test_no_change_of_an_archive_breaks_its_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, name: str
) -> None:
    """Bytes overwritten, left out, put in: what is taken was asked for, and the rest is an ArchiveError."""
    scratch = tmp_path_factory.mktemp("mutated")
    origin = scratch / "origin"
    for file, content in CONTENT.items():
        (origin / file).parent.mkdir(parents=True, exist_ok=True)
        (origin / file).write_bytes(content)
    whole = scratch / "archive"
    with whole.open("wb") as out:
        write_archive(out, ModuleFolder.at(origin), WANTED.values(), ENCODINGS[name])
    good = whole.read_bytes()
    place = data.draw(st.integers(0, len(good)))
    removed, added = data.draw(st.integers(0, 600)), data.draw(st.binary(max_size=40))
    target = scratch / "only" / "folder"
    target.parent.mkdir()
    read(good[:place] + added + good[place + removed :], target, ENCODINGS[name])


@pytest.fixture
def service() -> Iterator[CacheService]:
    with CacheService(MAIN) as server:
        yield server


def swapped(folder: Path) -> None:
    """A zip of the right names whose contents are somebody else's."""
    path = folder / f"{STEM}.zip"
    path.write_bytes(damaged(path.name, path.read_bytes()))


def lying_mod(folder: Path) -> None:
    path = folder / f"{STEM}.mod"
    path.write_bytes(path.read_bytes() + b"\nrequire example.com/evil v1.0.0\n")


def broken_zip(folder: Path) -> None:
    (folder / f"{STEM}.zip").write_bytes(b"no zip at all")


@pytest.mark.slow
@pytest.mark.parametrize("poison", [swapped, lying_mod, broken_zip])
@pytest.mark.parametrize("name", ENCODINGS)
def test_poison_is_refused_and_replaced(
    bench: Workbench, service: CacheService, name: str, poison: Callable[[Path], None]
) -> None:
    """The job ends with what the proxy has (`go mod verify` says so), and saves an entry without the poison."""
    encoding = ENCODINGS[name]
    with ModuleProxy((LIB, BIG)) as proxy:
        job = Job(bench, service, proxy)
        variables = job.only("no zstd") if name == "as they are" else {}
        job(LIB, BIG, environ=variables)
        shelf = Shelf(service, bench.folder / "shelf", (LIB, BIG), encoding=encoding)
        origin = shelf.origin()
        poison(origin)
        (entry,) = service.entries
        out = bench.folder / "poisoned"
        with out.open("wb") as archive:
            write_archive(archive, ModuleFolder.at(origin), shelf.wanted, encoding)
        entry.data = out.read_bytes()
        job(LIB, BIG, run=2, environ=variables)
        assert bench.report["complete"]["rejected"] or poison is broken_zip
        assert {path.partition("/@v")[0] for path in proxy.paths()} == {"example.com/lib"}
        assert len(service.keys) == 2
        job(LIB, BIG, run=3, environ=variables)
        assert bench.outputs["cache-result"] == "exact"
        assert proxy.paths() == []


def test_stored_note_of_a_missing_file_expires_after_a_day(tmp_path: Path, service: CacheService) -> None:
    """Else a poisoned entry could keep files from being asked for, for ever."""
    shelf = Shelf(service, tmp_path, (LIB,))
    shelf.save()
    (entry,) = service.entries
    lacking, *files = shelf.wanted
    for hours, believed in ((1, True), (24 * 365, False)):
        notes = [Unavailable(lacking.name, "proxies", time.time() + hours * 3600)]
        out = tmp_path / "entry"
        with out.open("wb") as archive:
            write_archive(archive, ModuleFolder.at(shelf.origin()), files, PLAIN, Manifest(unavailable=tuple(notes)))
        entry.data = out.read_bytes()
        assert shelf.restore(to=f"after-{hours}").unavailable == ({lacking} if believed else set())
