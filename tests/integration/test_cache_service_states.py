"""States of a cache service that are normal, whose entries a run may use and make, and what is never shown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from tests.support.fakes.cache_service import CacheService, Token
from tests.support.fakes.cache_service.blobs import SIGNATURE
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.service_job import ENCODINGS, MAIN, Job
from tests.support.workbench import Workbench

pytestmark = pytest.mark.slow  # many whole runs

LIB = FakeModule("example.com/lib", "v1.2.3", files={"lib.go": "package lib\n", "ünï/ä.txt": "x", "empty": ""})
BIG = FakeModule("example.com/big", "v1.0.0", padding=200_000)
PRIVATE = FakeModule("corp.example.com/secret", "v1.0.0")
READER = Token("reader-token", writes=False)
WRITER = Token("writer-token", reads=False)
PROTOCOLS = ("v2", "v1")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((LIB, BIG, PRIVATE)) as server:
        yield server


@pytest.fixture
def service() -> Iterator[CacheService]:
    with CacheService(MAIN, READER, WRITER) as server:
        yield server


@pytest.fixture
def job(bench: Workbench, service: CacheService, proxy: ModuleProxy) -> Job:
    return Job(bench, service, proxy)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding(bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job, encoding: str) -> None:
    variables = job.only(encoding)
    job(LIB, BIG, environ=variables)
    job(LIB, BIG, run=2, environ=variables)
    assert bench.outputs["cache-result"] == "exact"
    assert proxy.paths() == []
    assert bench.report["admit"]["modules"] == 2
    (key,) = service.keys
    assert service.archive(key).startswith(b"manifest.json") == (encoding == "no zstd")


@pytest.mark.system
def test_either_kind_of_zstd_reads_what_the_other_wrote(bench: Workbench, job: Job) -> None:
    job(LIB, BIG)
    job(LIB, BIG, run=2, environ=job.only("zstd program"))
    assert bench.outputs["cache-result"] == "exact"


def test_nobody_is_handed_what_he_cannot_read(bench: Workbench, service: CacheService, job: Job) -> None:
    job(LIB, BIG)
    job(LIB, BIG, run=2, environ=job.only("no zstd"))
    assert bench.outputs["cache-result"] == "miss"
    assert len(service.keys) == 2


def test_no_service_in_this_context(bench: Workbench, proxy: ModuleProxy) -> None:
    bench.write_project((LIB,))
    arguments = ("run", "--store", "github", "--report-file", str(bench.report_file))
    result = bench.run(*arguments, GOPROXY=proxy.url)
    assert result.status == 0
    assert "[no-cache-service]" in bench.report["restore"]["because_not"]
    assert bench.outputs["cache-result"] == "miss"
    assert bench.report["warnings"] == []


STEP = {"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}


@pytest.mark.parametrize("store", ["auto", "github"])
@pytest.mark.parametrize(
    ("offer", "cause"),
    [({}, "to this step."), ({"ACTIONS_CACHE_SERVICE_V2": "1"}, "ACTIONS_RUNTIME_TOKEN is not set")],
    ids=["step", "no token"],
)
def test_hosted_runner_without_endpoint_names_the_action(
    bench: Workbench, proxy: ModuleProxy, service: CacheService, store: str, offer: dict[str, str], cause: str
) -> None:
    """The pool of such a machine ends with the job. No service is tried with a token that is not there."""
    bench.write_project((LIB,))
    urls = {"ACTIONS_CACHE_URL": service.url, "ACTIONS_RESULTS_URL": service.url} if offer else {}
    arguments = ("run", "--store", store, "--report-file", str(bench.report_file))
    result = bench.run(*arguments, GOPROXY=proxy.url, **STEP, **offer, **urls)
    assert result.status == 0
    assert "No cache service is offered to this step" in bench.report["restore"]["because_not"]
    assert cause in bench.report["restore"]["because_not"]
    assert "Use the action" in result.text
    assert "for the next run" not in result.text
    assert "githubstatus" not in result.text
    assert service.routes == []
    assert bench.report["warnings"] == []


def test_hosted_runner_whose_pool_is_carried_is_an_exact_hit(bench: Workbench, proxy: ModuleProxy) -> None:
    """A workflow may carry the pool with a step of its own."""
    bench.write_project((LIB,))
    for _ in range(2):
        bench.forget_modcache()
        arguments = ("run", "--store", "auto", "--report-file", str(bench.report_file))
        assert bench.run(*arguments, GOPROXY=proxy.url, **STEP).status == 0
    assert bench.outputs["cache-result"] == "exact"
    assert bench.report["restore"]["because_not"] == ""


def test_auto_takes_the_service_where_there_is_one(bench: Workbench, service: CacheService, job: Job) -> None:
    job(LIB, flags=("--store", "auto"))
    assert len(service.keys) == 1
    assert bench.report["restore"]["store"] == "the cache service"


@pytest.mark.parametrize(("mode", "reads", "saves"), [("read", 1, 0), ("write-only", 0, 1), ("none", 0, 0)])
def test_cache_mode(bench: Workbench, service: CacheService, job: Job, mode: str, reads: int, saves: int) -> None:
    job(LIB, environ={"ACTIONS_CACHE_MODE": mode})
    assert ("lookup" in service.routes, len(service.keys)) == (bool(reads), saves)
    assert bench.report["warnings"] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_that_may_only_read(bench: Workbench, service: CacheService, job: Job, protocol: str) -> None:
    """As those of forks and of events that outsiders can cause."""
    job(LIB, token=READER, protocol=protocol)
    assert service.keys == []
    assert bench.report["save"]["because_not"] != ""
    assert bench.report["warnings"] == []
    job(LIB, protocol=protocol)
    job(LIB, token=READER, protocol=protocol, run=3)
    assert bench.outputs["cache-result"] == "exact"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_that_may_only_write(bench: Workbench, service: CacheService, job: Job, protocol: str) -> None:
    job(LIB, token=WRITER, protocol=protocol)
    assert len(service.keys) == 1
    assert bench.report["restore"]["because_not"] != ""
    assert bench.report["warnings"] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_expired_token(bench: Workbench, service: CacheService, job: Job, protocol: str) -> None:
    job(LIB, token=Token("of-yesterday"), protocol=protocol)
    assert "[store-not-allowed]" in bench.report["restore"]["because_not"]
    assert bench.report["warnings"] == []
    assert service.routes == ["lookup", "create"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_limit_of_the_service_is_not_waited_for(
    bench: Workbench, service: CacheService, job: Job, protocol: str
) -> None:
    """The service asks for a minute of silence, and gets it."""
    service.entries.creates_left = service.entries.look_ups_left = 0
    job(LIB, protocol=protocol)
    assert service.routes == ["lookup"]
    assert bench.report["warnings"] == []
    assert "[store-not-allowed]" in bench.report["save"]["because_not"]


def test_short_limit_of_the_service_is_waited_for(bench: Workbench, service: CacheService, job: Job) -> None:
    """It refuses the first call of each kind, which has one attempt, and asks for no time."""
    service.faults.retry_after = 0
    for route in ("lookup", "create"):
        service.inject(route, 429, times=1)
    job(LIB, flags=("--attempts", "1"))
    assert [request.status_or_fault for request in service.requests].count(429) == 2
    assert len(service.keys) == 1
    assert bench.report["warnings"] == []


def test_storage_is_full(bench: Workbench, service: CacheService, job: Job) -> None:
    service.entries.full = True
    job(LIB)
    assert bench.report["save"]["because_not"] != ""
    assert bench.report["warnings"] == []


@pytest.mark.parametrize(
    "variables",
    [
        {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-1-abc"},
        {"GITHUB_REF": "refs/tags/v1.0.0", "GITHUB_REF_TYPE": "tag"},
    ],
)
def test_what_nobody_could_read_is_not_saved(
    bench: Workbench, service: CacheService, job: Job, variables: dict[str, str]
) -> None:
    job(LIB, environ=variables)
    assert "create" not in service.routes
    job(LIB, flags=("--save", "true"), environ=variables)
    assert len(service.keys) == 1


def test_save_false(service: CacheService, job: Job) -> None:
    job(LIB, flags=("--save", "false"))
    assert "create" not in service.routes


@pytest.mark.parametrize(("is_private", "saved"), [(True, True), (False, False)])
def test_private_modules_go_into_private_repositories_only(
    bench: Workbench, service: CacheService, job: Job, is_private: bool, saved: bool
) -> None:
    """Who may read a public repository's caches may not read its company's modules."""
    event = bench.folder / "event.json"
    event.write_text(json.dumps({"repository": {"private": is_private}}))
    marked = {"GONOSUMDB": "corp.example.com", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
    files = {"GITHUB_OUTPUT": str(bench.folder / "output"), "GITHUB_STEP_SUMMARY": str(bench.folder / "summary")}
    for path in files.values():
        open(path, "w").close()  # noqa: PTH123
    job(LIB, PRIVATE, environ={**marked, **files, **job.only("no zstd")})
    (key,) = service.keys
    assert (b"corp.example.com/secret/@v/v1.0.0.zip" in service.archive(key)) == saved
    assert b"example.com/lib/@v/v1.2.3.zip" in service.archive(key)


@pytest.mark.parametrize(("runner", "notices"), [("github-hosted", 1), ("self-hosted", 0)])
def test_modules_that_an_earlier_step_has_restored_are_noticed(
    bench: Workbench, proxy: ModuleProxy, job: Job, runner: str, notices: int
) -> None:
    """Older than the job, on a machine that was fresh with it. Machines that are kept have such modules, too."""
    job(LIB, BIG)
    os.utime(next(bench.download_folder.rglob("lib/@v/*.zip")), (1_700_000_000, 1_700_000_000))
    event = bench.folder / "event.json"
    event.write_text("{}")
    os.utime(event, (1_700_000_100, 1_700_000_100))
    marked = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event), "RUNNER_ENVIRONMENT": runner}
    result = bench.run("run", "--store", "none", GOPROXY=proxy.url, **marked)
    assert result.status == 0
    assert result.text.count("[duplicate-cache]") == notices


def test_entries_expired_under_a_download_are_looked_up_again(
    bench: Workbench, service: CacheService, proxy: ModuleProxy, job: Job
) -> None:
    job(LIB, BIG)
    service.inject("blob.get", "expired", times=2)
    job(LIB, BIG, run=2)
    assert bench.outputs["cache-result"] == "exact"
    assert service.routes.count("lookup") >= 2
    assert proxy.paths() == []


def test_a_server_without_ranges(bench: Workbench, proxy: ModuleProxy) -> None:
    with CacheService(MAIN, has_ranges=False) as service:
        job = Job(bench, service, proxy)
        job(LIB, BIG)
        job(LIB, BIG, run=2)
        assert bench.outputs["cache-result"] == "exact"
        assert proxy.paths() == []


def test_as_act_has_it(bench: Workbench, proxy: ModuleProxy) -> None:
    """No token, keys in lower case, a key can be taken twice."""
    with CacheService(MAIN, act_like=True) as service:
        job = Job(bench, service, proxy)
        job(LIB, BIG, protocol="v1", environ={"ACTIONS_RUNTIME_TOKEN": ""})
        job(LIB, BIG, protocol="v1", environ={"ACTIONS_RUNTIME_TOKEN": ""})
        assert bench.outputs["cache-result"] == "exact"


@pytest.mark.parametrize("fault", [None, 403, 500, "reset", "truncated"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_signatures_and_tokens_are_shown_nowhere(
    bench: Workbench, service: CacheService, job: Job, protocol: str, fault: int | str | None
) -> None:
    if fault is not None:
        for route in ("blob.get", "blob.put", "chunk"):
            service.inject(route, fault, times=None)
    """Not in the log, not in the report, not in a trace of every request."""
    shown, trace = "", bench.folder / "trace.json"
    for run in (1, 2):
        flags = ("--verbose", "--attempts", "1", "--trace", str(trace))
        result = job(LIB, protocol=protocol, run=run, flags=flags)
        shown += result.text + bench.report_file.read_text() + trace.read_text()
    assert "_apis" in shown or "twirp" in shown
    path = service.v1()["ACTIONS_CACHE_URL"].split("/")[3]
    for secret in (SIGNATURE, MAIN.text, path):
        assert secret not in shown
