"""The main job, from its settings to its exit status. It is imported while Go answers (commands/run.py)."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from go_prefetch.base.format import counted, size
from go_prefetch.base.run_file import clear_dead_runs
from go_prefetch.base.stopwatch import Timing
from go_prefetch.cli.invocation import Invocation
from go_prefetch.cli.publish import publish, publish_failure, raise_or_warn, settings_of_a_run
from go_prefetch.config.choices import When
from go_prefetch.config.settings import Settings
from go_prefetch.errors import DownloadError, GoCommandError, InputError, Notice, notice
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.goproxy import secrets_of
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Platform
from go_prefetch.model.report import Report
from go_prefetch.render.messages import text
from go_prefetch.run.pipeline import Job, prefetch
from go_prefetch.run.wiring import begin_budget, build_job, cache_store, proxy_list, proxy_walk
from go_prefetch.stores.cache_service.endpoint import find_endpoint


def run_job(invocation: Invocation, asked: Future[GoEnvironment]) -> int:
    """Prefetch and report, with Go's answer. Raises PrefetchError for what fails the run."""
    settings, platform = settings_of_a_run(invocation), invocation.platform
    try:
        with publish_failure(settings, invocation) as timing:
            report = _prefetched(settings, invocation, asked, timing)
    except (DownloadError, GoCommandError) as error:
        raise_or_warn(error, settings, platform)
        return 0
    publish(report, settings, invocation)
    raise_or_warn(report.completed.failure, settings, platform)
    return 0


def _prefetched(settings: Settings, invocation: Invocation, asked: Future[GoEnvironment], timing: Timing) -> Report:
    platform, environ, trace, began = invocation.platform, invocation.environ, timing.trace, time.time()
    budget = begin_budget(settings)
    environment = asked.result()
    go = GoCommand(environ, trace)
    settings = replace(settings, web=settings.web.with_goauth(environment.goauth))
    platform.hide(secrets_of(environment.goproxy))
    proxies = proxy_list(settings, environment.goproxy)
    platform.detail(f"{environment.goversion}, proxies {proxies.shown}")
    environment = go.with_toolchains(environment, proxies.text)
    walk = proxy_walk(settings, proxies, budget, trace)
    endpoint = find_endpoint(environ)

    def tell(failure: Notice) -> None:
        platform.info(text(failure))

    store = cache_store(settings, proxies, endpoint, environ, trace, tell)
    if settings.store.pool:
        clear_dead_runs(settings.store.pool)
    pool = _carried_pool(settings, platform)
    build = None
    if settings.build_cache is not When.NEVER:
        made = build_job(settings, environment, endpoint, environ, trace, tell)
        if isinstance(made, Notice):
            from go_prefetch.run.build_job import forget_restore  # noqa: PLC0415

            forget_restore(settings, environ)
            platform.info(text(made))
        else:
            build = made
    report = prefetch(Job(settings, platform, store, go, environment, walk, timing, build))
    if pool and not (report.completed.failure or report.plan.disabled_because):
        from go_prefetch.stores.directory_pool import keep_to  # noqa: PLC0415

        for problem in keep_to(pool, report.plan.files):
            platform.warn(problem)
    elif settings.has_pool_limits and settings.save is not When.NEVER:
        _trim_pool(settings, report.plan, began, platform)
    return report


def _trim_pool(settings: Settings, plan: Plan, began: float, platform: Platform) -> None:
    """Keep the pool within its limits. Only runs with limits import what that takes."""
    from go_prefetch.prune.limits import keep_within  # noqa: PLC0415

    pool = settings.store.pool
    if pool is None:
        return
    used = frozenset(file.module for file in plan.files)
    try:
        gone = keep_within(pool, settings.pool_max_age, settings.pool_max_size, used, began)
    except InputError as error:
        platform.warn(error.notice)
    except OSError as error:
        platform.warn(notice("pool-not-trimmed", "limits", pool=pool, words=error.strerror or str(error)))
    else:
        if gone:
            platform.info(f"Pool trimmed: {counted(len(gone), 'item')}, {size(sum(one.bytes for one in gone))}")


def _carried_pool(settings: Settings, platform: Platform) -> Path | None:
    """Return the pool, if the CI system itself keeps it between jobs and it may be trimmed."""
    pool = settings.store.pool if settings.save is not When.NEVER else None
    if not (pool and platform.carries(pool)):
        return None
    from go_prefetch.stores.directory_pool import is_ours  # noqa: PLC0415

    return pool if is_ours(pool) else None
