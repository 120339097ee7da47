"""The steps of a run: plan, restore, download, verify, `go mod download`, save, report. Each uses earlier results."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from go_prefetch.base.background import end, result_of, run_in_background
from go_prefetch.base.format import counted, size
from go_prefetch.base.retry import Budget, Deadline
from go_prefetch.base.stopwatch import Timing
from go_prefetch.config.choices import OnFailure
from go_prefetch.config.settings import Settings
from go_prefetch.errors import Notice, PrefetchError, notice
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.toolchain import name_of
from go_prefetch.model.build_results import BuildRestored
from go_prefetch.model.cache_key import CacheKey, toolchain_key
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Announced, Arrived, CacheStore, Platform, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.report import Report, RunState
from go_prefetch.model.results import Downloaded, Restored
from go_prefetch.model.save_rule import SaveRule
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.render.build_cache import restored_text, stable_times_text
from go_prefetch.render.messages import attempt_lines, deferral, reason
from go_prefetch.run.steps.check_present import (
    check_present,
    detect_duplicate_cache,
    remove_bad,
    replace_unproven,
    unpack_toolchains_again,
)
from go_prefetch.run.steps.complete import complete
from go_prefetch.run.steps.download import Ahead, download, ignore_arrival, still_missing
from go_prefetch.run.steps.go_download import GoDownload
from go_prefetch.run.steps.plan import decide, make_plan
from go_prefetch.run.steps.stable_times import give_stable_times
from go_prefetch.run.steps.store import restore, save, took_too_long, wanted_of_a_store
from go_prefetch.verification.private_folder import clear_leftovers
from go_prefetch.verification.quarantine import Quarantine
from go_prefetch.verification.trees import Trees

if TYPE_CHECKING:
    from go_prefetch.run.build_job import BuildJob


@dataclass(frozen=True)
class Job:
    """What a run works with: the settings, the two ports, Go, the proxies, and when to stop."""

    settings: Settings
    platform: Platform
    store: CacheStore
    go: GoCommand
    environment: GoEnvironment
    walk: ProxyWalk
    timing: Timing
    build: BuildJob | None = None

    @property
    def budget(self) -> Budget:
        """Return when to stop, how often to retry, and how much to do at once."""
        return self.walk.budget

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Meter]:
        """Open one step: its seconds, a section of the log, its progress, and a span of the trace."""
        trace, stopwatch, platform = *self.timing, self.platform
        with stopwatch.step(name), platform.group(title), platform.working(title) as meter, trace.span(title, "step"):
            yield meter

    def bring(
        self, folder: ModuleFolder, files: Sequence[ModuleFile], avoid: str = "", arrived: Arrived = ignore_arrival
    ) -> Downloaded:
        """Download `files` into `folder`, from any proxy except `avoid` if there is another."""
        with self.platform.working("Download") as meter:
            return download(files, self.walk, folder, avoid=avoid, meter=meter, arrived=arrived)

    def ahead(self, folder: ModuleFolder, arrived: Arrived) -> Ahead:
        """Return a download into `folder` that may run at the same time as other work."""
        return Ahead(partial(download, walk=self.walk, folder=folder, arrived=arrived), self.budget.deadline)


def prefetch(job: Job) -> Report:
    """Make the plan, and execute it.

    Raises PrefetchError if there can be no plan. A later failure is in the report.
    """
    run, ended_early = _Run(job, _planned(job)), False
    build = job.build.begin(run.state.plan, job.budget.deadline) if job.build else None
    with _ended_by_errors([build] if build else [], job.budget.deadline), run.stable_times():
        try:
            run.steps()
        except PrefetchError as error:
            run.state, ended_early = run.state.failed(error), True
        if build:
            run.await_build(build)
    seconds, goversion = job.timing.stopwatch.seconds, job.environment.goversion
    return run.state.report(job.settings.shown, seconds=seconds, goversion=goversion, ended_early=ended_early)


@contextmanager
def _ended_by_errors(running: Collection[Future[Any]], deadline: Deadline) -> Iterator[None]:
    """End what runs in the background if the block ends with an error, such as a Ctrl-C."""
    try:
        yield
    except BaseException:
        end(running, deadline)
        raise


def _planned(job: Job) -> Plan:
    with job.step("plan", "Plan"):
        plan = make_plan(job.settings, job.environment, ModuleFolder.of_cache(job.environment.gomodcache))
        if plan.missing:  # otherwise the run is one line, its result
            scopes = f" of {len(plan.scopes)} go.mod and go.work files" if len(plan.scopes) > 1 else ""
            modules, files = counted(len(plan.modules), "module"), len(plan.files)
            job.platform.info(f"{modules}{scopes}, {len(plan.missing)} of {files} files missing")
    for file in plan.missing_toolchains:
        selected, installed = name_of(file.module), job.environment.goversion
        job.platform.notice(notice("toolchain-planned", toolchain=selected, installed=installed))
    if duplicate := detect_duplicate_cache(plan, job.platform.job_began):
        job.platform.notice(duplicate)
    clear_leftovers(plan.folder.gomodcache)
    return plan


class _Run:
    """The steps after the plan. `state` has the results so far, also after a failed step."""

    def __init__(self, job: Job, plan: Plan) -> None:
        private_too = job.settings.save_private.applies(auto=job.platform.repository_is_private)
        self.state = RunState(plan, SaveRule(private_too, _go_logs_in(job)))
        self._job = job
        self._deadline = job.budget.deadline
        self._trees = Trees(plan, job.environment.goroot, self._deadline)

    def steps(self) -> None:
        """Fill the module cache from the store, then from the proxies; let Go decide; save new files.

        Raises PrefetchError for a module cache that does not accept files. Go's failure is in the state.
        """
        job, plan = self._job, self.state.plan
        if plan.disabled_because:
            return
        with job.timing.stopwatch.step("admit"):  # also opens and removes the quarantine
            if job.settings.check_present:
                self._check_present()
            is_used = job.settings.uses_quarantine
            with Quarantine(plan, job.environment, self._deadline, job.timing.trace, is_used=is_used) as unpacked:
                with job.ahead(plan.folder, unpacked.take) as ahead:
                    self._restore(unpacked.take, ahead)
                    self._download(unpacked.take, ahead)
                self._admit(unpacked)
        self._complete()
        self._save()
        if plan.missing and not self.state.completed.failure:
            zips = [ModuleFile(version, "zip") for version in plan.modules]
            taken = sum(map(plan.folder.size_if_there, zips))
            job.platform.info(f"Disk: {size(taken)} of zips, in addition to the unpacked modules")

    def await_build(self, begun: Future[BuildRestored]) -> None:
        """Wait for the build cache, which is restored at the same time as the modules."""
        with self._job.platform.working("Restore build cache") as meter:
            meter.wait_for(self._job.build.store.name if self._job.build else "")
            restored = result_of(begun)
        self._job.platform.info(restored_text(restored))
        self._reached(build=restored)
        self._note(restored.warnings)

    @contextmanager
    def stable_times(self) -> Iterator[None]:
        """Give the files of the checkout stable times while the block runs, if that is wanted."""
        job = self._job
        if not job.settings.test_cache:
            yield
            return
        call = partial(give_stable_times, job.settings.git, self.state.plan.places, self._deadline)
        running = run_in_background(call)
        yield
        with job.platform.working("Test cache") as meter:
            meter.wait_for("git")
            given = result_of(running)
        job.platform.info(stable_times_text(given))
        self._reached(stable_times=given)
        self._note(given.warnings)

    def _reached(self, **results: Any) -> None:
        self.state = replace(self.state, **results)

    def _note(self, notes: Iterable[Notice]) -> None:
        self._reached(notes=(*self.state.notes, *notes))

    def _check_present(self) -> None:
        plan = self.state.plan
        with self._job.platform.working("Check present modules") as meter:
            meter.wait_for("go mod verify")
            checked = check_present(plan, self._trees)
        self._note(remove_bad(plan, self._trees, checked))
        unpack_toolchains_again(plan, self._trees)
        if checked.unchecked:
            self._note([notice("trees-unchecked", "count", count=len(checked.unchecked))])

    def _restore(self, arrived: Arrived, ahead: Ahead) -> None:
        """Take what the store has. What it lacks begins to download as soon as it says so."""
        job = self._job
        with job.step("restore", "Restore") as meter:
            plan = self.state.plan
            wanted = wanted_of_a_store(plan, job.store)

            def begin(coming: Restored) -> None:
                if any(scope.undecided for scope in plan.scopes):  # the store may bring what makes files superfluous
                    return
                lacking = frozenset(wanted) - coming.files
                ahead.begin([file for file in still_missing(plan, coming) if file in lacking])

            self._reached(restored=self._take(wanted, arrived, meter, announced=begin))
            for file in plan.missing_toolchains:
                if not took_too_long(self.state.restored):
                    came = self._take([file], arrived, meter, toolchain_key(str(file.module)))
                    self._reached(restored=self.state.restored.plus(came))
            self._decide(arrived, meter)
            restored = self.state.restored
            if wanted or plan.missing_toolchains:
                job.platform.info(
                    f"{counted(len(restored.files), 'file')} from {job.store.name}{_reason(restored.skipped_reason)}"
                )

    def _download(self, arrived: Arrived, ahead: Ahead) -> None:
        begun = time.monotonic()
        with self._job.step("download", "Download") as meter:
            self._reached(downloaded=ahead.result(meter).overlapping(until=begun))
            self._bring(arrived)
            if self._decide(arrived, meter):
                self._bring(arrived)
            downloaded = self.state.downloaded
            if downloaded.files or downloaded.failures:
                failed = f", {len(downloaded.failures)} not" if downloaded.failures else ""
                self._job.platform.info(f"{counted(len(downloaded.files), 'file')} downloaded{failed}")
        self._job.platform.fold("Failed attempts", attempt_lines(downloaded))

    def _take(
        self,
        files: Sequence[ModuleFile],
        arrived: Arrived,
        meter: Meter,
        key: CacheKey | None = None,
        announced: Announced = ignore_announcement,
    ) -> Restored:
        """Return what the store has of `files`, under the key of the plan or another."""
        job, plan = self._job, self.state.plan
        deadline = self._deadline.earlier_of(job.settings.restore_deadline)
        return restore(job.store, Wanted(key or plan.key, files, plan.folder), deadline, arrived, announced, meter)

    def _bring(self, arrived: Arrived) -> None:
        known = self.state.downloaded.files.keys() | {failure.file for failure in self.state.downloaded.failures}
        missing = [file for file in still_missing(self.state.plan, self.state.restored) if file not in known]
        came = self._job.bring(self.state.plan.folder, missing, arrived=arrived)
        self._reached(downloaded=self.state.downloaded.plus(came))

    def _decide(self, arrived: Arrived, meter: Meter) -> bool:
        """Decide the plan with the `.mod` files that have come since. Return whether it has other files now."""
        before = self.state.plan
        if not before.missing:
            return False
        plan, restored = decide(before), self.state.restored
        self._reached(plan=plan, restored=restored.only(plan.files))
        added = [file for file in plan.missing if file not in before.files and file not in restored.files]
        if added and self._job.store.has_single_files:
            self._reached(restored=self.state.restored.plus(self._take(added, arrived, meter)))
        return plan.files != before.files

    def _admit(self, unpacked: Quarantine) -> None:
        say = self._job.platform.info
        with self._job.step("admit", "Verify") as meter:
            admitted = unpacked.admit(meter)
            self._reached(admitted=admitted)
            if admitted.modules:
                say(f"{counted(len(admitted.modules), 'module')} unpacked and verified ahead of go mod download")
            for why, count in admitted.deferred_to_go.items():
                say(f"{count} left to go mod download: {deferral(why)}")
            self._note(replace_unproven(self.state.plan, admitted, self._trees))

    def _complete(self) -> None:
        """Run `go mod download`. GOPROXY is that of the inputs."""
        job, plan = self._job, self.state.plan
        folder, variables = plan.folder, {"GOPROXY": job.walk.goproxy}
        if plan.missing or plan.without_sum:  # the number of Go's parallel downloads; without any, fewer are faster
            variables["GOMAXPROCS"] = str(max(job.settings.jobs.least, os.cpu_count() or 1))
        goroot, silence = job.environment.goroot, job.settings.go_silence
        goes_on = job.settings.on_failure is OnFailure.WARN
        with job.step("complete", "go mod download") as meter:
            go = GoDownload(job.go, goroot, variables, silence, job.budget, job.platform.detail, meter, goes_on)
            completed = complete(go, self.state, self._trees, lambda files, avoid: job.bring(folder, files, avoid))
            self._reached(completed=completed)
            self._trees.remove_marks()

    def _save(self) -> None:
        job = self._job
        with job.step("save", "Save") as meter:
            deadline = self._deadline.earlier_of(job.settings.save_deadline)
            saved = save(job.store, self.state.timed(job.timing.stopwatch.seconds), deadline, meter)
            self._reached(saved=saved)
            if self.state.plan.missing and (saved.files or not self.state.completed.failure):
                job.platform.info(f"{counted(saved.files, 'file')} saved{_reason(saved.skipped_reason)}")


def _reason(skipped_reason: Notice | None) -> str:
    return f": {reason(skipped_reason)}" if skipped_reason else ""


def _go_logs_in(job: Job) -> bool:
    """Return whether files that Go downloaded may have needed a login: of a proxy's URL, of netrc, or of GOAUTH."""
    ways = {way.strip() for way in job.environment.goauth.split(";")} - {"", "off", "netrc"}
    return bool(ways) or any(map(job.settings.web.authorization_for, job.walk.urls))
