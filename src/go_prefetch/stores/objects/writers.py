"""Which jobs save to a pool that many repositories share, in a bucket or on an HTTP server.

With `save: auto` these are the jobs whose code has been merged. Go compares what they save with the go.sum of each
reader, so this is no protection of a build. It keeps strangers from filling the pool with what nothing reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from go_prefetch.base.untrusted_json import members, read_object, text
from go_prefetch.config.choices import When
from go_prefetch.errors import Notice, notice
from go_prefetch.model.ci_job import LARGEST_EVENT, in_ci

# Events that only people with write access cause. For the same events, GitHub lets jobs of the default branch write to
# its own cache. https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching
_TRUSTED_EVENTS = frozenset({
    "push", "schedule", "workflow_dispatch", "repository_dispatch", "delete", "page_build", "registry_package",
    "release",
})  # fmt: skip
_QUEUE_BRANCHES = "refs/heads/gh-readonly-queue/"


def pool_not_saved_because(save: When, environ: Mapping[str, str], *, has_login: bool = True) -> Notice | None:
    """Return why this job saves nothing to a shared pool; None if it saves.

    `has_login`: whether there are credentials for the pool. Outside of CI, they alone decide.
    """
    if save is not When.AUTO:
        return notice("save-disabled") if save is When.NEVER else None
    return _kept_out_because(environ) or (None if has_login else notice("save-restricted", "login"))


def _kept_out_because(environ: Mapping[str, str]) -> Notice | None:
    if environ.get("GITHUB_ACTIONS") == "true":
        return _on_github(environ)
    if environ.get("CI_JOB_ID") and environ.get("CI_PROJECT_DIR"):
        return _on_gitlab(environ)
    return notice("save-restricted", "ci") if in_ci(environ) else None


def _on_github(environ: Mapping[str, str]) -> Notice | None:
    event, ref = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_REF", "")
    if event == "merge_group" or ref.startswith(_QUEUE_BRANCHES):
        return notice("save-restricted", "merge-queue")
    if event not in _TRUSTED_EVENTS:
        return notice("save-restricted", "event", event=event)
    is_protected = environ.get("GITHUB_REF_PROTECTED") == "true"
    # A schedule runs on the default branch only, and its event does not describe the repository.
    return None if is_protected or event == "schedule" or _is_default(ref, environ) else _OTHER_BRANCH


def _is_default(ref: str, environ: Mapping[str, str]) -> bool:
    path = environ.get("GITHUB_EVENT_PATH", "")
    event = read_object(Path(path), LARGEST_EVENT) if path else None
    branch = text(members(event, "repository"), "default_branch")
    return bool(branch) and ref == f"refs/heads/{branch}"


def _on_gitlab(environ: Mapping[str, str]) -> Notice | None:
    # Before the ref: a pipeline of a merge request between two protected branches counts as protected.
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if environ.get("CI_MERGE_REQUEST_IID") or environ.get("CI_EXTERNAL_PULL_REQUEST_IID"):
        return notice("save-restricted", "merge-request")
    if source in ("merge_request_event", "external_pull_request_event"):
        return notice("save-restricted", "merge-request")
    branch = environ.get("CI_COMMIT_BRANCH", "")
    is_protected = environ.get("CI_COMMIT_REF_PROTECTED") == "true"
    return None if is_protected or (branch and branch == environ.get("CI_DEFAULT_BRANCH")) else _OTHER_BRANCH


_OTHER_BRANCH = notice("save-restricted", "branch")
