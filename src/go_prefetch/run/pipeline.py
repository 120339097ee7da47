"""The story: plan, restore, download, admit, complete, save, report. Each line takes what the ones before made."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from go_prefetch.base.format import counted
from go_prefetch.base.retry import Budget
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.config.settings import Settings
from go_prefetch.errors import Notice, PrefetchError
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Arrived, CacheStore, Platform
from go_prefetch.model.report import Report
from go_prefetch.model.results import Completed, Downloaded, Restored
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.render.messages import reason
from go_prefetch.run.steps.build_report import ended_early, nothing_to_report, report
from go_prefetch.run.steps.check_present import check_present, remove_bad, replace_unproven
from go_prefetch.run.steps.complete import complete
from go_prefetch.run.steps.detect_duplicate_cache import detect_duplicate_cache
from go_prefetch.run.steps.download import download, nobody_waits, still_missing
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.steps.restore import restore
from go_prefetch.run.steps.save import save
from go_prefetch.verification.admit import quarantine
from go_prefetch.verification.private_folder import clear_leftovers
from go_prefetch.verification.sandbox import clear_temporary_roots
from go_prefetch.verification.trees import Trees


@dataclass(frozen=True)
class Job:
    """What a run works with: what was asked for, the two ports, Go and the proxies, and when to stop."""

    settings: Settings
    platform: Platform
    store: CacheStore
    go: GoCommand
    environment: GoEnvironment
    walk: ProxyWalk
    trace: Trace = UNTRACED

    @property
    def budget(self) -> Budget:
        """When to stop, how often to try again, how much to do at once."""
        return self.walk.budget

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: a folded part of the log, and a span of the trace."""
        with self.platform.group(title), self.trace.span(title, "step"):
            yield

    def bring(
        self, folder: ModuleFolder, files: Sequence[ModuleFile], avoid: str = "", arrived: Arrived = nobody_waits
    ) -> Downloaded:
        """Download `files` into `folder`, from any proxy but `avoid` where there is another."""
        return download(
            files, self.walk, folder, avoid=avoid, progress=self.platform.progress, arrived=arrived,
        )  # fmt: skip


def prefetch(job: Job) -> Report:
    """Make the plan, and do what it says.

    Raises PrefetchError where there can be no plan. What fails a run after that is in the report.
    """
    started, goversion = time.monotonic(), job.environment.goversion
    plan = _planned(job)
    clear_leftovers(plan.folder.gomodcache)
    clear_temporary_roots()
    if plan.disabled_because:
        return nothing_to_report(job.settings, plan, seconds=time.monotonic() - started, goversion=goversion)
    try:
        return _prefetched(plan, job, started)
    except PrefetchError as error:
        seconds = time.monotonic() - started
        return ended_early(job.settings.shown, error, plan=plan, seconds=seconds, goversion=goversion)


def _prefetched(plan: Plan, job: Job, started: float) -> Report:
    """Fill the module cache from the store, then from the proxies; let Go judge; keep what was new.

    Raises PrefetchError for a module cache that takes no files. Go's failure is in the report.
    """
    say, begun = job.platform.info, time.monotonic()
    trees = Trees(plan, job.environment.goroot, job.budget.deadline)
    mended = _checked(plan, trees) if job.settings.check_present else ()
    with quarantine(plan, job.environment, job.budget.deadline, job.trace) as unpacked:
        with job.step("Restore"):
            restored = restore(
                job.store, plan, job.budget.deadline.earlier_of(job.settings.restore_deadline), unpacked.take
            )
            say(f"{counted(len(restored.files), 'file')} from {job.store.name}{_reason(restored.skipped_reason)}")
        with job.step("Download"):
            downloaded = job.bring(plan.folder, still_missing(plan, restored), arrived=unpacked.take)
            say(f"{counted(len(downloaded.files), 'file')} downloaded, {len(downloaded.failures)} not")
        with job.step("Admit"):
            admitted = unpacked.admit()
            say(f"{counted(len(admitted.modules), 'module')} unpacked and verified ahead of go mod download")
            for reason, count in admitted.deferred_to_go.items():
                say(f"{count} left to go mod download: {reason}")
            mended += replace_unproven(plan, admitted, trees)
    # With what it took to open and close the quarantine, so that the steps add up to the run.
    admitted = replace(admitted, seconds=time.monotonic() - begun - restored.seconds - downloaded.seconds)
    with job.step("Complete"):
        completed = _completed(plan, restored, downloaded, trees, job)
        trees.remove_marks()
    with job.step("Save"):
        saved = save(
            job.store, plan, restored, downloaded, admitted, completed,
            private_too=job.settings.save_private.applies(auto=job.platform.repository_is_private),
            go_logs_in=_go_logs_in(job), deadline=job.budget.deadline.earlier_of(job.settings.save_deadline),
        )  # fmt: skip
        say(f"{counted(saved.files, 'file')} saved{_reason(saved.skipped_reason)}")
    return report(
        job.settings, plan, restored, downloaded, admitted, completed, saved, seconds=time.monotonic() - started,
        goversion=job.environment.goversion, warnings=mended,
    )  # fmt: skip


def _planned(job: Job) -> Plan:
    with job.step("Plan"):
        plan = make_plan(job.settings, job.environment, ModuleFolder.of_cache(job.environment.gomodcache))
        job.platform.info(
            f"{counted(len(plan.modules), 'module')}, {len(plan.missing)} of {len(plan.files)} files missing"
        )
    if note := detect_duplicate_cache(plan, job.platform.job_began):
        job.platform.notice(note)
    return plan


def _checked(plan: Plan, trees: Trees) -> tuple[str, ...]:
    checked = check_present(plan, trees)
    unchecked = (f"{len(checked.unchecked)} present modules could not be checked",) if checked.unchecked else ()
    return (*remove_bad(plan, trees, checked), *unchecked)


def _completed(plan: Plan, restored: Restored, downloaded: Downloaded, trees: Trees, job: Job) -> Completed:
    """GOMAXPROCS is how many files Go fetches at once; GOPROXY as the inputs have it."""
    variables = {"GOMAXPROCS": str(max(job.settings.jobs, os.cpu_count() or 1)), "GOPROXY": job.walk.goproxy}
    return complete(
        job.go, plan, restored, downloaded,
        fetch_again=lambda files, avoid: job.bring(plan.folder, files, avoid), variables=variables,
        silence=job.settings.go_silence, budget=job.budget,
        goroot=job.environment.goroot, trees=trees, say=job.platform.detail,
    )  # fmt: skip


def _reason(skipped_reason: Notice | None) -> str:
    return f": {reason(skipped_reason)}" if skipped_reason else ""


def _go_logs_in(job: Job) -> bool:
    """Whether what Go fetched itself may have taken a login: of a proxy's URL, of netrc, or of GOAUTH."""
    ways = {way.strip() for way in job.environment.goauth.split(";")} - {"", "off", "netrc"}
    return bool(ways) or any(map(job.settings.web.authorization_for, job.walk.urls))
