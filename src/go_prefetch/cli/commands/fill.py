"""`go-prefetch fill DIR`: fill a folder in GOPROXY layout with the plan's files, with or without Go.

The go command that reads the folder with `GOPROXY=file://DIR,…` compares every file with go.sum, and stops at a wrong
one. If Go is installed here too, it compares them first, and wrong files are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from go_prefetch.base.format import size
from go_prefetch.base.stopwatch import Timing
from go_prefetch.base.temporary_folder import clear_temporary
from go_prefetch.cli.invocation import Invocation
from go_prefetch.cli.publish import publish, publish_failure, raise_or_warn, settings_of_a_run
from go_prefetch.config.command_inputs import FILL_TABLE
from go_prefetch.config.settings import Settings
from go_prefetch.errors import notice
from go_prefetch.golang.command import GO_DEFAULT_PROXIES
from go_prefetch.golang.environment import environment_without_go
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.toolchain import ToolchainRules, for_platforms
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Platform
from go_prefetch.model.report import Report, RunState
from go_prefetch.model.results import Filled, Saved
from go_prefetch.model.save_rule import SaveRule
from go_prefetch.render.messages import attempt_lines
from go_prefetch.render.summary import verified
from go_prefetch.run.steps.fill_folder import Supply, deferred_to_go, fill_folder, left_out, verdict
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.steps.store import cold_run
from go_prefetch.run.steps.verify_folder import after_verification, go_at_hand, sources_of, verify_folder
from go_prefetch.run.wiring import begin_budget, proxy_list, proxy_walk
from go_prefetch.stores.pool_metadata import PoolMetadata


def fill(invocation: Invocation) -> int:
    """Download files that the folder lacks, remove those that are not in the plan, and report.

    Raises InputError for a folder with other contents, DownloadError for a failed download, and
    ChecksumMismatch for a file that is wrong from every source.
    """
    settings, platform = settings_of_a_run(invocation), invocation.platform
    folder = settings.cwd / invocation.texts["folder"]
    toolchains = for_platforms(cast("tuple[str, ...]", invocation.values(FILL_TABLE)["toolchain-platform"] or ()))
    with publish_failure(settings, invocation) as timing:
        made = _filled(settings, platform, invocation.environ, folder, toolchains, timing)
    publish(made, settings, invocation)
    raise_or_warn(made.completed.failure, settings, platform)
    return 0


def _filled(
    settings: Settings,
    platform: Platform,
    environ: Mapping[str, str],
    folder: Path,
    toolchains: tuple[ToolchainRules, ...],
    timing: Timing,
) -> Report:
    budget, stopwatch = begin_budget(settings), timing.stopwatch
    proxies = proxy_list(settings, environ.get("GOPROXY") or GO_DEFAULT_PROXIES)
    with platform.group("Plan"):
        environment = replace(environment_without_go(environ, folder), toolchains=toolchains)
        plan = make_plan(settings, environment, ModuleFolder.at(folder))
        platform.detail(f"{len(plan.modules)} modules, {len(plan.files)} files, proxies {proxies.shown}")
    if plan.disabled_because:
        return RunState(plan).report(settings.shown, seconds=stopwatch.seconds)
    rule = SaveRule(_keeps_private(settings, platform, folder))
    walk = proxy_walk(settings, proxies, budget, timing.trace)
    supply = Supply(walk, platform.working, rule, stopwatch=stopwatch)
    clear_temporary()  # of checks that were killed
    go = go_at_hand(environ, settings.cwd)
    with platform.group("Fill"):
        plan, filled = fill_folder(plan, supply)
        with stopwatch.step("complete"):
            completed = verify_folder(
                plan, sources_of(filled), filled.downloaded.joined, go, supply, settings.go_silence
            )
        ended = after_verification(filled, completed, supply)
        platform.info(f"{_told(plan, ended)}; verified: {verified(completed, go.goversion)}")
    platform.fold("Failed attempts", attempt_lines(ended.downloaded))
    failure, lacking = verdict(plan, ended, proxies)
    metadata = PoolMetadata(folder, proxies.shown)
    state = RunState(
        plan=replace(plan, present=frozenset()),
        rule=rule,
        restored=replace(filled.held, cold=metadata.baseline(filled.held.files)),
        downloaded=filled.downloaded,
        completed=replace(completed, failure=completed.failure or failure),
        saved=Saved(skipped_reason=notice("fill-keeps-folder")),
        notes=(*deferred_to_go(plan, ended.held), *left_out(ended), *lacking),
    )
    if platform.carries(folder):
        _note_cold_run(metadata, state.timed(stopwatch.seconds), ended)
    return state.report(settings.shown, goversion=go.goversion, seconds=stopwatch.seconds)


def _note_cold_run(metadata: PoolMetadata, state: RunState, filled: Filled) -> None:
    """Note in the folder what downloading its files took, for later runs. Nothing is written if none came."""
    run = cold_run(state, filled.downloaded.files.keys() - filled.left_out)
    if run:
        with suppress(OSError):  # a figure is not worth a failure
            metadata.forget_others(state.plan.files)
            metadata.note_run(run)


def _keeps_private(settings: Settings, platform: Platform, folder: Path) -> bool:
    """Return whether private modules stay. In a public repository, a folder that the CI keeps has none."""
    return settings.save_private.applies(auto=platform.repository_is_private or not platform.carries(folder))


def _told(plan: Plan, filled: Filled) -> str:
    came = filled.downloaded
    held = sum(map(plan.folder.has, plan.files))
    return (
        f"{plan.folder}: {held} of {len(plan.files)} files, {len(came.files)} downloaded ({size(came.bytes)}), "
        f"{filled.removed} removed"
    )
