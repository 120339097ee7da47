"""`go-prefetch sync`: fill a pool from the go.sum files of many projects, or let Go check all that a pool holds.

Each project is run as `run` would, one after the other, with one module cache for all, so nothing is downloaded twice.
A project that fails does not end the others. What the pool has of a project is not asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

from go_prefetch.base.format import counted, size
from go_prefetch.base.retry import Deadline
from go_prefetch.base.stopwatch import Stopwatch, Timing
from go_prefetch.base.temporary_folder import clear_temporary, temporary_folder
from go_prefetch.base.trace import UNTRACED
from go_prefetch.cli.commands.check_pool import check_pool
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import StoreKind, When
from go_prefetch.config.command_inputs import SYNC_TABLE
from go_prefetch.config.settings import Settings
from go_prefetch.errors import InputError, PrefetchError, StoreError
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.goproxy import ProxyList, secrets_of
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder, name_in_pool
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import CacheStore, Platform
from go_prefetch.model.report import Report
from go_prefetch.model.save_rule import SaveRule
from go_prefetch.render.summary import headline
from go_prefetch.run.check_pool import PoolCheck
from go_prefetch.run.pipeline import Job, prefetch
from go_prefetch.run.shared_pool import storage
from go_prefetch.run.steps.discover import discover
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.wiring import begin_budget, cache_store, proxy_list, proxy_walk
from go_prefetch.stores.cache_service.compression import best_encoding
from go_prefetch.stores.objects.port import ObjectError, ObjectStorage
from go_prefetch.stores.objects.repacked import RepackedZips


@dataclass(frozen=True)
class _Synced:
    """What became of one project. Without a report and a failure, the pool had all that it needs."""

    report: Report | None = None
    failure: PrefetchError | None = None

    @property
    def status(self) -> int:
        """Return the exit status for this project alone: 1 if the pool did not take its modules."""
        if self.failure:
            return self.failure.exit_status
        reason = self.report.saved.skipped_reason if self.report else None
        return int(reason is not None and reason.slug == "store-failed")


def sync(invocation: Invocation) -> int:
    """Sync, and return the exit status of the first project that failed. Raises PrefetchError for bad input."""
    settings = _settings(invocation)
    try:
        return _sync(settings, invocation)
    except StoreError as error:  # not a warning, as in a job: without the pool there is nothing to do
        invocation.platform.error(error.notice)
        return 1


def _sync(settings: Settings, invocation: Invocation) -> int:
    with _projects(settings, invocation) as projects:
        if invocation.values(SYNC_TABLE)["check"]:
            hashes, status = projects.go_sums()
            check = PoolCheck(
                projects.contents,
                RepackedZips(projects.contents, best_encoding(invocation.environ)),
                hashes,
                projects.go,
                projects.proxies.text,
                projects.environment,
            )
            return status if check_pool(check, settings.deadline, invocation) else 1
        done = [projects.sync(number, folder) for number, folder in enumerate(projects.folders, 1)]
    good = [one for one in done if not one.status]
    saved = [one.report.saved for one in done if one.report]
    failed = f", {len(done) - len(good)} failed" if len(good) < len(done) else ""
    invocation.show_result(
        f"Synced {len(good)} of {counted(len(done), 'project')}{failed}: "
        f"{counted(sum(one.files for one in saved), 'file')} saved ({size(sum(one.bytes for one in saved))}), "
        f"{sum(one.report is None for one in good)} had all their files in the pool."
    )
    return next((one.status for one in done if one.status), 0)


def _settings(invocation: Invocation) -> Settings:
    """Return the settings. Variables that a job may have set for `run` change nothing here."""
    settings = invocation.settings()
    store = settings.store
    if not (store.pool or store.url):
        case = "" if store.kind is StoreKind.AUTO else "no-folder"
        raise InputError("pool-unknown", case, name="store", text=store.text)
    return replace(
        settings,
        store=replace(store, pool=None) if store.url else store,  # what a folder in front has would not be saved
        save=When.ALWAYS,
        save_private=cast(When, invocation.values(SYNC_TABLE)["save-private"]),  # its default is not that of `run`
        build_cache=When.NEVER,
        check_present=False,
        test_cache=False,
    )


@contextmanager
def _projects(settings: Settings, invocation: Invocation) -> Iterator[_Projects]:
    clear_temporary()
    with temporary_folder() as folder:
        environ = {**invocation.environ, "GOMODCACHE": str(folder / "mod")}
        go = GoCommand(environ)
        environment = go.environment(settings.cwd)
        invocation.platform.hide(secrets_of(environment.goproxy))
        proxies = proxy_list(settings, environment.goproxy)
        environment = go.with_toolchains(environment, proxies.text)
        settings = replace(settings, web=settings.web.with_goauth(environment.goauth))
        folders = _folders(settings, environment, is_check=bool(invocation.values(SYNC_TABLE)["check"]))
        store, contents = cache_store(settings, proxies, None, environ), storage(settings, environ)
        yield _Projects(settings, invocation.platform, go, environment, proxies, store, contents, folders)


def _folders(settings: Settings, environment: GoEnvironment, *, is_check: bool) -> tuple[Path, ...]:
    """Return the folders of the projects. A check needs none: it asks the checksum database."""
    try:
        return tuple(place.folder for place in discover(settings, environment.gowork, environment.gomodcache))
    except InputError as error:
        if is_check and error.slug == "go-mod-not-found" and settings.working_directory == (".",):
            return ()
        raise


@dataclass(frozen=True)
class _Projects:
    """The projects, and what a run in each of them works with."""

    settings: Settings
    platform: Platform
    go: GoCommand
    environment: GoEnvironment
    proxies: ProxyList
    store: CacheStore
    contents: ObjectStorage
    folders: tuple[Path, ...]

    @cached_property
    def held(self) -> frozenset[str]:
        """Return the names in the pool at the beginning; none if it cannot be listed. Then each project is run."""
        deadline = Deadline.after(self.settings.deadline)
        try:
            return frozenset(info.name for info in self.contents.entries("", deadline) if info.bytes)
        except ObjectError:
            return frozenset()

    def sync(self, number: int, folder: Path) -> _Synced:
        """Bring what the pool lacks of one project, and print what became of it."""
        title = f"[{number}/{len(self.folders)}] {folder}"
        self.platform.info(title)
        try:
            synced = self._synced(folder)
        except PrefetchError as error:
            synced = _Synced(failure=error)
        if synced.failure:
            self.platform.error(synced.failure.notice)
        told = (
            headline(synced.report) if synced.report else "failed" if synced.failure else "the pool has all its files"
        )
        self.platform.info(f"{title}: {told}")
        return synced

    def go_sums(self) -> tuple[dict[ModuleFile, str], int]:
        """Return the hash of each file that all projects agree on, and the status of the first one without a plan."""
        hashes: dict[ModuleFile, set[str]] = {}
        failures = []
        for folder in self.folders:
            try:
                plan = self.plan(folder)
            except PrefetchError as error:
                self.platform.error(error.notice)
                failures.append(error.exit_status)
                continue
            for line in (line for scope in plan.scopes for line in scope.gosum_lines):
                hashes.setdefault(ModuleFile(line.module, line.kind), set()).add(line.digest)
        agreed = {file: next(iter(found)) for file, found in hashes.items() if len(found) == 1}
        return agreed, next(iter(failures), 0)

    def settings_of(self, folder: Path) -> Settings:
        """Return the settings of a run in one project."""
        return replace(self.settings, working_directory=(str(folder),))

    def plan(self, folder: Path) -> Plan:
        """Return the plan of one project. Raises PrefetchError."""
        return make_plan(self.settings_of(folder), self.environment, ModuleFolder.of_cache(self.environment.gomodcache))

    def _synced(self, folder: Path) -> _Synced:
        plan, settings = self.plan(folder), self.settings_of(folder)
        if self._has_all_of(plan):
            return _Synced()
        walk = proxy_walk(settings, self.proxies, begin_budget(settings))
        timing = Timing(UNTRACED, Stopwatch("plan"))
        report = prefetch(Job(settings, self.platform, self.store, self.go, self.environment, walk, timing))
        for warning in report.warnings:
            self.platform.warn(warning)
        return _Synced(report, report.completed.failure)

    def _has_all_of(self, plan: Plan) -> bool:
        """Return whether the pool has all files of a plan that may be saved, and no other file can change the plan."""
        if plan.disabled_because or not plan.is_complete:
            return False
        private_too = self.settings.save_private.applies(auto=self.platform.repository_is_private)
        withheld = SaveRule(private_too).withheld(plan)
        return all(name_in_pool(file) in self.held for file in plan.files if file not in withheld)
