"""The story: plan, restore, download, admit, complete, save, report. Each line takes what the ones before made."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from go_prefetch.gocommand import GoCommand, GoEnvironment
from go_prefetch.modcache import ModuleFile, download_folder
from go_prefetch.ports import Arrived, CacheStore, Platform
from go_prefetch.proxies.walk import ProxyWalk
from go_prefetch.report import Report
from go_prefetch.results import Downloaded, Plan
from go_prefetch.retry import Backoff, Deadline
from go_prefetch.settings import Settings
from go_prefetch.steps.admit import quarantine
from go_prefetch.steps.check import check_present, remove_bad
from go_prefetch.steps.complete import complete
from go_prefetch.steps.doubled import doubled
from go_prefetch.steps.download import download, nobody_waits, still_missing
from go_prefetch.steps.plan import make_plan
from go_prefetch.steps.report import nothing_to_report, report
from go_prefetch.steps.restore import restore
from go_prefetch.steps.save import save
from go_prefetch.steps.stuck import Limits
from go_prefetch.trace import UNTRACED, Trace

# Go is silent while it unpacks, and a zip takes longer than an answer.
_GO_SILENCE_FACTOR = 4


def prefetch(  # noqa: PLR0913 - the two ports, Go, the proxies and two ways to stop
    settings: Settings,
    platform: Platform,
    store: CacheStore,
    go: GoCommand,
    environment: GoEnvironment,
    walk: ProxyWalk,
    *,
    deadline: Deadline,
    cancelled: threading.Event,
    trace: Trace = UNTRACED,
) -> Report:
    """Fill the module cache from the store, then from the proxies; let Go judge; keep what was new.

    Raises PrefetchError for bad input and an unwritable module cache. Go's failure is in the report.
    """
    started = time.monotonic()

    def bring(files: Sequence[ModuleFile], avoid: str, arrived: Arrived = nobody_waits) -> Downloaded:
        return download(
            files, walk, plan.folder, avoid=avoid, jobs=settings.jobs, deadline=deadline, cancelled=cancelled,
            progress=platform.progress, arrived=arrived,
        )  # fmt: skip

    with platform.group("Plan"), trace.span("Plan", "step"):
        plan = make_plan(settings, environment, download_folder(environment.gomodcache))
        platform.info(f"{len(plan.modules)} modules, {len(plan.missing)} of {len(plan.files)} files missing")
    if note := doubled(plan, platform.job_began):
        platform.notice(note)
    if plan.disabled_because:
        return nothing_to_report(settings, plan, seconds=time.monotonic() - started, goversion=environment.goversion)
    mended = _checked(plan, environment, deadline) if settings.check_present else ()
    with quarantine(plan, environment, deadline, trace) as unpacked:
        with platform.group("Restore"), trace.span("Restore", "step"):
            restored = restore(store, plan, deadline.sooner(settings.restore_deadline), unpacked.take)
            platform.info(f"{len(restored.files)} files from {store.name}{_reason(restored.because_not)}")
        with platform.group("Download"), trace.span("Download", "step"):
            downloaded = bring(still_missing(plan, restored), "", unpacked.take)
            platform.info(f"{len(downloaded.files)} files downloaded, {len(downloaded.failures)} not")
        with platform.group("Admit"), trace.span("Admit", "step"):
            admitted = unpacked.admit()
            platform.info(f"{len(admitted.modules)} modules unpacked and verified ahead of go mod download")
            for reason, count in admitted.left_to_go.items():
                platform.info(f"{count} left to go mod download: {reason}")
    with platform.group("Complete"), trace.span("Complete", "step"):
        completed = complete(
            go, plan, restored, downloaded, fetch_again=bring, variables=_go_variables(settings, walk),
            limits=_go_limits(settings, deadline), goroot=environment.goroot, say=platform.detail,
        )  # fmt: skip
    with platform.group("Save"), trace.span("Save", "step"):
        saved = save(
            store, plan, restored, downloaded, admitted, completed,
            private_too=_saves_private(settings, platform), deadline=deadline.sooner(settings.save_deadline),
        )  # fmt: skip
        platform.info(f"{saved.files} files saved{_reason(saved.because_not)}")
    return report(
        settings, plan, restored, downloaded, admitted, completed, saved, seconds=time.monotonic() - started,
        goversion=environment.goversion, warnings=mended,
    )  # fmt: skip


def _checked(plan: Plan, environment: GoEnvironment, deadline: Deadline) -> tuple[str, ...]:
    checked = check_present(plan, environment, deadline)
    unchecked = (f"{len(checked.unchecked)} present modules could not be checked",) if checked.unchecked else ()
    return (*remove_bad(plan, checked, deadline), *unchecked)


def _reason(because_not: str) -> str:
    return f": {because_not}" if because_not else ""


def _go_variables(settings: Settings, walk: ProxyWalk) -> dict[str, str]:
    """GOMAXPROCS is how many files Go fetches at once; GOPROXY as the inputs have it."""
    return {"GOMAXPROCS": str(max(settings.jobs, os.cpu_count() or 1)), "GOPROXY": walk.goproxy}


def _go_limits(settings: Settings, deadline: Deadline) -> Limits:
    return Limits(settings.stall_timeout * _GO_SILENCE_FACTOR, Backoff(settings.attempts), deadline)


def _saves_private(settings: Settings, platform: Platform) -> bool:
    return settings.save_private == "true" or (settings.save_private == "auto" and platform.repository_is_private)
