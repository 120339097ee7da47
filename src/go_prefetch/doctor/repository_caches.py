"""The Actions cache of the repository: what is in it, if there is a token, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import wait
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from go_prefetch.base.background import LOOK_EVERY, run_in_background
from go_prefetch.base.retry import Backoff, Deadline
from go_prefetch.doctor.finding import Finding, seen
from go_prefetch.errors import InputError, Notice, PrefetchError, notice
from go_prefetch.forge.access import Access, find_access
from go_prefetch.forge.api import Limits, Patience, RestApi
from go_prefetch.model.ports import Platform
from go_prefetch.prune.entries import list_entries
from go_prefetch.prune.families import Inventory, take_inventory
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts

if TYPE_CHECKING:
    from go_prefetch.forge.github import GitHub

_LONGEST = 60.0  # seconds: a repository with 10,000 entries has 100 pages


def repository_caches(
    environ: Mapping[str, str], cwd: Path, deadline: Deadline, platform: Platform
) -> tuple[Inventory | None, Notice | None]:
    """Return what the cache holds, or else why it was not listed; neither outside a repository, and for GitLab."""
    try:
        access = find_access("", "", environ, cwd)
    except InputError as error:
        return None, None if error.slug == "repository-unknown" else error.notice
    if access.kind == "gitlab":
        return None, None
    platform.hide(frozenset({access.token}))
    try:
        from go_prefetch.forge.github import GitHub  # noqa: PLC0415 - PyGithub is imported when it is needed
    except ImportError:
        return None, notice("caches-not-listed", "no-client")
    limited = deadline.earlier_of(_LONGEST)
    listed = run_in_background(lambda: _list(GitHub(_api(access, environ, limited), access)))
    while not (listed.done() or limited.passed()):
        wait([listed], timeout=LOOK_EVERY)
    try:
        return (listed.result(), None) if listed.done() else (None, notice("caches-not-listed", "late"))
    except PrefetchError as error:
        return None, error.notice


def cache_findings(inventory: Inventory | None) -> tuple[Finding, ...]:
    """Return what is wrong with it. docs/doctor.md has a line for each name."""
    found = inventory.notices() if inventory else ()
    return tuple(Finding(one.slug, "problem", seen(problem=one)) for one in found)


def _api(access: Access, environ: Mapping[str, str], deadline: Deadline) -> RestApi:
    limits = Limits(Timeouts(connect=10.0, stall=10.0), whole=_LONGEST)
    patience = Patience(sleep=deadline.wait)
    web = HttpSettings.of_forge(environ)
    return RestApi(access, web, patience, follows=False, backoff=Backoff(attempts=2), limits=limits)


def _list(github: GitHub) -> Inventory:
    found = github.repository()
    now = datetime.now(timezone.utc)
    return take_inventory(list_entries(github), found.name, found.default_branch, github.cache_limit(), now)
