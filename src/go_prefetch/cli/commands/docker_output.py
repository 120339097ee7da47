"""`go-prefetch docker --output DIR`: fill a folder of modules for an image build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from go_prefetch.base.format import counted, size
from go_prefetch.cli.publish import raise_or_warn
from go_prefetch.config.settings import Settings
from go_prefetch.docker.image_folder import Steadied, prepare, steady, take_local
from go_prefetch.docker.next_steps import next_steps
from go_prefetch.golang.command import GO_DEFAULT_PROXIES
from go_prefetch.golang.environment import environment_without_go
from go_prefetch.golang.modcache import ModuleFolder, module_cache_of
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import CacheStore, Platform
from go_prefetch.model.results import Filled, Restored
from go_prefetch.render.messages import reason
from go_prefetch.render.summary import verified
from go_prefetch.run.steps.fill_folder import Supply, deferred_to_go, fill_folder, verdict
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.steps.verify_folder import after_verification, go_at_hand, sources_of, verify_folder
from go_prefetch.run.wiring import begin_budget, proxy_list, proxy_walk
from go_prefetch.stores.directory_pool import DirectoryPool

_LOCAL = "the module cache or the pool"


def fill_output(
    settings: Settings, platform: Platform, environ: Mapping[str, str], output: str, *, exposed: bool, printed: bool
) -> tuple[int, str]:
    """Fill the folder `output`. Return the exit status and a text: what was done, and how to build with the folder.

    `exposed` means that the build context has the folder too, `printed` that the Dockerfile is printed in this call.
    """
    folder = settings.cwd / output
    budget = begin_budget(settings)
    proxies = proxy_list(settings, environ.get("GOPROXY") or GO_DEFAULT_PROXIES)
    plan = make_plan(settings, environment_without_go(environ, folder), ModuleFolder.at(folder))
    if plan.disabled_because:
        return 0, f"nothing to do: {reason(plan.disabled_because)}"
    plan, removed = prepare(plan)
    with platform.working("Copy") as meter:
        plan, local = take_local(plan, _local_stores(settings, environ), budget.deadline, meter)
    supply = Supply(proxy_walk(settings, proxies, budget), platform.working)
    plan, filled = fill_folder(plan, supply)
    steadied = steady(plan, platform.working)
    go = go_at_hand(environ, settings.cwd)
    supply = replace(supply, afterwards=lambda: steady(plan, platform.working))
    sources = {**sources_of(filled), **dict.fromkeys(filled.held.files & local.files, _LOCAL)}
    completed = verify_folder(plan, sources, filled.downloaded.joined, go, supply, settings.go_silence)
    ended = after_verification(filled, completed, supply)
    if completed.rejected:
        steadied = replace(steadied, bytes=steady(plan, platform.working).bytes)
    incomplete, stale = verdict(plan, ended)
    left = deferred_to_go(plan, ended.held)
    for warning in (
        *plan.warnings, *plan.gaps, *local.warnings, *filled.held.warnings, *completed.warnings, *left, *stale,
    ):  # fmt: skip
        platform.warn(warning)
    raise_or_warn(completed.failure or incomplete, settings, platform)
    summary = _summary(plan, local, replace(ended, removed=ended.removed + removed), steadied)
    listed = any(scope.explicit for scope in plan.scopes)
    steps = next_steps(output, listed=listed, lacks_private=bool(left), exposed=exposed)
    if printed and not left:  # the Dockerfile that is printed begins with them
        steps = ""
    return int(bool(left)), f"{summary}; verified: {verified(completed, go.goversion)}\n{steps}".rstrip()


def local_folders(settings: Settings, environ: Mapping[str, str]) -> list[ModuleFolder]:
    """Return the folders with modules on this machine: the module cache, then the pool."""
    module_cache = module_cache_of(environ)
    folders = [ModuleFolder.of_cache(module_cache)] if module_cache else []
    return folders + ([ModuleFolder.at(settings.store.pool)] if settings.store.pool else [])


def _local_stores(settings: Settings, environ: Mapping[str, str]) -> list[CacheStore]:
    """Return the stores on this machine. Nothing is saved there."""
    roots = [folder.path for folder in local_folders(settings, environ)]
    return [DirectoryPool(root, proxies="", takes_files=False) for root in roots]


def _summary(plan: Plan, local: Restored, filled: Filled, steadied: Steadied) -> str:
    held, came = filled.held, filled.downloaded
    held_now = sum(map(plan.folder.has, plan.files))
    kept = f", {steadied.kept} left as they came" if steadied.kept else ""
    return (
        f"{plan.folder}: {held_now} of {len(plan.files)} files, {size(steadied.bytes)}: "
        f"{len(held.files - local.files)} were there, {len(held.files & local.files)} from {_LOCAL}, "
        f"{len(came.files)} downloaded ({size(came.bytes)}), {filled.removed} removed; "
        f"{counted(steadied.rewritten, 'zip')} packed alike{kept}"
    )
