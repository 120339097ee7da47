"""`build-cache: auto` as a table: where it is off, and why."""

from __future__ import annotations

import pytest

from go_prefetch.model.build_cache_rule import off_because, unusable_because

BRANCH = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
GITLAB = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}


@pytest.mark.parametrize(
    ("environ", "case"),
    [
        *(({**BRANCH, "GITHUB_EVENT_NAME": event}, case) for event, case in (
            ("push", ""),
            ("pull_request", ""),
            ("merge_group", ""),  # it restores, and saves nothing, because no other run could read it
            ("schedule", ""),
            ("workflow_dispatch", ""),  # it may publish, and no variable says so
            ("create", ""),
            ("delete", ""),
            ("release", "publishes"),
            ("deployment", "publishes"),
            ("deployment_status", "publishes"),
            ("registry_package", "publishes"),
            ("pull_request_target", "from-outside"),
            ("workflow_run", "from-outside"),
            ("issue_comment", "from-outside"),
        )),
        ({**BRANCH, "GITHUB_REF": "refs/tags/v1"}, "tag"),
        ({**BRANCH, "GITHUB_EVENT_NAME": "create", "GITHUB_REF_TYPE": "tag"}, "tag"),
        ({**BRANCH, "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF_TYPE": "tag"}, "tag"),
        (GITLAB, ""),
        ({**GITLAB, "CI_PIPELINE_SOURCE": "merge_request_event"}, ""),
        ({**GITLAB, "CI_DEPLOY_USER": "gitlab+deploy-token-1"}, ""),  # all jobs of the project have it
        ({**GITLAB, "CI_COMMIT_TAG": "v1"}, "tag"),
        ({**GITLAB, "CI_ENVIRONMENT_NAME": "production"}, "environment"),
        ({}, ""),
    ],
)  # fmt: skip
def test_auto_is_off_where_a_job_may_publish(environ: dict[str, str], case: str) -> None:
    reason = off_because(environ, is_shared=True)
    assert (reason.case if reason else "") == case


@pytest.mark.parametrize(
    ("is_shared", "cache_mode", "case"),
    [(True, "", None), (False, "", "unshared"), (True, "write-only", "unreadable"), (True, "none", "unreadable")],
)
def test_auto_is_on_where_another_run_can_read(is_shared: bool, cache_mode: str, case: str | None) -> None:
    reason = off_because(BRANCH, is_shared=is_shared, cache_mode=cache_mode)
    assert (reason.case if reason else None) == case


@pytest.mark.parametrize(
    ("gocache", "gocacheprog", "case"),
    [("/home/me/.cache/go-build", "", None), ("off", "", "disabled"), ("", "", "disabled"), ("/x", "prog", "program")],
)
def test_a_cache_that_is_no_folder_cannot_be_used(gocache: str, gocacheprog: str, case: str | None) -> None:
    reason = unusable_because(gocache, gocacheprog)
    assert (reason.case if reason else None) == case
