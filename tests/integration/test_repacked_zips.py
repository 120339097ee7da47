"""Large zips that a pool has once more, in less space: whole jobs, and what becomes of bad copies."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.stores.cache_service.compression import PLAIN, best_encoding
from go_prefetch.stores.objects.repacked import RepackedZips
from tests.support.fakes.memory_objects import MemoryObjects
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.object_server import ObjectServer
from tests.support.pool_content import other_content
from tests.support.workbench import Workbench

# A zip packs each file alone. So only one stream of all files can tell that these are alike.
_ALIKE = random.Random(1).randbytes(60_000)
BIG = FakeModule("example.com/Big", "v1.0.0", files={f"f{n}/data.bin": _ALIKE + bytes([n]) for n in range(50)})
UNLIKE = FakeModule("example.com/unlike", "v1.0.0", padding=3_000_000)
MODULES = (BIG, UNLIKE, *(FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(9)))
ZIP = ModuleFile(ModuleVersion(BIG.path, BIG.version), "zip")
NO_LIMIT = Deadline()


@dataclass(frozen=True)
class Pool:
    """A pool on an HTTP server, and the jobs that use it."""

    server: ObjectServer
    proxy: ModuleProxy
    bench: Workbench

    def job(self, goproxy: str = "", *arguments: str) -> None:
        """Run a job on a machine that has nothing. It has to end green, with what go.sum says."""
        self.bench.forget_modcache()
        self.proxy.clear()
        self.server.requests.clear()
        given = ("--store", f"{self.server.url}/pool", "--save", "true", *arguments)
        result = self.bench.prefetch(*given, goproxy=goproxy or self.proxy.url)
        assert result.status == 0, result.text
        assert self.bench.go("mod", "verify").stdout == "all modules verified\n"
        assert self.bench.leftovers() == []

    @property
    def name(self) -> str:
        """The path of the repacked copy of the big zip."""
        return f"pool/.go-prefetch/repacked/{ZIP.name}.{best_encoding(self.bench.environ).name}"

    @property
    def plain(self) -> str:
        """The path of the big zip itself."""
        return f"pool/{ZIP.name}"


@pytest.fixture
def pool(bench: Workbench) -> Iterator[Pool]:
    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        made = Pool(server, proxy, bench)
        made.job()
        yield made


def repacked(bench: Workbench, folder: Path, content: bytes) -> bytes:
    """What a copy of a zip with this content is in the pool."""
    cache, storage = ModuleFolder.at(folder), MemoryObjects()
    cache.path_of(ZIP).parent.mkdir(parents=True)
    cache.path_of(ZIP).write_bytes(content)
    zips = RepackedZips(storage, best_encoding(bench.environ))
    assert zips.put(ZIP, cache, NO_LIMIT)
    return storage.objects[zips.name_of(ZIP)][0]


def test_next_job_reads_the_repacked_zip(pool: Pool) -> None:
    """Only of what is large and gets smaller: the other large zip has random bytes."""
    copies = [name for name in pool.server.objects if "/repacked/" in name]
    assert copies == [pool.name]
    assert len(pool.server.objects[pool.name]) < len(pool.server.objects[pool.plain]) / 10
    assert pool.server.objects[pool.plain] == BIG.zip
    pool.job("off")
    assert (pool.bench.outputs["cache-result"], pool.bench.warnings) == ("exact", [])
    assert pool.name in pool.server.asked("GET")
    assert pool.plain not in pool.server.asked("GET")
    assert pool.bench.report["restore"]["bytes"] < len(UNLIKE.zip) + len(BIG.zip) / 2


def _shorter(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"no archive", _shorter], ids=["empty", "text", "cut off"])
def test_damaged_copy_is_replaced_and_the_zip_read(pool: Pool, damage: Callable[[bytes], bytes]) -> None:
    good = pool.server.objects[pool.name]
    pool.server.objects[pool.name] = damage(good)
    pool.job("off")
    assert (pool.bench.outputs["cache-result"], pool.bench.warnings) == ("exact", [])
    assert pool.server.objects[pool.name] == good


def test_copy_that_is_gone_comes_back(pool: Pool) -> None:
    good = pool.server.objects.pop(pool.name)
    pool.job("off")
    assert (pool.bench.outputs["cache-result"], pool.bench.warnings) == ("exact", [])
    assert pool.server.objects[pool.name] == good


def test_poisoned_copy_is_rejected_by_go_and_replaced(pool: Pool, tmp_path: Path) -> None:
    """A tenant of the pool writes a well-formed copy with other code."""
    good = pool.server.objects[pool.name]
    files = {**BIG.files, "big.go": 'package big\n\nfunc Hello() string { return "" }\n'}
    other = FakeModule(BIG.path, BIG.version, files=files)
    pool.server.objects[pool.name] = repacked(pool.bench, tmp_path / "other", other_content(other, "x.zip", None))
    pool.job()
    assert len(pool.proxy.paths()) == 1
    assert pool.bench.warnings
    assert pool.server.objects[pool.name] == good


def test_copy_of_another_module_counts_as_damaged(pool: Pool) -> None:
    """The archive says whose zip it has."""
    good = pool.server.objects[pool.name]
    pool.server.objects[pool.name] = pool.server.objects[_bundle(pool)]
    pool.job("off")
    assert (pool.bench.outputs["cache-result"], pool.bench.warnings) == ("exact", [])
    assert pool.server.objects[pool.name] == good


def _bundle(pool: Pool) -> str:
    (name,) = [name for name in pool.server.objects if "/bundles/" in name]
    return name


def test_other_project_finds_the_copy_and_notes_it(pool: Pool) -> None:
    """Its key has no notes yet, so the zip is read itself. The second job reads the copy."""
    newer = FakeModule("example.com/new", "v1.0.0")
    pool.bench.write_project([*MODULES, newer])
    with ModuleProxy([*MODULES, newer]) as proxy:
        other = Pool(pool.server, proxy, pool.bench)
        other.job()
        assert pool.plain in pool.server.asked("GET")
        assert pool.name not in pool.server.asked("PUT")
        other.job("off")
    assert pool.name in pool.server.asked("GET")


def test_client_without_zstd_reads_the_zip(pool: Pool, tmp_path: Path) -> None:
    zips = RepackedZips(MemoryObjects(), PLAIN)
    folder = ModuleFolder.at(tmp_path)
    folder.path_of(ZIP).parent.mkdir(parents=True)
    folder.path_of(ZIP).write_bytes(BIG.zip)
    assert not zips.is_candidate(ZIP, folder)
    (notes,) = [json.loads(data) for name, data in pool.server.objects.items() if "/notes/" in name]
    assert notes["repacked"] == [pool.name.removeprefix("pool/")]
    assert zips.name_of(ZIP) not in notes["repacked"]


@pytest.mark.parametrize("notes", [["../../etc/passwd", 7, "x" * 5000], "text", {"a": 1}], ids=["list", "text", "map"])
def test_notes_are_untrusted(pool: Pool, notes: object) -> None:
    (name,) = [name for name in pool.server.objects if "/notes/" in name]
    values = {**json.loads(pool.server.objects[name]), "repacked": notes}
    pool.server.objects[name] = json.dumps(values).encode()
    pool.job("off")
    assert (pool.bench.outputs["cache-result"], pool.bench.warnings) == ("exact", [])
    assert pool.plain in pool.server.asked("GET")
