"""Zips made to deceive, in the pool and from the proxy: the end is the one Go alone comes to, and nothing escapes."""

from __future__ import annotations

import base64
import hashlib
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, layout, write_proxy_folder
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")

LIB = FakeModule("example.com/lib", "v1.2.3")
ZIP = "example.com/lib/@v/v1.2.3.zip"
TREE = "example.com/lib@v1.2.3"
PREFIX = b"example.com/lib@v1.2.3/"
ESCAPED = b"escaped.txt"


@dataclass(frozen=True)
class Entry:
    """One entry of a zip, and the lies that its headers tell."""

    name: bytes
    data: bytes = b""
    deflated: bool = True
    method: int | None = None
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    mode: int = 0
    extra: bytes = b""

    @cached_property
    def packed(self) -> bytes:
        if not self.deflated:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()

    @property
    def header(self) -> bytes:
        """What local header and directory have in common, from `version needed` to the lengths."""
        method = self.method if self.method is not None else 8 * self.deflated
        crc = self.crc if self.crc is not None else zlib.crc32(self.data)
        size = self.size if self.size is not None else len(self.data)
        lengths = (len(self.packed), size, len(self.name), len(self.extra))
        return struct.pack("<5H3L2H", 20, self.flags, method, 0, 33, crc, *lengths)


@dataclass(frozen=True)
class Hostile:
    """The bytes of a zip, and the entries that Go reads in it."""

    data: bytes
    entries: tuple[Entry, ...]

    @property
    def h1(self) -> str:
        """Go's hash over these entries; of two with one name it takes the last one's content twice."""
        contents = {entry.name: entry.data for entry in self.entries}
        names = sorted(entry.name for entry in self.entries)
        lines = [hashlib.sha256(contents[name]).hexdigest().encode() + b"  " + name + b"\n" for name in names]
        return "h1:" + base64.b64encode(hashlib.sha256(b"".join(lines)).digest()).decode()


def local_part(entries: Sequence[Entry]) -> bytes:
    return b"".join(b"PK\3\4" + entry.header + entry.name + entry.extra + entry.packed for entry in entries)


def directory(entries: Sequence[Entry], base: int = 0) -> bytes:
    out, offset = b"", base
    for entry in entries:
        tail = struct.pack("<3H2L", 0, 0, 0, entry.mode << 16, offset)
        out += b"PK\1\2" + struct.pack("<H", 20 | 3 << 8) + entry.header + tail + entry.name + entry.extra
        offset += len(local_part([entry]))
    return out


def end_record(count: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    return b"PK\5\6" + struct.pack("<4H2LH", 0, 0, count, count, size, offset, len(comment)) + comment


def packed(entries: Sequence[Entry], comment: bytes = b"") -> bytes:
    files, listed = local_part(entries), directory(entries)
    return files + listed + end_record(len(entries), len(listed), len(files), comment)


def entries_of(module: FakeModule) -> tuple[Entry, ...]:
    return tuple(Entry(name.encode(), data) for name, data in module.contents.items())


HONEST = entries_of(LIB)
EVIL_GO = b'package lib\n\nfunc Hello() string { return "evil" }\n'
EVIL = tuple(replace(entry, data=EVIL_GO) if entry.name.endswith(b"lib.go") else entry for entry in HONEST)


def with_extra(*names: bytes, **lies: object) -> Callable[[], Hostile]:
    """The honest zip with more entries of these names, and lies in their headers."""

    def make() -> Hostile:
        more = tuple(replace(Entry(name, b"// more\n"), **lies) for name in names)  # type: ignore[arg-type]
        return Hostile(packed(HONEST + more), HONEST + more)

    return make


def lying(**lies: object) -> Callable[[], Hostile]:
    """The honest entries, each with these lies in its headers."""

    def make() -> Hostile:
        entries = tuple(replace(entry, **lies) for entry in HONEST)  # type: ignore[arg-type]
        return Hostile(packed(entries), entries)

    return make


def plain() -> Hostile:
    return Hostile(packed(HONEST), HONEST)


def commented() -> Hostile:
    return Hostile(packed(HONEST, b"a comment"), HONEST)


def prepended() -> Hostile:
    return Hostile(b"#!/bin/sh\nexit\n" + packed(HONEST), HONEST)


def prepended_zip(front: Sequence[Entry], back: Sequence[Entry]) -> Hostile:
    """Two zips in a row, their directories at one offset: Go reads the first one's, others the last one's."""
    lacking = len(local_part(front)) - len(local_part(back))
    padding = [b"\0" * max(0, -lacking), b"\0" * max(0, lacking)]
    parts = [local_part(part) + pad for part, pad in zip((front, back), padding, strict=True)]
    assert len(parts[0]) == len(parts[1])
    return Hostile(
        parts[0]
        + directory(front)
        + end_record(len(front), len(directory(front)), len(parts[0]))
        + parts[1]
        + directory(back)
        + end_record(len(back), len(directory(back)), len(parts[1])),
        tuple(front),
    )


def two_ends(first: Sequence[Entry], last: Sequence[Entry]) -> Hostile:
    """One file part for both, two directories, an end record for each; the first one's comment spans the last."""
    files = local_part(first) + local_part(last)
    listed = directory(first), directory(last, len(local_part(first)))
    middle = files + listed[0]
    tail_start = len(middle) + 22
    tail = listed[1] + end_record(len(last), len(listed[1]), tail_start)
    head = end_record(len(first), len(listed[0]), len(files), tail)
    return Hostile(middle + head, tuple(last))


def zip64_locator(plain_end: Sequence[Entry], zip64_end: Sequence[Entry]) -> Hostile:
    """A zip64 end record and its locator before an end record that needs neither: Go obeys the plain one."""
    files = local_part(plain_end) + local_part(zip64_end)
    listed = directory(plain_end), directory(zip64_end, len(local_part(plain_end)))
    gap = b"here ends what Go reads"
    before = files + listed[0] + gap + listed[1]
    count, size, offset = len(zip64_end), len(listed[1]), len(files + listed[0] + gap)
    end64 = b"PK\6\6" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = b"PK\6\7" + struct.pack("<LQL", 0, len(before), 1)
    at = len(before + end64 + locator)
    end = end_record(len(plain_end), at - len(files), len(files))
    return Hostile(before + end64 + locator + end, tuple(plain_end))


def bomb() -> Hostile:
    entries = (*HONEST, Entry(PREFIX + b"zeros", bytes(4_000_000)))
    return Hostile(packed(entries), entries)


def vast() -> Hostile:
    """More than the 500 MiB that Go unpacks, in some 600 kB."""
    entries = (*HONEST, Entry(PREFIX + b"zeros", bytes(600_000_000)))
    return Hostile(packed(entries), entries)


def longer_than_declared() -> Hostile:
    entries = (*HONEST, Entry(PREFIX + b"zeros", bytes(200_000), size=10))
    return Hostile(packed(entries), entries)


def unicode_path_extra() -> Hostile:
    """Extra field 0x7075 names the file anew; Python of late heeds it, Go does not."""
    name = PREFIX + b"other.go"
    body = struct.pack("<BL", 1, zlib.crc32(HONEST[-1].name)) + name
    entries = (*HONEST[:-1], replace(HONEST[-1], extra=struct.pack("<2H", 0x7075, len(body)) + body))
    return Hostile(packed(entries), entries)


def wrong_prefix() -> Hostile:
    entries = tuple(replace(entry, name=entry.name.replace(b"v1.2.3", b"v1.2.4")) for entry in HONEST)
    return Hostile(packed(entries), entries)


LINK = {"mode": 0o120777, "data": b"/etc/passwd"}
CASES: dict[str, Callable[[], Hostile]] = {
    "plain": plain,
    "evil": lambda: Hostile(packed(EVIL), EVIL),
    "traversal": with_extra(b"../../" + ESCAPED),
    "traversal-behind-prefix": with_extra(PREFIX + b"../../../" + ESCAPED),
    "absolute": with_extra(b"/tmp/" + ESCAPED),
    "absolute-behind-prefix": with_extra(PREFIX + b"/tmp/" + ESCAPED),
    "backslashes": with_extra(PREFIX + b"..\\..\\" + ESCAPED),
    "drive-letter": with_extra(PREFIX + b"C:" + ESCAPED),
    "nul-in-name": with_extra(PREFIX + b"more.go\0.txt"),
    "newline-in-name": with_extra(PREFIX + b"more\n.go"),
    "symbolic-link": with_extra(PREFIX + b"link", **LINK),
    "link-then-file-behind-it": with_extra(PREFIX + b"link", PREFIX + b"link/" + ESCAPED, **LINK),
    "duplicate-name": with_extra(HONEST[0].name),
    "case-collision": with_extra(PREFIX + b"LIB.go"),
    "two-end-records": lambda: two_ends(EVIL, HONEST),
    "two-end-records-evil-last": lambda: two_ends(HONEST, EVIL),
    "zip64-locator": lambda: zip64_locator(HONEST, EVIL),
    "zip64-locator-hides-evil": lambda: zip64_locator(EVIL, HONEST),
    "prepended-data": prepended,
    "prepended-zip": lambda: prepended_zip(HONEST, EVIL),
    "prepended-evil-zip": lambda: prepended_zip(EVIL, HONEST),
    "comment": commented,
    "encrypted-flag": lying(flags=1),
    "wrong-crc": lying(crc=1),
    "unknown-method": lying(method=99),
    "bomb": bomb,
    "600-mb-of-zeros": vast,
    "longer-than-declared": longer_than_declared,
    "shorter-than-declared": with_extra(PREFIX + b"short", size=500),
    "wrong-prefix": wrong_prefix,
    "file-and-folder": with_extra(PREFIX + b"part", PREFIX + b"part/part.go"),
    "forbidden-name": with_extra(PREFIX + b"aux.go"),
    "forbidden-character": with_extra(PREFIX + b"a*b.go"),
    "unclean-name": with_extra(PREFIX + b"./more.go"),
    "folder-entry": with_extra(PREFIX + b"more/", data=b""),
    "folder-entry-with-content": with_extra(PREFIX + b"more/"),
    "folder-entry-for-all": with_extra(PREFIX, data=b""),
    "nested-go-mod": with_extra(PREFIX + b"sub/go.mod", data=b"module example.com/lib/sub\n"),
    "utf8-name-without-flag": with_extra(PREFIX + "é.go".encode()),
    "name-that-is-not-utf8": with_extra(PREFIX + b"\xe9.go"),
    "unicode-path-extra": unicode_path_extra,
}


# Of these a good tree does not tell what the zip holds, or holds for readers other than Go.
SLOW = (
    "folder-entry",
    "folder-entry-for-all",
    "two-end-records-evil-last",
    "zip64-locator",
    "zip64-locator-hides-evil",
    "prepended-data",
    "prepended-zip",
    "prepended-evil-zip",
    "comment",
)


def slow_way(bench: Workbench, zip_bytes: bytes) -> Workbench:
    """The same project beside, where Go alone judges this zip: no `.ziphash`, no tree, no network."""
    slow = Workbench(bench.folder / "slow", Path(bench.environ["GOCACHE"]))
    slow.project.parent.mkdir(exist_ok=True)
    slow.project.symlink_to(bench.project)
    write_proxy_folder(slow.download_folder, [LIB])
    (slow.download_folder / ZIP).write_bytes(zip_bytes)
    return slow


def go_alone(slow: Workbench) -> tuple[int, str]:
    """Status and words of `go mod download`; the words may quote a name that is not UTF-8."""
    done = subprocess.run(
        ["go", "mod", "download"],
        cwd=slow.project,
        env={**slow.environ, "GOPROXY": "off"},
        capture_output=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stderr


def tree_of(bench: Workbench) -> dict[str, bytes] | None:
    tree = bench.modcache / TREE
    if not tree.is_dir():
        return None
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def ziphash_of(bench: Workbench) -> str | None:
    path = (bench.download_folder / ZIP).with_suffix(".ziphash")
    return path.read_text() if path.exists() else None


def later(bench: Workbench) -> tuple[int, int]:
    """How later steps of a job end: loading packages without network, and Go's own check of zip and tree."""
    return bench.go("list", "-deps", "./...").status, bench.go("mod", "verify").status


def assert_nothing_escaped(bench: Workbench) -> None:
    assert not any(path.name == ESCAPED.decode() for path in bench.folder.rglob("*"))
    assert not Path("/tmp", ESCAPED.decode()).exists()
    known = {"project", "modcache", "pool", "home", "slow", "report.json"}
    assert {path.name for path in bench.folder.iterdir()} <= known
    assert list((bench.modcache / "cache").glob("go-prefetch-*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("endorsed", [False, True], ids=["go-sum-has-the-honest-hash", "go-sum-endorses-it"])
@pytest.mark.parametrize(
    "make",
    [pytest.param(make, id=name, marks=[pytest.mark.system] * (make is vast)) for name, make in CASES.items()],
)
def test_a_hostile_zip_ends_as_with_go_alone(bench: Workbench, make: Callable[[], Hostile], endorsed: bool) -> None:
    """The same zip in the pool and from the proxy: status, tree, `.ziphash` and what follows are as the slow way's."""
    hostile = make()
    bench.write_project([LIB])
    if endorsed:
        go_sum = bench.project / "go.sum"
        go_sum.write_text(go_sum.read_text().replace(LIB.h1_zip, hostile.h1))
    write_proxy_folder(bench.pool, [LIB])
    (bench.pool / ZIP).write_bytes(hostile.data)
    with ModuleProxy([LIB]) as proxy:
        proxy.files[ZIP] = hostile.data
        ours = bench.prefetch("--attempts", "1", goproxy=proxy.url)
    slow = slow_way(bench, hostile.data)
    status, words = go_alone(slow)
    assert (ours.status == 0) == (status == 0), ours.text + words
    assert tree_of(bench) == tree_of(slow)
    assert ziphash_of(bench) in (ziphash_of(slow), None if status else ziphash_of(slow))
    if status == 0:
        assert later(bench) == later(slow)
    assert_nothing_escaped(bench)


@pytest.mark.parametrize("name", ["plain", "encrypted-flag", "symbolic-link"])
def test_an_odd_zip_that_a_tree_can_stand_for_goes_the_fast_way(bench: Workbench, name: str) -> None:
    """The comparison above is not one of the slow way with itself."""
    hostile = CASES[name]()
    bench.write_project([LIB])
    go_sum = bench.project / "go.sum"
    go_sum.write_text(go_sum.read_text().replace(LIB.h1_zip, hostile.h1))
    write_proxy_folder(bench.pool, [LIB])
    (bench.pool / ZIP).write_bytes(hostile.data)
    assert bench.prefetch(goproxy="off").status == 0
    assert bench.report["admit"]["modules"] == 1


@pytest.mark.parametrize("name", SLOW)
def test_a_zip_that_its_tree_cannot_stand_for_goes_the_slow_way(bench: Workbench, name: str) -> None:
    """Go itself hashes it; from the proxy comes another where that fails, and pool and module cache agree."""
    hostile = CASES[name]()
    bench.write_project([LIB])
    write_proxy_folder(bench.pool, [LIB])
    (bench.pool / ZIP).write_bytes(hostile.data)
    with ModuleProxy([LIB]) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
    assert bench.report["admit"]["modules"] == 0
    assert later(bench) == (0, 0)
    assert (bench.pool / ZIP).read_bytes() == (bench.download_folder / ZIP).read_bytes()


def test_pool_of_hostile_zips_is_healed_from_an_honest_proxy(bench: Workbench) -> None:
    """Each zip another attack, none known to go.sum: all are replaced, in the module cache and in the pool."""
    # Go's words on a folder with content name no module, so nobody knows which to replace.
    attacks = [make() for name, make in CASES.items() if name not in ("folder-entry-with-content", "600-mb-of-zeros")]
    modules = [FakeModule(f"example.com/m{number:02}", "v1.2.3") for number in range(len(attacks))]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, modules)
    for module, attack in zip(modules, attacks, strict=True):
        own = attack.data.replace(b"example.com/lib@", f"{module.path}@".encode())
        (bench.pool / f"{module.path}/@v/v1.2.3.zip").write_bytes(own)
    with ModuleProxy(modules) as proxy:
        result = bench.prefetch("--attempts", "2", goproxy=proxy.url)
    assert result.status == 0, result.text
    assert later(bench) == (0, 0)
    assert {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)} == layout(modules)
    assert_nothing_escaped(bench)
