"""`go-prefetch build-cache`: restore GOCACHE at the beginning of a job, and save at its end what the job used of it.

A failed restore or save is a warning: the job compiles what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from go_prefetch.base.retry import Deadline
from go_prefetch.buildcache.contents import contents, listing
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import BuildCacheAction, JobStatus, When
from go_prefetch.config.command_inputs import BUILD_CACHE_TABLE
from go_prefetch.config.settings import Settings
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.render.build_cache import restored_text, saved_markdown, saved_text, status_text
from go_prefetch.render.messages import text
from go_prefetch.render.record import build_record_line
from go_prefetch.run.build_job import BuildJob, forget_restore, state_file
from go_prefetch.run.build_state import forget_old_outputs, read_state
from go_prefetch.run.steps.build_cache import save_build
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.wiring import build_job, build_store
from go_prefetch.stores.cache_service.endpoint import find_endpoint


def build_cache(invocation: Invocation) -> int:
    """Do what the argument says. Raises PrefetchError for bad input."""
    action = BuildCacheAction(invocation.texts["action"])
    settings = invocation.settings()
    given = invocation.values(BUILD_CACHE_TABLE)["build-cache"]  # its default is not that of `run`
    settings = replace(settings, build_cache=cast(When, given))
    _ACTIONS[action](invocation, settings)
    return 0


@dataclass(frozen=True)
class _Start:
    """What is known at the beginning of the job: the build cache, or why it is off."""

    job: BuildJob | Notice
    plan: Plan
    environment: GoEnvironment


def _start(invocation: Invocation, settings: Settings) -> _Start:
    go = GoCommand(invocation.environ)
    environment = go.environment(settings.cwd)
    environment = go.with_toolchains(environment, settings.goproxy or environment.goproxy)
    plan = make_plan(settings, environment, ModuleFolder.of_cache(environment.gomodcache))
    endpoint = find_endpoint(invocation.environ)
    return _Start(
        build_job(settings, environment, endpoint, invocation.environ, tell=_telling(invocation)), plan, environment
    )


def _restore(invocation: Invocation, settings: Settings) -> None:
    start, platform = _start(invocation, settings), invocation.platform
    if isinstance(start.job, Notice):
        forget_restore(settings, invocation.environ)
        platform.notice(start.job)
        return
    with platform.working("Restore build cache") as meter:
        meter.wait_for(start.job.store.name)
        restored = start.job.restore(start.plan, Deadline.after(settings.deadline))
    for warning in restored.warnings:
        platform.warn(warning)
    invocation.show_result(restored_text(restored))


def _save(invocation: Invocation, settings: Settings) -> None:
    platform = invocation.platform
    if settings.build_cache is When.NEVER:
        platform.notice(notice("build-cache-off", "input"))
        return
    path = state_file(settings, invocation.environ)
    try:
        _save_from(path, invocation, settings)
    finally:
        forget_old_outputs(path)


def _save_from(path: Path, invocation: Invocation, settings: Settings) -> None:
    platform, state = invocation.platform, read_state(path)
    if state is None:
        platform.notice(notice("no-build-state"))
        return
    store = build_store(settings, find_endpoint(invocation.environ), invocation.environ, tell=_telling(invocation))
    if isinstance(store, Notice):
        platform.notice(store)
        return
    succeeded = settings.job_status is JobStatus.SUCCESS
    deadline = Deadline.after(settings.save_deadline)
    with platform.working("Save build cache") as meter:
        saved = save_build(store, state, deadline, meter, succeeded=succeeded)
    for warning in saved.warnings:
        platform.warn(warning)
    invocation.show_result(saved_text(saved))
    if invocation.shows_record(settings.record):
        platform.show(build_record_line(saved, state.key, platform.clean), invocation.stdout)
    if settings.summary:
        platform.add_to_summary(saved_markdown(saved))


def _status(invocation: Invocation, settings: Settings) -> None:
    start = _start(invocation, settings)
    gocache = Path(start.environment.gocache)
    found = listing(gocache)
    everything = contents(gocache, found, found.times)
    state = read_state(state_file(settings, invocation.environ))
    used = everything.only(found.used_since(state.moment)) if state and state.gocache == gocache else None
    lineage = start.job.lineage(start.plan) if isinstance(start.job, BuildJob) else None
    invocation.platform.show(status_text(start.job, gocache, lineage, everything, used), invocation.stdout)


def _telling(invocation: Invocation) -> Callable[[Notice], None]:
    return lambda failure: invocation.platform.info(text(failure))


_ACTIONS: Mapping[BuildCacheAction, Callable[[Invocation, Settings], None]] = {
    BuildCacheAction.RESTORE: _restore,
    BuildCacheAction.SAVE: _save,
    BuildCacheAction.STATUS: _status,
}
