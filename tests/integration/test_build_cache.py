"""The build cache of jobs that use real Go: what the next job compiles, and what happens when something breaks."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from go_prefetch.base.nofollow import DIGITS
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import recording
from go_prefetch.render.record import BUILD_PREFIX
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.entry_objects import object_connection
from go_prefetch.stores.cache_service.protocol import NotAllowed
from go_prefetch.stores.objects.bucket import Bucket, BucketLimits
from tests.support.build_entries import build_key
from tests.support.fakes.cache_service import CacheService, faults
from tests.support.servers.seaweedfs import READER, WRITER, SeaweedFS
from tests.support.service_job import MAIN
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

BIG = "x" * 100_000
PACKAGES = {"one": "", "two": f'const Big = "{BIG}"', "three": 'import "example.com/job/one"\n\nvar Three = one.One\n'}


@pytest.fixture
def service() -> Iterator[CacheService]:
    with CacheService(MAIN) as server:
        yield server


class Machine:
    """A new machine for each job, with the same project at the same place. Its packages need no other package."""

    def __init__(self, bench: Workbench, offered: dict[str, str]) -> None:
        self.bench = bench
        self.offered = offered
        self.number = 0
        self.gocache = bench.folder / "gocache"
        bench.project.mkdir()
        (bench.project / "go.mod").write_text("module example.com/job\n\ngo 1.21\n")
        for name, code in PACKAGES.items():
            (bench.project / name).mkdir()
            (bench.project / name / "code.go").write_text(f"package {name}\n\n{code}\nvar {name.title()}_ = 1\n")
        (bench.project / "one" / "one.go").write_text("package one\n\nvar One = 1\n")

    def begin(self, *, is_new: bool = True) -> str:
        """Begin a job, and return what restore prints."""
        if is_new:
            self.number += 1
            shutil.rmtree(self.gocache, ignore_errors=True)
        return self.run("restore")

    def build(self) -> int:
        """Build, and return the number of packages that were compiled."""
        built = self.bench.go("build", "-x", "./...", **self.environ)
        assert built.status == 0, built.text
        return built.text.count("/compile -o ")

    def export(self, package: str) -> bytes:
        """Return the compiled package."""
        listed = self.bench.go("list", "-export", "-f", "{{.Export}}", f"./{package}", **self.environ)
        return Path(listed.stdout.strip()).read_bytes()

    def run(self, action: str, **variables: str) -> str:
        """Call `build-cache`; it must succeed."""
        result = self.bench.quickly("build-cache", action, **{**self.environ, **variables})
        assert result.status == 0, result.text
        return result.text

    def kill(self, action: str, service: CacheService, at: str) -> None:
        """Call `build-cache`, and kill it once it has made a request of this route."""
        run = self.bench.start("build-cache", action, **self.environ)
        try:
            wait_until(lambda: at in service.routes, f"a request of {at}")
        finally:
            os.kill(run.pid, signal.SIGKILL)
            run.communicate(timeout=30)

    def leftovers(self) -> list[str]:
        """Return the files of go-prefetch in GOCACHE."""
        return [path.name for path in self.gocache.rglob("*") if path.name.endswith(".tmp") or "prefetch" in path.name]

    @property
    def environ(self) -> dict[str, str]:
        """The variables of the current job."""
        return {
            **self.offered,
            "GOCACHE": str(self.gocache),
            "GITHUB_RUN_ID": str(self.number),
            "GITHUB_JOB": "build",
            "GO_PREFETCH_JOB_STATUS": "success",
            "GO_PREFETCH_BUILD_CACHE_STATE": str(self.bench.folder / "state.json"),
        }


@pytest.fixture
def machine(bench: Workbench, service: CacheService) -> Machine:
    return Machine(bench, service.v2(MAIN.text))


def test_the_next_job_compiles_only_what_changed(machine: Machine, service: CacheService) -> None:
    assert "nothing restored" in machine.begin()
    assert machine.build() == 3
    assert "saved a full entry" in machine.run("save")
    (machine.bench.project / "one" / "one.go").write_text("package one\n\nvar One = 2\n")
    machine.begin()
    assert machine.build() == 2
    assert "saved a delta" in machine.run("save")
    machine.begin()
    assert machine.build() == 0
    machine.run("save")
    assert len(service.keys) == 2


def test_a_changed_package_is_stored_by_its_difference(machine: Machine, service: CacheService) -> None:
    """Three times. The build gets the same bytes as without a cache, and nothing stays behind."""
    large = f'const Big = "{random.Random(1).randbytes(200_000).hex()}"'
    sizes = []
    for number in range(4):
        (machine.bench.project / "two" / "code.go").write_text(f"package two\n\n{large}\n\nvar Two = {number}\n")
        machine.begin()
        assert machine.build() == (1 if number else 3)
        assert ("delta" if number else "full entry") in machine.run("save")
        sizes.append(sum(len(service.archive(key)) for key in service.keys))
        assert not list(machine.bench.folder.glob("state.json.*")), "save removes what it needed"
    assert all(later - earlier < 20_000 for earlier, later in itertools.pairwise(sizes))
    machine.begin()
    assert machine.build() == 0
    assert machine.leftovers() == []
    package = machine.export("two")
    shutil.rmtree(machine.gocache)
    assert machine.build() == 3
    assert machine.export("two") == package


def test_run_restores_too(machine: Machine, service: CacheService) -> None:
    machine.begin()
    machine.build()
    machine.run("save")
    shutil.rmtree(machine.gocache)
    result = machine.bench.quickly("run", "--build-cache", "true", "--store", "github", **machine.environ)
    assert result.status == 0, result.text
    assert "files restored" in result.text
    assert machine.build() == 0
    assert service.keys


def test_a_report_has_what_was_restored_and_used(machine: Machine, service: CacheService) -> None:
    """In the report file of `run`; and in the record and the job summary of `save`, which GitHub shows together."""
    machine.begin()
    machine.build()
    machine.run("save")
    shutil.rmtree(machine.gocache)
    bench, summary = machine.bench, machine.bench.folder / "summary.md"
    given = ("--build-cache", "true", "--store", "github", "--report-file", str(bench.report_file))
    result = bench.quickly("run", *given, **machine.environ)
    assert result.status == 0, result.text
    assert bench.report["build_cache"]["key"] in service.keys
    assert bench.report["build_cache"]["of_same_job"]
    (bench.project / "one" / "one.go").write_text("package one\n\nvar One = 3\n")
    machine.build()
    summary.touch()
    said = machine.run("save", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    values = json.loads(next(line for line in said.splitlines() if line.startswith(BUILD_PREFIX))[len(BUILD_PREFIX) :])
    assert 0 < values["restored_used_bytes"] < values["restored_bytes"]
    assert 0 < values["new_files"] < values["used_files"]
    assert values["matched_key"] == bench.report["build_cache"]["key"]
    assert values["key"] in service.keys
    assert "**go-prefetch: build cache** " in summary.read_text()
    silent = machine.run("save", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary), GO_PREFETCH_RECORD="false")
    assert BUILD_PREFIX not in silent


def test_a_read_only_gocache_is_a_warning(machine: Machine) -> None:
    machine.begin()
    machine.build()
    machine.run("save")
    shutil.rmtree(machine.gocache)
    machine.gocache.write_text("no folder")
    result = machine.bench.quickly("build-cache", "restore", **machine.environ)
    assert (result.status, [notice.slug for notice in result.notices]) == (0, ["build-cache-unwritable"])
    machine.gocache.unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("route", "fault"),
    [
        ("lookup", faults.HTML), ("blob.get", 404), ("blob.get", faults.TRUNCATED),
        ("create", faults.RESET), ("blob.put", 503), ("finalize", faults.HTML),
    ],
)  # fmt: skip
def test_a_service_that_fails_leaves_the_job_right(
    machine: Machine, service: CacheService, route: str, fault: int | str
) -> None:
    """Whatever it does: status 0, no half file in GOCACHE, and the build and the next job are right."""
    machine.begin()
    machine.build()
    machine.run("save")
    service.inject(route, [fault], times=None)
    (machine.bench.project / "two" / "code.go").write_text(f'package two\n\nconst Big = "{BIG}"\n\nvar Two = 3\n')
    machine.begin()
    assert machine.build() in (1, 3)
    machine.run("save")
    service.faults.clear()
    machine.begin()
    assert machine.build() in (0, 1)
    assert machine.leftovers() == []


def test_a_killed_restore_is_cleared_by_the_next(machine: Machine, service: CacheService) -> None:
    machine.begin()
    machine.build()
    machine.run("save")
    shutil.rmtree(machine.gocache)
    service.inject("blob.get", [faults.STUCK], times=None)
    machine.kill("restore", service, at="blob.get")
    assert "no-build-state" in machine.run("save"), "the state of the job before must not be used"
    service.faults.clear()
    left = machine.gocache / "00" / f"{'0' * 64}-d{'1' * DIGITS}.tmp"
    left.parent.mkdir(parents=True, exist_ok=True)
    with recording(machine.gocache) as record:
        record(left.relative_to(machine.gocache).as_posix())
        left.write_bytes(b"half")
        notes = {path: path.read_bytes() for path in (machine.gocache / ".go-prefetch").iterdir()}
    for path, content in notes.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    machine.begin(is_new=False)
    assert machine.build() == 0
    assert machine.leftovers() == []


def test_a_save_that_is_killed_leaves_the_next_one_free(machine: Machine, service: CacheService) -> None:
    machine.begin()
    machine.build()
    service.inject("blob.put", [faults.SILENCE], times=None)
    machine.kill("save", service, at="blob.put")
    service.faults.clear()
    assert machine.begin()
    assert machine.build() == 3
    assert "saved a full entry" in machine.run("save")


def test_gocache_off_and_gocacheprog_turn_it_off(machine: Machine) -> None:
    for variables in ({"GOCACHE": "off"}, {"GOCACHEPROG": "/bin/true"}):
        result = machine.bench.quickly("build-cache", "restore", **{**machine.environ, **variables})
        assert (result.status, [notice.slug for notice in result.notices]) == (0, ["build-cache-off"])


@pytest.mark.parametrize("command", [("build-cache", "restore"), ("run", "--build-cache", "true")])
def test_save_does_not_use_an_earlier_job_if_it_is_off(machine: Machine, command: tuple[str, ...]) -> None:
    machine.begin()
    assert machine.bench.quickly(*command, **{**machine.environ, "GOCACHE": "off"}).status == 0
    assert "no-build-state" in machine.run("save")


@pytest.mark.parametrize("action", ["restore", "save"])
def test_build_cache_false_turns_it_off(machine: Machine, action: str) -> None:
    """Also for `save` in a job that has restored."""
    machine.begin()
    result = machine.bench.quickly("build-cache", action, "--build-cache", "false", **machine.environ)
    assert (result.status, [notice.slug for notice in result.notices]) == (0, ["build-cache-off"])


def test_save_without_restore_says_so(machine: Machine) -> None:
    result = machine.bench.quickly("build-cache", "save", **machine.environ)
    assert (result.status, [notice.slug for notice in result.notices]) == (0, ["no-build-state"])


def test_two_jobs_share_a_gocache(machine: Machine, service: CacheService) -> None:
    """One restores while the other builds."""
    machine.begin()
    machine.build()
    machine.run("save")
    shutil.rmtree(machine.gocache)
    runs = [machine.bench.start("build-cache", "restore", **machine.environ) for _ in range(2)]
    assert machine.build() <= 3
    for run in runs:
        assert (run.communicate(timeout=60), run.returncode)[1] == 0
    assert machine.build() == 0
    assert machine.leftovers() == []
    assert service.keys


def test_times_in_the_future_count_as_used(machine: Machine, service: CacheService) -> None:
    """The clock of a machine, or of a file system, may be wrong."""
    machine.begin()
    machine.build()
    machine.run("save")
    machine.begin()
    for path in machine.gocache.rglob("*-a"):
        os.utime(path, (4e9, 4e9))
    (machine.bench.project / "two" / "code.go").write_text(f'package two\n\nconst Big = "{BIG}"\n\nvar Two = 3\n')
    assert machine.build() == 1
    machine.run("save")
    machine.begin()
    assert machine.build() == 0
    assert len(service.keys) == 2


@pytest.mark.parametrize(
    ("store", "slug"),
    [
        ("auto", "build-cache-off"), ("github", "no-cache-service"), ("none", "store-none"),
        ("https://localhost:9/pool", "build-cache-off"),
    ],
)  # fmt: skip
def test_without_a_store_the_build_cache_says_why(machine: Machine, store: str, slug: str) -> None:
    """The default pool would only repeat what is in GOCACHE on the same machine."""
    machine.offered = {"GO_PREFETCH_STORE": store}
    result = machine.bench.quickly("build-cache", "restore", **machine.environ)
    assert (result.status, [notice.slug for notice in result.notices]) == (0, [slug])


@pytest.fixture
def in_bucket(bench: Workbench, seaweedfs: SeaweedFS) -> Machine:
    """Jobs whose store is a new bucket."""
    store = {"GO_PREFETCH_STORE": f"s3://{seaweedfs.new_bucket()}/go", "GO_PREFETCH_SAVE": "true"}
    return Machine(bench, {**store, **seaweedfs.variables(WRITER)})


def test_bucket_brings_the_next_job_what_it_needs(in_bucket: Machine) -> None:
    """A full entry, then a delta, in the post step and in `run`."""
    assert "nothing restored" in in_bucket.begin()
    assert in_bucket.build() == 3
    assert "saved a full entry" in in_bucket.run("save")
    (in_bucket.bench.project / "one" / "one.go").write_text("package one\n\nvar One = 2\n")
    in_bucket.begin()
    assert in_bucket.build() == 2
    assert "saved a delta" in in_bucket.run("save")
    shutil.rmtree(in_bucket.gocache)
    result = in_bucket.bench.quickly("run", "--build-cache", "auto", **in_bucket.environ)
    assert (result.status, in_bucket.build()) == (0, 0)
    assert in_bucket.leftovers() == []


def test_bucket_that_may_not_be_written_is_a_warning(in_bucket: Machine, seaweedfs: SeaweedFS) -> None:
    in_bucket.begin()
    in_bucket.build()
    in_bucket.run("save")
    in_bucket.offered |= seaweedfs.variables(READER)
    (in_bucket.bench.project / "one" / "one.go").write_text("package one\n\nvar One = 2\n")
    in_bucket.begin()
    assert in_bucket.build() == 2
    result = in_bucket.bench.quickly("build-cache", "save", **in_bucket.environ)
    assert (result.status, [notice.slug for notice in result.notices]) == (0, ["store-denied", "store-failed"])


def test_bucket_takes_a_large_entry_in_parts(seaweedfs: SeaweedFS) -> None:
    """A bucket takes no condition with parts. A second entry with the same key is refused all the same."""
    variables, content = seaweedfs.variables(WRITER), os.urandom(12 << 20)
    config = {
        "endpoint": variables["AWS_ENDPOINT_URL"], "region": variables["AWS_REGION"],
        "access_key_id": WRITER.key_id, "secret_access_key": WRITER.secret,
    }  # fmt: skip
    bucket = Bucket(f"s3://{seaweedfs.new_bucket()}/go", config, BucketLimits(5.0, 10.0, 60.0))
    connection, deadline = object_connection(bucket, "plain-1"), Deadline.after(60)

    def save() -> None:
        with uploading(lambda: connection.service.reserve(build_key(1), deadline), deadline) as out:
            out.write(content)

    save()
    with pytest.raises(NotAllowed):
        save()
    found = connection.service.look_up([build_key(1)], deadline)
    assert found
    with connection.open(found.url, lambda: "", deadline, 1) as stream:
        assert b"".join(iter(partial(stream.read, 1 << 20), b"")) == content
