"""Job summary and record line of real runs: they say what happened, whatever went wrong."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from go_prefetch.model.cold_runs import Machine
from go_prefetch.render.record import PREFIX, Record, parse_record
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.service_job import MAIN, Job
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.slow  # whole runs for each text

LIB = FakeModule("example.com/lib", "v1.2.3", padding=30_000)
OLD, NEW = (FakeModule("github.com/Upper/Case", version, padding=1000) for version in ("v1.0.0", "v1.1.0"))


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy([LIB, OLD, NEW]) as server:
        yield server


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    """Where the runner takes it from."""
    path = tmp_path / "summary.md"
    path.touch()
    return path


@pytest.fixture
def on_github(summary: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "outputs").touch()
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(tmp_path / "outputs")}


def record_of(result: Result) -> Record:
    """The one record of the log."""
    lines = [line for line in result.stdout.splitlines() if PREFIX in line]
    assert len(lines) == 1, result.text
    record = parse_record(lines[0])
    assert record is not None
    return record


@pytest.mark.parametrize("where", ["terminal", "GitHub"])
def test_every_run_leaves_one_record(
    bench: Workbench, proxy: ModuleProxy, on_github: dict[str, str], where: str
) -> None:
    """On standard output, on every platform, the same figures as the outputs; a miss, a hit, nothing to do."""
    variables = on_github if where == "GitHub" else {}
    bench.write_project([LIB, OLD])
    for wanted in ("miss", "exact", "present"):
        record = record_of(bench.prefetch(goproxy=proxy.url, **variables))
        assert record.result == wanted == bench.outputs["cache-result"]
        assert record.key == bench.outputs["cache-key"]
        assert (record.modules, str(record.modules_from_cache)) == (2, bench.outputs["modules-from-cache"])
        assert record.go == bench.go("env", "GOVERSION").stdout.strip()
        assert (record.cores, record.os) == (os.cpu_count(), sys.platform)
        if wanted == "miss":
            bench.forget_modcache()


def test_a_run_that_fails_leaves_its_record_too(bench: Workbench, proxy: ModuleProxy) -> None:
    """With the name of what failed it."""
    bench.write_project([LIB])
    proxy.fault("*", Fault.SERVER_ERROR)
    result = bench.prefetch("--attempts", "1", goproxy=proxy.url)
    assert result.status == 5
    assert record_of(result).failure == "proxy-unavailable"


def test_rerun_after_a_failure_counts_modules_alike(bench: Workbench, proxy: ModuleProxy) -> None:
    """A module with its zip and without its `.info` is as missing in the table as it is in the headline."""
    bench.write_project([LIB, OLD])
    proxy.fault("example.com/lib/@v/v1.2.3.info", Fault.SERVER_ERROR, times=2)
    assert bench.prefetch("--attempts", "1", "--store", "none", goproxy=proxy.url).status == 5
    again = bench.prefetch("--store", "none", goproxy=proxy.url)
    assert again.status == 0, again.text
    assert "0 of 1 module from cache, 1 already present" in again.text
    assert "2: 0 from cache, 1 downloaded, 0 by Go, 1 already present" in again.text
    assert "1 of 6 files missing" in again.text


def test_what_changed_in_go_sum_is_in_the_summary(
    bench: Workbench, proxy: ModuleProxy, summary: Path, on_github: dict[str, str]
) -> None:
    """Against the entry of the cache service that was matched."""
    with CacheService(MAIN) as service:
        job = Job(bench, service, proxy)
        job(LIB, OLD)
        record = record_of(job(LIB, NEW, run=2, environ=on_github))
    assert (record.result, record.modules, record.modules_from_cache) == ("partial", 2, 1)
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("**go-prefetch: ")
    assert "| upgraded | `github.com/Upper/Case` | `v1.0.0` | `v1.1.0` |" in text
    costs = text.partition("modules that cost most")[2].partition("</details>")[0]
    assert re.search(rf"\| 1\.\d\skB \| `github.com/Upper/Case@v1.1.0` \| `{proxy.url}`\sin\s\d", costs)
    assert re.search(r"\| \d+\.\d\skB \| `example.com/lib@v1.2.3` \| cache \|", costs)


def test_a_store_that_cannot_be_reached_is_a_reason(
    bench: Workbench, proxy: ModuleProxy, summary: Path, on_github: dict[str, str]
) -> None:
    """The service is gone: a miss that says so, in the summary and in the record."""
    with CacheService(MAIN) as service:
        job = Job(bench, service, proxy)
        gone = {"ACTIONS_RESULTS_URL": "http://127.0.0.1:9/", "ACTIONS_CACHE_URL": "http://127.0.0.1:9/"}
        result = job(LIB, flags=["--attempts", "1"], environ={**gone, **on_github})
    assert "store-unreachable" in summary.read_text(encoding="utf-8")
    assert "store-unreachable" in record_of(result).reason


def test_retries_are_in_the_summary(
    bench: Workbench, proxy: ModuleProxy, summary: Path, on_github: dict[str, str]
) -> None:
    """Which file, and what the proxy said."""
    bench.write_project([LIB])
    proxy.fault("example.com/lib/@v/v1.2.3.zip", Fault.SERVER_ERROR, times=1)
    result = bench.prefetch(goproxy=proxy.url, **on_github)
    assert result.status == 0, result.text
    assert record_of(result).failed_attempts == 1
    assert "| `example.com/lib@v1.2.3\N{NO-BREAK SPACE}.zip` | 1 |" in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize("store", ["pool", "cache service"])
def test_cold_seconds_travel_with_cores_and_system(bench: Workbench, proxy: ModuleProxy, store: str) -> None:
    """In the ledger of a pool as in the manifest of an entry."""
    bench.write_project([LIB])
    if store == "pool":
        bench.prefetch(goproxy=proxy.url)
        (path,) = bench.pool.glob(".go-prefetch/runs/*.json")
        note = json.loads(path.read_bytes())
    else:
        with CacheService(MAIN) as service:
            job = Job(bench, service, proxy)
            job(LIB, environ=job.only("no zstd"))
            (key,) = service.keys
            note = json.loads(service.archive(key)[512:].partition(b"\0")[0])["runs"][0]
    assert (note["cores"], note["os"]) == (os.cpu_count(), sys.platform)


@pytest.mark.parametrize(
    ("milliseconds", "changed"),
    [(0, {}), (500_000, {"cores": 1000}), (None, {"cores": "many", "os": 5}), (None, {"times": None})],
    ids=["a loss", "another machine", "senseless machine", "a note of an older version"],
)
def test_what_a_note_of_a_cold_run_is_worth(
    bench: Workbench,
    proxy: ModuleProxy,
    summary: Path,
    on_github: dict[str, str],
    milliseconds: int | None,
    changed: dict[str, object],
) -> None:
    """A loss is a negative figure, and another kind of machine is named. An invalid note is none."""
    bench.write_project([LIB])
    bench.prefetch(goproxy=proxy.url)
    (path,) = bench.pool.glob(".go-prefetch/runs/*.json")
    note = json.loads(path.read_bytes())
    note |= {"times": [[0, milliseconds or 0, size] for _, _, size in note["times"]]} | changed
    path.write_text(json.dumps({name: value for name, value in note.items() if value is not None or "verify" in name}))
    bench.forget_modcache()
    result = bench.prefetch(goproxy=proxy.url, **on_github)
    assert result.status == 0, result.text
    record = record_of(result)
    assert record.cold_seconds == (None if milliseconds is None else milliseconds / 1000)
    assert (record.seconds_saved is None) == (milliseconds is None)
    if record.seconds_saved is not None:
        assert record.seconds_saved < 0 if milliseconds == 0 else record.seconds_saved > 400
    text = summary.read_text(encoding="utf-8")
    assert (str(Machine(1000, sys.platform)) in text) == (changed.get("cores") == 1000)


def test_failures_that_plain_go_would_have_had_are_counted(
    bench: Workbench, proxy: ModuleProxy, summary: Path, on_github: dict[str, str]
) -> None:
    """Behind a comma Go does not go on after an error; we do where asked to, and say what that was worth."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as broken:
        broken.fault("*", Fault.SERVER_ERROR)
        flags = ("--fallback", "any", "--attempts", "2")
        result = bench.prefetch(*flags, goproxy=f"{broken.url},{proxy.url}", **on_github)
    assert result.status == 0, result.text
    assert record_of(result).failures_avoided == 3
    assert "`go mod download`" in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize("store", ["pool", "cache service"])
def test_time_saved_survives_an_upgrade(bench: Workbench, proxy: ModuleProxy, store: str) -> None:
    """The run that upgrades has an estimate; the next hit is measured by what two cold runs noted of its files."""
    if store == "cache service":
        with CacheService(MAIN) as service:
            job = Job(bench, service, proxy)
            records = [record_of(job(LIB, one, run=n)) for n, one in enumerate((OLD, NEW, NEW), 1)]
    else:
        records = []
        for one in (OLD, NEW, NEW):
            bench.write_project([LIB, one])
            bench.forget_modcache()
            records.append(record_of(bench.prefetch(goproxy=proxy.url)))
    cold, upgrade, hit = records
    assert (cold.result, cold.seconds_saved, cold.seconds_saved_estimate) == ("miss", None, None)
    assert (upgrade.result, upgrade.seconds_saved, upgrade.modules_measured) == ("partial", None, 1)
    assert upgrade.seconds_saved_estimate is not None
    assert (hit.result, hit.modules_measured, hit.seconds_saved_estimate) == ("exact", 2, None)
    assert hit.seconds_saved is not None
    assert hit.seconds_saved_is_minimum
