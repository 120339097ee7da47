"""Whole runs over a bucket that fails: every job ends green, says why, and the pool is healed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fakes.faulty_relay import (
    CORRUPT,
    DENIED,
    EXPIRED,
    FULL,
    LOST,
    SERVER_ERROR,
    SLOW_DOWN,
    TRUNCATED,
    Fault,
    FaultyRelay,
)
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, layout
from tests.support.pool_content import other_content
from tests.support.servers.azurite import Azurite
from tests.support.servers.fake_gcs import FakeGCS
from tests.support.servers.process import request
from tests.support.servers.seaweedfs import WRITER, SeaweedFS
from tests.support.workbench import Workbench

MODULES = [FakeModule(f"example.com/m{number:02}", "v1.0.0", padding=5000) for number in range(20)]
FILES = layout(MODULES)
CLIENT_TRIES = 4  # of one request


@dataclass(frozen=True)
class Job:
    """A job on a machine that has nothing, whose bucket is behind a relay."""

    server: SeaweedFS
    relay: FaultyRelay
    bucket: str
    bench: Workbench
    proxy: ModuleProxy

    def run(self, goproxy: str = "", *arguments: str) -> None:
        """Run the job. It has to end green, with every module in place and nothing that go.sum does not know."""
        self.bench.forget_modcache()
        self.proxy.clear()
        variables = self.server.variables(WRITER, self.relay.url)
        store = f"s3://{self.bucket}/go"
        result = self.bench.prefetch("--store", store, *arguments, goproxy=goproxy or self.proxy.url, **variables)
        assert result.status == 0, result.text
        assert self.bench.go("mod", "verify").stdout == "all modules verified\n"
        assert self.bench.leftovers() == []

    def object(self, name: str) -> bytes:
        """Return what the bucket has."""
        return request("GET", self.server.object_path(self.bucket, f"go/{name}"))[1]

    def replace(self, name: str, content: bytes) -> None:
        """Put another object there, as someone with the right to write could."""
        assert request("PUT", self.server.object_path(self.bucket, f"go/{name}"), content)[0] == 201

    @property
    def is_whole(self) -> bool:
        """Whether the pool has every file of the modules, unharmed."""
        return all(self.object(name) == content for name, content in FILES.items() if name.endswith((".mod", ".zip")))


@pytest.fixture
def job(seaweedfs: SeaweedFS, bench: Workbench) -> Iterator[Job]:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy, FaultyRelay(seaweedfs.ports[6]) as relay:
        yield Job(seaweedfs, relay, seaweedfs.new_bucket(), bench, proxy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "slug"),
    [
        (SLOW_DOWN, "store-limited"),
        (EXPIRED, "store-denied"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_bucket_that_refuses_from_the_middle_on(job: Job, fault: Fault, slug: str) -> None:
    """What had arrived is used, and the proxy has the rest."""
    job.run()
    job.relay.fault("GET *.zip", fault, picks=lambda number: number > 8)
    job.run("", "--save", "false")
    assert job.bench.warnings == [slug]
    assert 0 < job.bench.report["restore"]["files"] < len(FILES)
    assert 0 < len(job.proxy.paths()) <= 12


@pytest.mark.slow
@pytest.mark.parametrize("fault", [SLOW_DOWN, SERVER_ERROR], ids=lambda fault: fault.name)
def test_file_that_fails_longer_than_the_client_tries_comes(job: Job, fault: Fault) -> None:
    """A crowd of jobs at one server: the client gives up on a file, and a moment later it comes."""
    job.run()
    for name in ("m03/@v/v1.0.0.zip", "m07/@v/v1.0.0.mod"):
        job.relay.fault(f"GET *{name}", fault, times=CLIENT_TRIES)
    job.relay.fault("GET *bundles/*", fault)  # so that the small files are asked for too
    job.run("off")
    assert (job.bench.outputs["cache-result"], job.bench.warnings) == ("exact", [])


def test_bucket_that_dies_in_the_middle(job: Job) -> None:
    job.run()

    def die(number: int) -> bool:
        if number == 5:
            threading.Thread(target=job.relay.close).start()
        return False

    job.relay.fault("GET *.zip", SLOW_DOWN, picks=die)
    job.run()
    assert "store-unreachable" in job.bench.warnings
    assert job.bench.outputs["modules"] == str(len(MODULES))


@pytest.mark.slow
def test_bucket_that_loses_writes_gets_them_again(job: Job) -> None:
    job.relay.fault("PUT *", LOST, picks=lambda number: number % 3 == 0)
    job.run()
    assert job.bench.warnings == []
    assert not job.is_whole
    job.relay.forgive()
    job.run()
    assert 0 < len(job.proxy.paths()) <= 20
    job.run("off")
    assert job.bench.outputs["cache-result"] == "exact"


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FULL, DENIED], ids=lambda fault: fault.name)
def test_bucket_that_takes_no_writes_only_warns(job: Job, fault: Fault) -> None:
    job.relay.fault("PUT *", fault)
    job.run()
    assert len(job.bench.warnings) == 1
    assert job.bench.report["save"]["files"] == 0


@pytest.mark.slow  # a server of its own
def test_bucket_whose_volumes_are_full_only_warns(bench: Workbench, tmp_path: Path) -> None:
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=900_000) for number in range(8)]
    bench.write_project(modules)
    with SeaweedFS(tmp_path / "full", volumes=3, volume_mb=1) as server, ModuleProxy(modules) as proxy:
        store, variables = f"s3://{server.new_bucket()}/go", server.variables(WRITER)
        assert bench.prefetch("--store", store, goproxy=proxy.url, **variables).status == 0
        assert bench.warnings == ["store-unreachable"]  # it answers with status 500
        bench.forget_modcache()
        assert bench.prefetch("--store", store, goproxy=proxy.url, **variables).status == 0
    assert bench.go("mod", "verify").stdout == "all modules verified\n"


@pytest.mark.slow
@pytest.mark.parametrize("fault", [CORRUPT, TRUNCATED], ids=lambda fault: fault.name)
def test_one_of_twenty_answers_is_damaged(job: Job, fault: Fault) -> None:
    """On the way: what the bucket has is right, and stays so."""
    job.run()
    job.relay.fault("GET *", fault, picks=lambda number: number % 20 == 3)
    job.run()
    assert job.is_whole


def test_one_of_twenty_objects_is_wrong_and_is_healed(job: Job) -> None:
    """In the bucket: a tenant has replaced zips by well-formed ones, and a disk has damaged others."""
    job.run()
    zips = sorted(name for name in FILES if name.endswith(".zip"))
    job.replace(zips[3], other_content(MODULES[3], zips[3], None))
    job.replace(zips[7], _damaged(FILES[zips[7]]))
    job.replace(zips[11], b"")
    job.run()
    assert {name for name in job.proxy.paths() if name.endswith(".zip")} == {zips[3], zips[7], zips[11]}
    assert job.is_whole
    job.run("off")
    assert job.bench.outputs["cache-result"] == "exact"


def _damaged(content: bytes) -> bytes:
    """Return it with one other byte in the content of a file."""
    at = content.index(bytes(64)) if bytes(64) in content else len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _twice(bench: Workbench, store: str, variables: dict[str, str]) -> None:
    """Two machines: the first one fills the pool, the second one asks no proxy."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch("--store", store, goproxy=proxy.url, **variables).status == 0
    assert (bench.outputs["cache-result"], bench.warnings) == ("miss", [])
    bench.forget_modcache()
    result = bench.prefetch("--store", store, goproxy="off", **variables)
    assert (result.status, bench.outputs["cache-result"], bench.warnings) == (0, "exact", []), result.text


@pytest.mark.nightly  # npm installs it
def test_pool_in_azure(azurite: Azurite, bench: Workbench) -> None:
    _twice(bench, f"az://{azurite.new_container()}/go", azurite.variables())


@pytest.mark.nightly  # Go builds it
def test_pool_in_google_cloud(fake_gcs: FakeGCS, bench: Workbench) -> None:
    _twice(bench, f"gs://{fake_gcs.new_bucket()}/go", fake_gcs.variables())
