"""`go-prefetch prune`: list GitHub's caches and delete unused entries, or trim a pool. A dry run by default."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from go_prefetch.base.format import size
from go_prefetch.cli.commands.prune_pool import conclude, list_lines, prune_bucket, prune_folder
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.forge_inputs import PRUNE, PruneSettings, prune_settings
from go_prefetch.errors import InputError
from go_prefetch.forge.access import Access, find_access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.forge.open_github import open_github
from go_prefetch.model.ports import Platform
from go_prefetch.prune.entries import AnyEntry, Removal, choose_removals, gone_scopes, list_entries, own_entries
from go_prefetch.prune.families import Inventory, take_inventory
from go_prefetch.prune.family_table import family_lines
from go_prefetch.render.messages import reason
from go_prefetch.web.http_settings import HttpSettings

if TYPE_CHECKING:
    from go_prefetch.forge.github import GitHub

_IDLE = 7 * 86400.0  # seconds; GitHub keeps unread entries for that long


def prune(invocation: Invocation) -> int:
    """Count unused entries or modules and, with `--delete`, delete them. `-v` lists them. Raises PrefetchError."""
    platform, environ = invocation.platform, invocation.environ
    settings = prune_settings(invocation.values(PRUNE), environ, invocation.cwd)
    if settings.bucket:
        return prune_bucket(settings, settings.bucket, invocation)
    if settings.pool:
        prune_folder(settings, settings.pool, invocation)
    else:
        access = find_access(settings.repo, settings.api_url, environ, invocation.cwd)
        platform.hide(frozenset({access.token}))
        _prune_entries(settings, access, invocation)
    return 0


def _prune_entries(settings: PruneSettings, access: Access, invocation: Invocation) -> None:
    if access.kind == "gitlab":
        raise InputError("input-invalid", "prune-gitlab")
    platform = invocation.platform
    patience = Patience(settings.wait, platform.warn)
    github = open_github(RestApi(access, HttpSettings.of_forge(invocation.environ), patience, follows=False), access)
    repository = github.repository()
    default_ref = f"refs/heads/{repository.default_branch}"
    now = datetime.now(timezone.utc)
    with platform.working("Prune") as meter:
        meter.say("listing entries")
        listed = list_entries(github)
        inventory = take_inventory(listed, repository.name, repository.default_branch, github.cache_limit(), now)
    _show_families(inventory, invocation)
    entries = own_entries(listed)
    gone = gone_scopes(github, (entry.ref for entry in entries if entry.ref != default_ref))
    since = now - timedelta(seconds=settings.max_age or _IDLE)
    chosen = choose_removals(entries, gone, default_ref, since)
    list_lines(map(_line, chosen), invocation)
    deleted = _deleted(chosen, github, platform) if settings.delete else [one.entry for one in chosen]
    conclude(settings, f"{_sum(deleted)} of {_sum(entries)}", invocation, any_chosen=bool(chosen))


def _show_families(inventory: Inventory, invocation: Invocation) -> None:
    """Print the families of all tools, also of those whose entries are never deleted, and what is wrong."""
    if not invocation.arguments.quiet:
        invocation.platform.show("\n".join(family_lines(inventory)), invocation.stdout)
    for one in inventory.notices():
        invocation.platform.warn(one)


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
