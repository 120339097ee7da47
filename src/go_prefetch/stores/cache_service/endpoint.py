"""The runner's settings of its cache service for a step, and whether this run may use it.

https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching and, for the variables, the sources
of actions/runner and of the official client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from go_prefetch.config.choices import When
from go_prefetch.errors import Notice, notice
from go_prefetch.model.ci_job import is_for_a_tag

# Runners of some vendors answer GitHub's API themselves: these hosts of GitHub and Azure then have an address of the
# runner's network, and a certificate that the runner trusts. Only the runner's own resolver can give them one.
INTERCEPTED_NAMES = (".actions.githubusercontent.com", ".blob.core.windows.net")

_READS, _WRITES = ("read", "write"), ("write", "write-only")


@dataclass(frozen=True)
class CacheEndpoint:
    """A cache service in reach."""

    protocol: Literal["v1", "v2"]
    url: str = field(repr=False)  # on some runners, a part of its path is the credential
    token: str = field(repr=False)  # empty on act
    run: str  # `<run id>.<attempt>`
    mode: str = ""  # the value of the workflow's `cache-mode`; empty if the runner does not set it
    unshared_reason: Notice | None = None  # why no other run could read what this one saves

    @property
    def may_read(self) -> bool:
        """Return whether `cache-mode` allows reading. An unknown value forbids nothing."""
        return self.mode not in (*_READS, *_WRITES, "none") or self.mode in _READS

    @property
    def may_write(self) -> bool:
        """Return whether `cache-mode` allows writing."""
        return self.mode not in (*_READS, *_WRITES, "none") or self.mode in _WRITES

    @property
    def no_reading(self) -> Notice | None:
        """Return why this job may not read entries."""
        return None if self.may_read else notice("cache-mode", mode=self.mode)

    def no_writing(self, save: When) -> Notice | None:
        """Return why this job may not write entries, or need not."""
        if save is When.NEVER:
            return notice("save-disabled")
        if not self.may_write:
            return notice("cache-mode", mode=self.mode)
        return self.unshared_reason if save is When.AUTO else None

    @property
    def secrets(self) -> frozenset[str]:
        """Return what must never be printed."""
        hidden = re.findall(r"[0-9A-Za-z_-]{20,}", self.url.partition("://")[2].partition("/")[2])
        return frozenset(part for part in (self.token, *hidden) if part)


def find_endpoint(environ: Mapping[str, str]) -> CacheEndpoint | None:
    """Return the cache service of this step, or None if the runner names none.

    v2 only if the runner says so: Forgejo sets ACTIONS_RESULTS_URL too, and accepts artifacts only there.
    """
    token = environ.get("ACTIONS_RUNTIME_TOKEN", "")
    results, legacy = environ.get("ACTIONS_RESULTS_URL", ""), environ.get("ACTIONS_CACHE_URL", "")
    common = (token, _run(environ), environ.get("ACTIONS_CACHE_MODE", "").strip().lower(), _unshared_reason(environ))
    if not token and _has_service(environ):
        return None
    if environ.get("ACTIONS_CACHE_SERVICE_V2") and results:
        return CacheEndpoint("v2", results, *common)
    return CacheEndpoint("v1", legacy, *common) if legacy else None


def not_offered(environ: Mapping[str, str]) -> Notice | None:
    """Return why a step without an endpoint has none, on a runner that has a cache service; None on other machines."""
    if not _has_service(environ):
        return None
    named = any(environ.get(f"ACTIONS_{name}") for name in ("CACHE_SERVICE_V2", "RESULTS_URL", "CACHE_URL"))
    return notice("no-cache-service", "token" if named and not environ.get("ACTIONS_RUNTIME_TOKEN") else "")


def _has_service(environ: Mapping[str, str]) -> bool:
    """Return whether this runner has a cache service that needs a token. That of act needs none."""
    is_hosted = environ.get("GITHUB_ACTIONS") == "true" and environ.get("RUNNER_ENVIRONMENT") == "github-hosted"
    return is_hosted or bool(environ.get("ACTIONS_CACHE_SERVICE_V2"))


def _run(environ: Mapping[str, str]) -> str:
    """Return what makes the keys of this run unique; it is the same in all its jobs."""
    numbers = (environ.get(name, "") for name in ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"))
    return ".".join(number if re.fullmatch(r"[0-9]{1,20}", number) else "0" for number in numbers)


def _unshared_reason(environ: Mapping[str, str]) -> Notice | None:
    """Return why no other run can read an entry of this ref: that of a tag, or of a merge queue."""
    if environ.get("GITHUB_EVENT_NAME") == "merge_group":
        return notice("save-unshared", "merge-queue")
    if is_for_a_tag(environ):
        return notice("save-unshared", "tag")
    return None
