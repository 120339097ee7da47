"""Whether a job uses the build cache.

Nothing can verify build results: what one job saves, another job runs. `build-cache: auto` therefore leaves out jobs
that publish something, as far as the CI says so, and jobs that outsiders start with the rights of the repository.
"""

from __future__ import annotations

from collections.abc import Mapping

from go_prefetch.errors import Notice, notice
from go_prefetch.model.ci_job import is_for_a_tag

# https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
_PUBLISHING = frozenset({"deployment", "deployment_status", "registry_package", "release"})
# These run on the default branch with its secrets, and outsiders can start them. Some build what outsiders wrote.
_FROM_OUTSIDE = frozenset({"issue_comment", "pull_request_target", "workflow_run"})


def unusable_because(gocache: str, gocacheprog: str) -> Notice | None:
    """Return why the build cache cannot be used, whatever `build-cache` is; None if it can.

    The arguments are GOCACHE and GOCACHEPROG of `go env`.
    """
    if gocacheprog:
        return notice("build-cache-off", "program")
    if gocache in ("", "off"):
        return notice("build-cache-off", "disabled", gocache=gocache or "not set")
    return None


def off_because(environ: Mapping[str, str], *, is_shared: bool, cache_mode: str = "") -> Notice | None:
    """Return why `build-cache: auto` means `false` in this job; None if it means `true`.

    `is_shared`: whether a run on another machine can read the store, which is a cache service or one that the user
    named. `cache_mode`: the mode of a cache service that this job may not read; otherwise empty.
    """
    event, environment = environ.get("GITHUB_EVENT_NAME", ""), environ.get("CI_ENVIRONMENT_NAME", "")
    if event in _PUBLISHING:
        return notice("build-cache-off", "publishes", event=event)
    if event in _FROM_OUTSIDE:
        return notice("build-cache-off", "from-outside", event=event)
    if is_for_a_tag(environ):
        return notice("build-cache-off", "tag")
    if environment:
        return notice("build-cache-off", "environment", environment=environment)
    if cache_mode:
        return notice("build-cache-off", "unreadable", mode=cache_mode)
    return None if is_shared else notice("build-cache-off", "unshared")
