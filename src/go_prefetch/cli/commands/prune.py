"""`go-prefetch prune`: delete unused entries of GitHub's cache, or trim a pool. A dry run by default."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from go_prefetch.base.format import counted, size
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.forge_inputs import PRUNE, PruneSettings, prune_settings
from go_prefetch.errors import DownloadError, InputError
from go_prefetch.forge.access import Access, find_access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.model.ports import Platform
from go_prefetch.modfiles.managed_folder import place_of
from go_prefetch.prune.entries import Entry, Removal, choose_removals, gone_scopes, list_entries
from go_prefetch.prune.pool import PoolModule, choose_modules, list_modules, remove, remove_empty_folders
from go_prefetch.web.http_settings import HttpSettings

if TYPE_CHECKING:
    from go_prefetch.forge.github import GitHub

_IDLE = 7 * 86400.0  # seconds; GitHub keeps unread entries for that long


def prune(invocation: Invocation) -> int:
    """List unused entries or modules and, with `--delete`, delete them. Raises PrefetchError."""
    platform, environ, stdout = invocation.platform, invocation.environ, invocation.stdout
    settings = prune_settings(invocation.values(PRUNE), invocation.cwd)
    if settings.pool:
        _prune_pool(settings, settings.pool, platform, stdout)
    else:
        access = find_access(settings.repo, settings.api_url, environ, invocation.cwd)
        platform.hide(frozenset({access.token}))
        _prune_entries(settings, access, platform, environ, stdout)
    return 0


def _prune_entries(
    settings: PruneSettings, access: Access, platform: Platform, environ: Mapping[str, str], stdout: TextIO
) -> None:
    if access.kind == "gitlab":
        raise InputError("input-invalid", "prune-gitlab")
    from go_prefetch.forge.github import GitHub  # noqa: PLC0415 - PyGithub is imported when it is needed

    patience = Patience(settings.wait, platform.warn)
    github = GitHub(RestApi(access, HttpSettings.of_forge(environ), patience, follows=False), access)
    default_ref = f"refs/heads/{github.repository().default_branch}"
    platform.progress("listing entries")
    entries = list_entries(github)
    gone = gone_scopes(github, (entry.ref for entry in entries if entry.ref != default_ref))
    since = datetime.now(timezone.utc) - timedelta(seconds=settings.max_age or _IDLE)
    chosen = choose_removals(entries, gone, default_ref, since)
    for one in chosen:
        platform.show(_line(one), stdout)
    deleted = _deleted(chosen, github, platform) if settings.delete else []
    done = f"deleted {_sum(deleted)}" if settings.delete else f"would delete {_sum([one.entry for one in chosen])}"
    print(f"{done} of {_sum(entries)}{'' if settings.delete else '; --delete deletes them'}", file=stdout)


def _deleted(chosen: list[Removal], github: GitHub, platform: Platform) -> list[Entry]:
    """Delete deltas first: a delta without its full entry is useless."""
    done = []
    for number, one in enumerate(sorted(chosen, key=lambda one: not one.entry.name.is_delta), 1):
        platform.progress(f"deleting {number} of {len(chosen)}")
        if github.delete_cache(one.entry.id):
            done.append(one.entry)
    return done


def _line(one: Removal) -> str:
    entry = one.entry
    return f"{entry.name.key}\n  {entry.ref}, {size(entry.bytes)}, last read {entry.read:%Y-%m-%d}: {one.reason}"


def _sum(entries: list[Entry]) -> str:
    word = "entry" if len(entries) == 1 else "entries"
    return f"{len(entries)} {word} ({size(sum(entry.bytes for entry in entries))})"


def _prune_pool(settings: PruneSettings, pool: Path, platform: Platform, stdout: TextIO) -> None:
    now = time.time()
    with _folder_errors(pool):
        modules = list_modules(pool)
    chosen = choose_modules(modules, settings.max_age, settings.max_size, now)
    for one in chosen:
        used = datetime.fromtimestamp(one.used, timezone.utc)
        platform.show(f"{one.version}  {size(one.bytes)}, last used {used:%Y-%m-%d}", stdout)
    removed = _removed(chosen, pool) if settings.delete else chosen
    done = "removed" if settings.delete else "would remove"
    total = f"{len(modules)} ({size(sum(one.bytes for one in modules))})"
    freed = f"{counted(len(removed), 'module')} ({size(sum(one.bytes for one in removed))})"
    print(f"{done} {freed} of {total}{'' if settings.delete else '; --delete removes them'}", file=stdout)


def _removed(chosen: list[PoolModule], pool: Path) -> list[PoolModule]:
    with _folder_errors(pool):
        removed = [one for one in chosen if remove(pool, one)]
        remove_empty_folders(pool)
    return removed


@contextmanager
def _folder_errors(pool: Path) -> Iterator[None]:
    """Name the pool in errors of its files. Errors of the output pass."""
    try:
        yield
    except OSError as error:
        raise DownloadError("folder-unwritable", "pool", place=place_of(error, pool), words=error.strerror) from None
