"""A pool made to break the run itself rather than the build: no cache makes a run fail, hang or ask the wrong one."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from go_prefetch.base import file_lock
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.base.trees import remove_trees
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.ports import Saving, Wanted
from go_prefetch.model.progress import Meter
from go_prefetch.prune.pool import list_modules
from go_prefetch.stores.directory_pool import DirectoryPool
from tests.integration.test_quarantine import quarantines, tamper
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, layout, write_proxy_folder
from tests.support.notices import facts
from tests.support.service_shelf import KEY
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files, and the fast way")

LIB = FakeModule("example.com/lib", "v1.2.3")
GOOD = FakeModule("example.com/good", "v1.0.0")
MODULES = (LIB, GOOD)
TREE = "example.com/lib@v1.2.3"
STEM = "example.com/lib/@v/v1.2.3"
MEMORY = 1 << 30  # of address space: several times what an honest run takes


@pytest.fixture
def ready(bench: Workbench) -> Iterator[Workbench]:
    """A project of two modules, both in the pool; what is too deep for pytest to remove is removed afterwards."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    yield bench
    remove_trees(bench.modcache, ignore_errors=True)


def deep_zip() -> bytes:
    """More folders in each other than Python's functions may be, in paths that are short enough for Go to make."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(f"{TREE}/{'a/' * 1500}a.go", "package a\n")
    return target.getvalue()


def endless_directory() -> bytes:
    """A directory of six million entries without a name."""
    entries = (b"PK\1\2" + bytes(42)) * 6_000_000
    return entries + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(entries), 0, 0)


def bomb() -> bytes:
    """Two thousand names for one file of a hundred megabytes: 250 kB, of which Go would inflate 200 GB for its hash."""
    size, count, name = 100_000_000, 2_000, f"{TREE}/0".encode()
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(bytes(size)) + compressor.flush()
    common = (20, 0, zipfile.ZIP_DEFLATED, 0, 0, zlib.crc32(bytes(size)), len(data), size)
    content = struct.pack("<4s5H3L2H", b"PK\3\4", *common, len(name), 0) + name + data
    directory = b""
    for name in (f"{TREE}/{number}".encode() for number in range(count)):
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *common, len(name), *[0] * 6) + name
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(content), 0)
    return content + directory + end


POISON: dict[str, tuple[str, Callable[[], bytes]]] = {
    "bomb": (".zip", bomb),
    "deep": (".zip", deep_zip),
    "endless-directory": (".zip", endless_directory),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", POISON)
def test_a_file_that_would_break_the_reader_is_replaced(ready: Workbench, name: str) -> None:
    """The run ends well within ordinary memory, so does the next one, and the pool is healed."""
    suffix, content = POISON[name]
    pooled = ready.pool / f"{STEM}{suffix}"
    pooled.write_bytes(content())
    limited = ["prlimit", f"--data={MEMORY}", *ready.command]
    with ModuleProxy(MODULES) as proxy:
        store = ("run", "--store", f"dir:{ready.pool}", "--report-file", str(ready.report_file))
        result = ready.program([*limited, *store], GOPROXY=proxy.url)
        assert result.status == 0, result.text
        assert "Traceback" not in result.text
        assert f"{STEM}{suffix}" in proxy.paths()
    assert quarantines(ready) == []
    assert pooled.read_bytes() == layout(MODULES)[f"{STEM}{suffix}"]
    ready.forget_modcache()
    assert ready.prefetch(goproxy="off").status == 0
    assert ready.outputs["cache-result"] == "exact"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".zip", ".mod", ".info"])
def test_a_file_larger_than_any_module_is_not_copied(ready: Workbench, suffix: str) -> None:
    """A terabyte of nothing in the pool: it would fill the disk before somebody looked at it."""
    pooled = ready.pool / f"{STEM}{suffix}"
    os.truncate(pooled, 1 << 40)
    pooled.chmod(0o664)  # not to be linked
    limited = ["prlimit", f"--fsize={600 << 20}", *ready.command]
    with ModuleProxy(MODULES) as proxy:
        result = ready.program([*limited, "run", "--store", f"dir:{ready.pool}"], GOPROXY=proxy.url)
    assert result.status == 0, result.text
    assert pooled.read_bytes() == layout(MODULES)[f"{STEM}{suffix}"]


@pytest.mark.system
@pytest.mark.parametrize("suffix", [".zip", ".mod", ".info"])
def test_a_file_of_ours_that_may_not_be_read_is_fetched(ready: Workbench, suffix: str) -> None:
    """It can be linked all the same; a user without privileges finds out when he looks into it."""
    (ready.pool / f"{STEM}{suffix}").chmod(0)
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *ready.command]
    with ModuleProxy(MODULES) as proxy:
        result = ready.program([*plain, "run", "--store", f"dir:{ready.pool}"], GOPROXY=proxy.url)
        assert f"{STEM}{suffix}" in proxy.paths()
    assert result.status == 0, result.text


@pytest.mark.system
@pytest.mark.parametrize("command", ["run", "doctor", "docker"])
def test_pool_of_another_user_is_a_miss_with_one_warning(ready: Workbench, command: str) -> None:
    """A user without privileges cannot even look into it. That is no error of the module cache, and ends no command."""
    ready.pool.chmod(0)
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *ready.command]
    arguments = {"docker": ["--output", "gomod"], "doctor": ["--samples", "1"]}.get(command, [])
    try:
        with ModuleProxy(MODULES) as proxy:
            argv = [*plain, command, "--store", f"dir:{ready.pool}", *arguments]
            result = ready.program(argv, GOPROXY=f"{proxy.url},off", GOMODCACHE=str(ready.folder / "empty"))
    finally:
        ready.pool.chmod(0o755)
    assert result.status == 0, result.text
    assert str(ready.pool) in result.text
    assert "ermission denied" in result.text
    assert result.text.count("[store-unreadable]") == (0 if command == "doctor" else 1)
    assert "[store-unwritable]" not in result.text


def test_rejected_private_file_is_asked_from_no_other_source(ready: Workbench) -> None:
    """Its pool copy is wrong: Go goes to its repository, and no proxy hears its name."""
    (ready.pool / f"{STEM}.zip").write_bytes(
        FakeModule("example.com/lib", "v1.2.3", files={"lib.go": "package lib\n"}).zip
    )
    with ModuleProxy(MODULES) as proxy:
        result = ready.prefetch(
            "--attempts", "1", goproxy=proxy.url, GOPRIVATE="example.com/lib", GIT_ALLOW_PROTOCOL="none"
        )
        assert not any("lib" in path for path in proxy.paths()), result.text


@pytest.mark.system
def test_tree_with_a_held_lock_does_not_stop_the_run(ready: Workbench) -> None:
    """Until the deadline, and no longer."""
    assert ready.prefetch(goproxy="off").status == 0
    tamper(ready.modcache / TREE)
    with file_lock.held(ready.download_folder / f"{STEM}.lock"):
        result = ready.prefetch("--check-present", "true", "--deadline", "3s", goproxy="off")
        assert result.status == 5, result.text
        assert facts(result.notice("checksum-mismatch"))["version"] == ModuleVersion(LIB.path, LIB.version)
        found = ready.run("verify", "--fix", "--deadline", "3s")
        assert found.status == 1, found.text


def test_a_ledger_of_many_large_notes_is_not_read_for_ever(ready: Workbench) -> None:
    """Notes are never needed: a run spends no more on them than on a few files."""
    for folder in ("runs", "unavailable"):
        notes = ready.pool / ".go-prefetch" / folder
        notes.mkdir(parents=True)
        first = notes / "000.json"
        first.write_text("[" + "[]," * 5_000_000 + "[]]")
        for number in range(1, 400):
            os.link(first, notes / f"{number:03}.json")
    result = ready.prefetch(goproxy="off")
    assert result.status == 0, result.text


def note_absence(bench: Workbench, proxy: ModuleProxy) -> None:
    """A pool that says of all files of a module that this proxy has none."""
    notes = bench.pool / ".go-prefetch/unavailable"
    notes.mkdir(parents=True)
    for suffix in (".zip", ".mod", ".info"):
        note = {"file": f"{STEM}{suffix}", "asked": proxy.url, "until": time.time() + 3600}
        (notes / f"{suffix[1:]}.json").write_text(json.dumps(note))


def test_note_of_a_missing_module_does_not_keep_go_from_it(bench: Workbench) -> None:
    """A pool may say so of a module that a build is sure to want."""
    bench.write_project(MODULES, go="1.16")
    with ModuleProxy(MODULES) as proxy:
        note_absence(bench, proxy)
        result = bench.prefetch(goproxy=proxy.url)
        assert result.status == 0, result.text
    assert (bench.modcache / TREE).is_dir()


def test_note_about_a_module_outside_the_plan_is_ignored(bench: Workbench) -> None:
    """A dependency of a dependency, before go 1.17: the build needs it, so the proxies are asked again."""
    top = FakeModule("example.com/top", "v1.0.0", requires=((LIB.path, LIB.version),), go="1.16")
    bench.write_project([top, LIB], requires=[top], go="1.16")
    with ModuleProxy([top, LIB]) as proxy:
        note_absence(bench, proxy)
        result = bench.prefetch(goproxy=proxy.url)
        assert result.status == 0, result.text
    assert (bench.modcache / TREE).is_dir()
    assert bench.outputs["cache-result"] == "miss"


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def endless_device(path: Path) -> None:
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize("make", [pipe, unix_socket, endless_device], ids=lambda make: make.__name__)
def test_what_is_no_file_is_not_read_and_gives_way_to_one(tmp_path: Path, make: Callable[[Path], None]) -> None:
    pool, wanted = tmp_path / "pool", [ModuleFile(ModuleVersion(LIB.path, LIB.version), "mod")]
    for path in (pool / f"{STEM}.mod", pool / NOTES_FOLDER / "runs" / "note.json"):
        path.parent.mkdir(parents=True)
        make(path)
    store = DirectoryPool(pool, proxies="", takes_files=True)
    restored = store.restore(
        Wanted(KEY, wanted, ModuleFolder.at(tmp_path / "modcache")), Deadline.after(20), lambda _: None
    )
    assert (restored.files, len(restored.warnings)) == (frozenset(), 1)
    assert list_modules(pool) == []
    write_proxy_folder(tmp_path / "source", (LIB,))
    none: frozenset[ModuleFile] = frozenset()
    source = ModuleFolder.at(tmp_path / "source")
    store.save(Saving(KEY, source, wanted, (), None, none, none, None), Deadline.after(20), Meter("Save"))
    assert (pool / f"{STEM}.mod").read_bytes() == LIB.mod
