"""`go-prefetch prune`: delete unused entries of GitHub's cache, or trim a pool. A dry run by default."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from go_prefetch.base.format import counted, size
from go_prefetch.base.run_file import clear_dead_runs
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.forge_inputs import PRUNE, PruneSettings, prune_settings
from go_prefetch.errors import DownloadError, InputError
from go_prefetch.forge.access import Access, find_access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.model.ports import Platform
from go_prefetch.modfiles.managed_folder import place_of
from go_prefetch.prune.entries import AnyEntry, Removal, choose_removals, gone_scopes, list_entries
from go_prefetch.prune.pool import (
    PoolItem,
    choose_items,
    list_build_caches,
    list_modules,
    remove,
    remove_empty_folders,
)
from go_prefetch.render.messages import reason
from go_prefetch.web.http_settings import HttpSettings

if TYPE_CHECKING:
    from go_prefetch.forge.github import GitHub

_IDLE = 7 * 86400.0  # seconds; GitHub keeps unread entries for that long


def prune(invocation: Invocation) -> int:
    """Count unused entries or modules and, with `--delete`, delete them. `-v` lists them. Raises PrefetchError."""
    platform, environ = invocation.platform, invocation.environ
    settings = prune_settings(invocation.values(PRUNE), environ, invocation.cwd)
    if settings.pool:
        _prune_pool(settings, settings.pool, invocation)
    else:
        access = find_access(settings.repo, settings.api_url, environ, invocation.cwd)
        platform.hide(frozenset({access.token}))
        _prune_entries(settings, access, invocation)
    return 0


def _prune_entries(settings: PruneSettings, access: Access, invocation: Invocation) -> None:
    if access.kind == "gitlab":
        raise InputError("input-invalid", "prune-gitlab")
    from go_prefetch.forge.github import GitHub  # noqa: PLC0415 - PyGithub is imported when it is needed

    platform = invocation.platform
    patience = Patience(settings.wait, platform.warn)
    github = GitHub(RestApi(access, HttpSettings.of_forge(invocation.environ), patience, follows=False), access)
    default_ref = f"refs/heads/{github.repository().default_branch}"
    with platform.working("Prune") as meter:
        meter.say("listing entries")
        entries = list_entries(github)
    gone = gone_scopes(github, (entry.ref for entry in entries if entry.ref != default_ref))
    since = datetime.now(timezone.utc) - timedelta(seconds=settings.max_age or _IDLE)
    chosen = choose_removals(entries, gone, default_ref, since)
    _list(map(_line, chosen), invocation)
    deleted = _deleted(chosen, github, platform) if settings.delete else [one.entry for one in chosen]
    _conclude(settings, f"{_sum(deleted)} of {_sum(entries)}", invocation, any_chosen=bool(chosen))


def _list(lines: Iterable[str], invocation: Invocation) -> None:
    if invocation.arguments.verbose:
        for line in lines:
            invocation.platform.show(line, invocation.stdout)


def _conclude(settings: PruneSettings, counts: str, invocation: Invocation, *, any_chosen: bool) -> None:
    done = "Deleted" if settings.delete else "Would delete"
    next_step = " -v lists them, and --delete deletes them." if any_chosen and not settings.delete else ""
    invocation.show_result(f"{done} {counts}.{next_step}")


def _deleted(chosen: list[Removal], github: GitHub, platform: Platform) -> list[AnyEntry]:
    """Delete deltas first, the newest of them first: a delta without the entries below it is useless."""
    order = sorted(chosen, key=lambda one: (one.entry.is_delta, one.entry.created), reverse=True)
    done = []
    with platform.working("Prune") as meter:
        for number, one in enumerate(order, 1):
            meter.say(f"deleting {number} of {len(chosen)}")
            if github.delete_cache(one.entry.id):
                done.append(one.entry)
    return done


def _line(one: Removal) -> str:
    entry = one.entry
    return (
        f"{entry.name.key}\n  {entry.ref}, {size(entry.bytes)}, last read {entry.read:%Y-%m-%d}: {reason(one.reason)}"
    )


def _sum(entries: list[AnyEntry]) -> str:
    word = "entry" if len(entries) == 1 else "entries"
    return f"{len(entries)} {word} ({size(sum(entry.bytes for entry in entries))})"


def _prune_pool(settings: PruneSettings, pool: Path, invocation: Invocation) -> None:
    with folder_errors(pool):
        items = [*list_modules(pool), *list_build_caches(pool)]
    if settings.max_age is None and settings.max_size is None:
        _list(map(_item_line, sorted(items, key=lambda one: one.used)), invocation)
        invocation.show_result(f"{pool} has {_count(items)}. Trim it with --max-age or --max-size.")
        return
    chosen = choose_items(items, settings.max_age, settings.max_size, time.time())
    _list(map(_item_line, chosen), invocation)
    removed = _removed(chosen, pool) if settings.delete else chosen
    _conclude(settings, f"{_count(removed)} of {_count(items)}", invocation, any_chosen=bool(chosen))


def _count(items: list[PoolItem]) -> str:
    modules = sum(one.is_module for one in items)
    builds = len(items) - modules
    and_builds = f" and {counted(builds, 'build cache')}" if builds else ""
    return f"{counted(modules, 'module')}{and_builds} ({size(sum(one.bytes for one in items))})"


def _item_line(one: PoolItem) -> str:
    used = datetime.fromtimestamp(one.used, timezone.utc)
    return f"{one.title}  {size(one.bytes)}, last used {used:%Y-%m-%d}"


def _removed(chosen: list[PoolItem], pool: Path) -> list[PoolItem]:
    clear_dead_runs(pool)
    with folder_errors(pool):
        removed = [one for one in chosen if remove(pool, one)]
        remove_empty_folders(pool)
    return removed


@contextmanager
def folder_errors(pool: Path) -> Iterator[None]:
    """Name the pool in errors of its files. Errors of the output pass."""
    try:
        yield
    except OSError as error:
        raise DownloadError("folder-unwritable", "pool", place=place_of(error, pool), words=error.strerror) from None
