"""A pool in a bucket, with a real S3 gateway: what a run takes from it, and what it leaves there."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from types import SimpleNamespace

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import Kind, ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.stores.cache_service.compression import best_encoding
from go_prefetch.stores.objects.bucket import Bucket, BucketLimits
from go_prefetch.stores.objects.port import ObjectError, Trouble
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.slow_link import SlowLink
from tests.support.pool_content import other_content
from tests.support.servers.process import request
from tests.support.servers.seaweedfs import READER, REGION, WRITER, Identity, SeaweedFS
from tests.support.workbench import Result, Workbench

MODULES = [FakeModule(f"example.com/{'Big/' if number == 3 else ''}m{number}", "v1.0.0") for number in range(9)]
FILES = 3 * len(MODULES)


def name_of(module: FakeModule, kind: Kind) -> str:
    """The name of its object in the pool."""
    return ModuleFile(ModuleVersion(module.path, module.version), kind).name


@dataclass(frozen=True)
class Pool:
    """A bucket, and how the bench's runs reach it."""

    server: SeaweedFS
    bucket: str
    bench: Workbench
    proxy: ModuleProxy

    def prefetch(self, *arguments: str, who: Identity | None = WRITER, goproxy: str = "", url: str = "") -> Result:
        store = f"s3://{self.bucket}/go"
        variables = self.server.variables(who, url)
        return self.bench.prefetch("--store", store, *arguments, goproxy=goproxy or self.proxy.url, **variables)

    def again(self, *arguments: str, who: Identity | None = WRITER, goproxy: str = "") -> Result:
        """A run on a machine that has nothing yet."""
        self.bench.forget_modcache()
        self.proxy.clear()
        return self.prefetch(*arguments, who=who, goproxy=goproxy)

    def get(self, name: str) -> tuple[int, bytes]:
        return request("GET", self.server.object_path(self.bucket, f"go/{name}"))

    def put(self, name: str, content: bytes) -> None:
        assert request("PUT", self.server.object_path(self.bucket, f"go/{name}"), content)[0] == 201

    def delete(self, name: str) -> None:
        assert request("DELETE", self.server.object_path(self.bucket, f"go/{name}"))[0] == 204

    @property
    def bundle(self) -> str:
        """The name of the bundle of the last run's key, in the encoding of this machine."""
        return f".go-prefetch/bundles/{self.bench.outputs['cache-key']}.{best_encoding(self.bench.environ).name}"


@pytest.fixture
def pool(seaweedfs: SeaweedFS, bench: Workbench) -> Iterator[Pool]:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        yield Pool(seaweedfs, seaweedfs.new_bucket(), bench, proxy)


def test_second_machine_gets_all_from_the_bucket(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    assert (pool.bench.outputs["cache-result"], pool.bench.report["save"]["files"]) == ("miss", FILES)
    assert pool.again(goproxy="off").status == 0
    assert (pool.bench.outputs["cache-result"], pool.bench.report["restore"]["files"]) == ("exact", FILES)
    assert pool.bench.report["save"]["files"] == 0
    assert pool.bench.warnings == []
    assert pool.bench.go("mod", "verify").stdout == "all modules verified\n"
    assert pool.bench.leftovers() == []


def test_pool_has_what_a_proxy_would_send(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    for module in MODULES:
        assert pool.get(name_of(module, "mod"))[1] == module.mod
        assert pool.get(name_of(module, "zip"))[1] == module.zip


def test_cold_run_is_noted_for_the_time_saved(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    assert pool.again().status == 0
    assert pool.bench.report["time_saved"]["cold_seconds"] > 0


def test_key_without_bundle_works_and_gets_one(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    bundle = pool.bundle
    pool.delete(bundle)
    assert pool.again(goproxy="off").status == 0
    assert pool.bench.report["restore"]["files"] == FILES
    assert pool.get(bundle)[0] == 200


@pytest.mark.slow
def test_single_file_that_a_bundle_has_is_not_needed(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    pool.delete(name_of(MODULES[0], "mod"))
    assert pool.again(goproxy="off").status == 0
    assert pool.bench.report["restore"]["files"] == FILES


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"\x28\xb5\x2f\xfd" + bytes(100)], ids=["empty", "text", "zstd"]
)
def test_damaged_bundle_is_replaced(pool: Pool, content: bytes) -> None:
    assert pool.prefetch().status == 0
    bundle = pool.bundle
    good = pool.get(bundle)[1]
    pool.put(bundle, content)
    assert pool.again(goproxy="off").status == 0
    assert (pool.bench.report["restore"]["files"], pool.bench.warnings) == (FILES, ["store-damaged"])
    assert len(pool.get(bundle)[1]) == pytest.approx(len(good), rel=0.1)


def test_change_of_gosum_needs_only_the_new_module(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    newer = FakeModule("example.com/new", "v1.0.0")
    pool.bench.write_project([*MODULES, newer])
    pool.bench.forget_modcache()
    with ModuleProxy([*MODULES, newer]) as proxy:
        assert pool.prefetch(goproxy=proxy.url).status == 0
        assert {path.partition("/@v/")[0] for path in proxy.paths()} == {"example.com/new"}
    assert pool.bench.report["save"]["files"] == 3


def test_missing_zip_is_downloaded_and_saved_again(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    name = name_of(MODULES[1], "zip")
    pool.delete(name)
    assert pool.again().status == 0
    assert pool.proxy.paths() == [name]
    assert pool.get(name)[0] == 200


def test_damaged_zip_is_replaced(pool: Pool) -> None:
    assert pool.prefetch().status == 0
    name = name_of(MODULES[1], "zip")
    good = pool.get(name)[1]
    pool.put(name, good[:-10])
    assert pool.again().status == 0
    assert pool.bench.warnings == ["store-damaged"]
    assert pool.get(name)[1] == good


def test_poisoned_zip_is_refused_by_go_and_replaced(pool: Pool) -> None:
    """It is well-formed, and not what go.sum says."""
    assert pool.prefetch().status == 0
    name = name_of(MODULES[2], "zip")
    good = pool.get(name)[1]
    pool.put(name, other_content(MODULES[2], name, None))
    assert pool.again().status == 0
    assert pool.bench.warnings == ["files-rejected"]
    assert pool.bench.go("mod", "verify").stdout == "all modules verified\n"
    assert pool.get(name)[1] == good


def test_reader_without_the_right_to_write_only_warns(pool: Pool) -> None:
    assert pool.prefetch(who=READER).status == 0
    assert pool.bench.warnings == ["store-denied"]
    assert pool.bench.report["save"]["files"] == 0


def test_unknown_login_only_warns(pool: Pool) -> None:
    stranger = Identity("stranger", "AKIDSTRANGER", "no-secret")
    done = pool.prefetch(who=stranger)
    assert (done.status, set(pool.bench.warnings)) == (0, {"store-denied"})
    assert "no-secret" not in done.text
    assert pool.bench.report["download"]["files"] == FILES


@pytest.mark.slow
def test_bucket_that_is_not_there_only_warns(pool: Pool) -> None:
    done = pool.prefetch("--store", "s3://no-such-bucket/go")
    assert (done.status, pool.bench.report["download"]["files"]) == (0, FILES)
    assert set(pool.bench.warnings) <= {"store-denied", "store-unusable"} != set()


def test_public_bucket_needs_no_login(pool: Pool) -> None:
    public = Pool(pool.server, pool.server.new_bucket(is_public=True), pool.bench, pool.proxy)
    assert public.prefetch().status == 0
    assert public.again(who=None, goproxy="off").status == 0
    assert (public.bench.report["restore"]["files"], public.bench.warnings) == (FILES, [])


@pytest.mark.slow
def test_save_false_leaves_the_bucket_as_it_is(pool: Pool) -> None:
    assert pool.prefetch("--save", "false").status == 0
    assert pool.get(name_of(MODULES[0], "zip"))[0] == 404


def test_front_on_the_machine_is_filled_from_the_bucket(pool: Pool) -> None:
    front = pool.bench.folder / "front"
    store = ("--store", f"dir:{front} s3://{pool.bucket}/go")
    assert pool.prefetch().status == 0
    assert pool.again(*store, goproxy="off").status == 0
    assert len(pool.bench.module_files(front)) == FILES
    assert [part["files"] for part in pool.bench.report["restore"]["parts"]] == [0, FILES]


def test_large_zip_is_sent_in_parts(pool: Pool) -> None:
    """A bucket takes no condition for those."""
    large = FakeModule("example.com/large", "v1.0.0", padding=12 << 20)
    pool.bench.write_project([large])
    with ModuleProxy([large]) as proxy:
        assert pool.prefetch(goproxy=proxy.url).status == 0
    assert pool.get(name_of(large, "zip"))[1] == large.zip
    assert pool.again(goproxy="off").status == 0


def bucket_storage(server: SeaweedFS, url: str, silence: float = 10.0) -> Bucket:
    """A new bucket as a storage, reached at `url`."""
    login = {"access_key_id": WRITER.key_id, "secret_access_key": WRITER.secret}
    config = {"endpoint": url, "region": REGION, **login}
    return Bucket(f"s3://{server.new_bucket()}/go", config, BucketLimits(5.0, silence, 60.0))


def test_large_object_may_take_longer_than_a_silence(seaweedfs: SeaweedFS) -> None:
    """The server answers when it has all of it."""
    with SlowLink(seaweedfs.ports[6], rate=400_000) as link:
        storage = bucket_storage(seaweedfs, link.url, silence=0.2)
        assert storage.put("large", BytesIO(bytes(400_000)), Deadline.after(60))


@pytest.mark.parametrize("size", [0, 1, 8 << 20, (16 << 20) + 1])
def test_zip_of_any_size_is_read_complete(seaweedfs: SeaweedFS, size: int) -> None:
    storage, deadline, out = bucket_storage(seaweedfs, seaweedfs.s3_url), Deadline.after(60), BytesIO()
    content = random.Random(size).randbytes(size)
    storage.put("any.zip", BytesIO(content), deadline)
    assert storage.get("any.zip", out, size, deadline) == size
    assert out.getvalue() == content


def test_zip_above_the_limit_is_not_read(seaweedfs: SeaweedFS) -> None:
    storage, deadline, out = bucket_storage(seaweedfs, seaweedfs.s3_url), Deadline.after(60), BytesIO()
    storage.put("any.zip", BytesIO(b"1234"), deadline)
    with pytest.raises(ObjectError) as caught:
        storage.get("any.zip", out, 3, deadline)
    assert (caught.value.trouble, out.getvalue()) == (Trouble.TOO_LARGE, b"")


def test_prune_removes_old_objects_of_a_bucket(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred days later. Objects of others stay, and so does all without `--delete`."""
    assert pool.prefetch().status == 0
    pool.put("notes.txt", b"mine")
    url, variables = f"s3://{pool.bucket}/go", pool.server.variables(WRITER)

    def prune(*arguments: str) -> tuple[int, list[int]]:
        done = pool.bench.quickly("prune", "--pool", url, *arguments, **variables)
        return done.status, [int(number) for number in re.findall(r"(\d+) module", done.stdout)]

    assert prune() == (0, [len(MODULES)])
    assert prune("--max-age", "90d", "--delete") == (0, [0, len(MODULES)])
    later = time.time() + 100 * 86400
    monkeypatch.setattr("go_prefetch.cli.commands.prune_pool.time", SimpleNamespace(time=lambda: later))
    assert prune("--max-age", "90d") == (0, [len(MODULES)] * 2)
    assert prune("--max-age", "90d", "--delete") == (0, [len(MODULES)] * 2)
    assert prune() == (0, [0])
    assert pool.get("notes.txt") == (200, b"mine")
    assert pool.again().status == 0
    assert pool.bench.outputs["cache-result"] == "miss"


@pytest.mark.parametrize("arguments", [("--max-size", "1GB"), ("--delete",)])
def test_prune_of_a_bucket_by_size_is_refused(pool: Pool, arguments: tuple[str, ...]) -> None:
    done = pool.bench.quickly("prune", "--pool", f"s3://{pool.bucket}/go", *arguments)
    assert (done.status, "[input-invalid]" in done.stderr) == (2, True)


def test_prune_of_a_bucket_that_denies_is_an_error(pool: Pool) -> None:
    pool.prefetch()
    url = f"s3://{pool.bucket}/go"
    done = pool.bench.quickly("prune", "--pool", url, **pool.server.variables(None))
    assert (done.status, "[store-denied]" in done.stderr) == (1, True)
