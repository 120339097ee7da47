"""Reports as real jobs make them, one of each kind that a reader of a job summary meets."""

from __future__ import annotations

import dataclasses

from go_prefetch.errors import ProxyUnavailable, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.build_results import BuildRestored
from go_prefetch.model.cold_runs import Machine
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import (
    Admitted,
    Completed,
    Deferral,
    Downloaded,
    FailedAttempt,
    Failure,
    Fetched,
    Rejection,
    Restored,
    RestoredEntry,
    Saved,
    Source,
    StableTimes,
)
from tests.support.fakes.reports import POOL, PRIVATE, PROXY, REPORTS, cold, files_of, plan, report

SERVICE = "the cache service"
MODULES = tuple(
    ModuleVersion(path, version)
    for path, version in (
        ("cloud.google.com/go/storage", "v1.43.0"),
        ("github.com/Azure/azure-sdk-for-go/sdk/azcore", "v1.14.0"),
        ("github.com/aws/aws-sdk-go-v2", "v1.32.2"),
        ("github.com/cespare/xxhash/v2", "v2.3.0"),
        ("github.com/hashicorp/go-multierror", "v1.1.1"),
        ("github.com/prometheus/client_golang", "v1.20.5"),
        ("github.com/spf13/cobra", "v1.8.1"),
        ("golang.org/x/net", "v0.30.0"),
        ("google.golang.org/api", "v0.204.0"),
        ("google.golang.org/grpc", "v1.67.1"),
        ("k8s.io/api", "v0.31.2"),
        ("k8s.io/client-go", "v0.31.2"),
    )
)
_PLAN = plan(*MODULES, seconds=0.031)
_FILES = files_of(*MODULES)
_BYTES = 184_330_112


def _key(of: Plan, kind: str = "full", digest: str = "") -> str:
    lineage = of.key.text.removesuffix(of.key.digest)
    return f"{lineage}{kind}-{digest or of.key.digest}-9876543210.1"


def _fetched(*modules: ModuleVersion, source: str = PROXY) -> tuple[Fetched, ...]:
    """Zips of some size, each a little slower than the one before."""
    return tuple(
        Fetched(ModuleFile(module, kind), source, 1000 * (n + 1) ** 3, False, 0.1 + 0.2 * n)
        for n, module in enumerate(modules)
        for kind in ("zip", "mod", "info")
    )


def _downloaded(fetched: tuple[Fetched, ...], seconds: float, *sources: Source) -> Downloaded:
    return Downloaded(
        files={f.file: f.source for f in fetched},
        bytes=sum(f.bytes for f in fetched),
        seconds=seconds,
        sources=sources or (Source(PROXY, len(fetched), sum(f.bytes for f in fetched), 0),),
        fetched=fetched,
    )


def _entry(modules: tuple[ModuleVersion, ...], key: str) -> RestoredEntry:
    return RestoredEntry(key, held=frozenset(file.name for file in files_of(*modules)))


_ALL = _fetched(*MODULES)
_LACKS_NOTHING = Saved(skipped_reason=notice("nothing-to-save", "stored"))
_VERDICT = Completed(seconds=0.52)
_ADMITTED = Admitted(frozenset(MODULES), 1.48, overlapping_seconds=1.9)
_LARGEST = {module: 30_000_000 - 3_100_000 * n for n, module in enumerate(MODULES[3:])}

_EXACT = report(
    _PLAN,
    restored=Restored(
        SERVICE, _FILES, _BYTES, 2.07, cold=cold(35.12, verify_seconds=4.02), entry=_entry(MODULES, _key(_PLAN))
    ),
    largest_restored=_LARGEST,
    admitted=_ADMITTED,
    completed=_VERDICT,
    saved=_LACKS_NOTHING,
    seconds=4.1,
)

# go.sum before: one module older, one newer, one more, one not yet there.
_BEFORE = tuple(
    {
        ("golang.org/x/net", "v0.30.0"): ModuleVersion("golang.org/x/net", "v0.29.0"),
        ("k8s.io/api", "v0.31.2"): ModuleVersion("k8s.io/api", "v0.32.0"),
        ("github.com/spf13/cobra", "v1.8.1"): ModuleVersion("github.com/pkg/errors", "v0.9.1"),
    }.get(module, module)
    for module in MODULES
)
_NEW = tuple(module for module in MODULES if module not in _BEFORE)
_PARTIAL = report(
    _PLAN,
    restored=Restored(
        SERVICE,
        _FILES - files_of(*_NEW),
        170_000_000,
        1.9,
        cold=cold(34.0, estimate=30.2, is_minimum=True),
        entry=_entry(_BEFORE, _key(_PLAN, digest="0" * 64)),
    ),
    largest_restored=_LARGEST,
    downloaded=_downloaded(_fetched(*_NEW), 0.8),
    admitted=_ADMITTED,
    completed=_VERDICT,
    saved=Saved(9, 1_208_334, 0.4, key=_key(_PLAN, "delta", f"{_PLAN.key.digest}-{'0' * 64}")),
    seconds=5.2,
)

_BUSY = FailedAttempt(PROXY, "status 503", 503)
_RESET = FailedAttempt(PROXY, "connection reset by peer")
_RETRIED = tuple(
    dataclasses.replace(f, failed=(_BUSY, _RESET)[: 1 + n % 2], plain_go_fails=n % 2 == 1) if n < 4 else f
    for n, f in enumerate(_ALL)
)
_MISS = report(
    _PLAN,
    restored=Restored(SERVICE, seconds=0.21),
    downloaded=_downloaded(_RETRIED, 31.2, Source(PROXY, 36, sum(f.bytes for f in _RETRIED), 6)),
    admitted=Admitted(frozenset(MODULES[1:]), 2.9, {Deferral.TWO_HASHES: 1}),
    completed=Completed(seconds=1.02),
    saved=Saved(36, 140_110_223, 3.3, key=_key(_PLAN)),
    seconds=38.7,
)

_UNREACHABLE = notice("store-unreachable", "call", call="look-up", words="connection refused")
_STORE_FAILURE = dataclasses.replace(
    _MISS,
    restored=Restored(
        SERVICE,
        seconds=9.3,
        warnings=(_UNREACHABLE,),
    ),
    saved=Saved(skipped_reason=notice("store-failed")),
)

_LOST = tuple(
    Failure(ModuleFile(MODULES[3], kind), not_found=False, attempts=(FailedAttempt(PROXY, "status 502", 502),) * 4)
    for kind in ("zip", "mod", "info")
)
_PROXY_FAILURE = report(
    _PLAN,
    restored=Restored(SERVICE, seconds=0.2),
    downloaded=dataclasses.replace(_downloaded(_ALL[:6], 61.0), failures=_LOST),
    completed=Completed(
        seconds=3.4,
        failure=ProxyUnavailable("proxy-unavailable", count=len(_LOST), failures=_LOST, cause=None),
    ),
    saved=Saved(skipped_reason=notice("run-failed")),
    seconds=64.7,
)

_PRIVATE_PLAN = plan(*MODULES, PRIVATE, private=[PRIVATE], seconds=0.03)
_PRIVATE = report(
    _PRIVATE_PLAN,
    restored=dataclasses.replace(_EXACT.restored, entry=_entry(MODULES, _key(_PRIVATE_PLAN))),
    admitted=_ADMITTED,
    completed=Completed(files_of(PRIVATE), 43_210, seconds=3.9),
    saved=_LACKS_NOTHING,
    seconds=7.5,
)

_MEMBERS = tuple(
    dataclasses.replace(scope, folder=scope.folder / name, definition=scope.folder / name / "go.mod")
    for scope in _PLAN.scopes
    for name in ("api", "tools")
)
_WORKSPACE_PLAN = dataclasses.replace(_PLAN, scopes=_MEMBERS)
_WORKSPACE = dataclasses.replace(
    _EXACT,
    plan=_WORKSPACE_PLAN,
    restored=Restored(
        POOL,
        _FILES,
        _BYTES,
        0.4,
        cold=cold(
            35.12, Machine(2, "linux"), Machine(4, "linux"), runs=2, is_minimum=True, modules=9, modules_restored=12
        ),
    ),
)

SUMMARIES = {
    "job_exact": _EXACT,
    "job_partial": _PARTIAL,
    "job_miss": _MISS,
    "job_slower": dataclasses.replace(_EXACT, restored=dataclasses.replace(_EXACT.restored, cold=cold(1.2))),
    "job_slower_elsewhere": dataclasses.replace(
        _EXACT, restored=dataclasses.replace(_EXACT.restored, cold=cold(1.2, Machine(64, "linux")))
    ),
    "job_not_measured": dataclasses.replace(_EXACT, restored=dataclasses.replace(_EXACT.restored, cold=None)),
    "job_no_store": dataclasses.replace(
        _MISS,
        restored=Restored("no store", skipped_reason=notice("store-none")),
        saved=Saved(skipped_reason=notice("store-none")),
    ),
    "job_store_failure": _STORE_FAILURE,
    "job_damaged_entry": dataclasses.replace(
        _PARTIAL,
        restored=dataclasses.replace(
            _PARTIAL.restored,
            entry=_entry(MODULES, _key(_PLAN)),
            warnings=(notice("store-damaged", "entry", key="x", problem="it ends early"),),
        ),
    ),
    "job_rejected": dataclasses.replace(
        _EXACT,
        completed=Completed(
            rejected=(Rejection(ModuleFile(MODULES[0], "zip"), SERVICE, "checksum mismatch"),),
            seconds=1.4,
            refetched=_downloaded(_ALL[:1], 0.3),
        ),
    ),
    "job_proxy_failure": _PROXY_FAILURE,
    "job_private": _PRIVATE,
    "job_workspace": _WORKSPACE,
    # Of the jobs of one run that lacked the same, one saves.
    "job_matrix": dataclasses.replace(
        _MISS, saved=Saved(skipped_reason=notice("entry-taken")), machine=Machine(3, "darwin")
    ),
}
_BUILD = BuildRestored(
    SERVICE, f"go-prefetch-build-1-{'1' * 16}-{'2' * 16}-{'3' * 16}.{'4' * 16}-98765.1", True, 3079, 344_190_522,
    63_512_004, 3.4,
)  # fmt: skip
# With what a run does in addition to modules.
SUMMARIES |= {
    "exact_with_build_and_test_cache": dataclasses.replace(
        _EXACT, build=_BUILD, stable_times=StableTimes(1234, 3, 0.43)
    ),
    "vendored_with_build_cache": report(
        plan(disabled_because=notice("no-requirements", definition="/proj/go.mod")),
        build=BuildRestored(SERVICE, seconds=0.2),
    ),
}
ALL = REPORTS | SUMMARIES
