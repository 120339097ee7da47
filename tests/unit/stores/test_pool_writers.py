"""Which jobs save to a shared pool, as a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from go_prefetch.config.choices import When
from go_prefetch.errors import notice
from go_prefetch.stores.objects.writers import pool_not_saved_because

GITHUB = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
GITLAB = {
    "GITLAB_CI": "true", "CI": "true", "CI_JOB_ID": "1", "CI_PROJECT_DIR": "/builds/a", "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_REF_PROTECTED": "false",
}  # fmt: skip
PULL = {"GITHUB_REF": "refs/pull/7/merge", "GITHUB_HEAD_REF": "topic"}
TOPIC = {"GITHUB_REF": "refs/heads/topic"}
PROTECTED = {"GITHUB_REF_PROTECTED": "true"}


def case_of(environ: dict[str, str], save: When = When.AUTO) -> str:
    """Return the case of the reason; empty if the job saves."""
    reason = pool_not_saved_because(save, environ)
    assert reason is None or reason.slug == "save-restricted"
    return reason.case if reason else ""


@pytest.fixture
def event(tmp_path: Path) -> dict[str, str]:
    """Return the variable of an event of a repository whose default branch is main."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    return {"GITHUB_EVENT_PATH": str(path)}


@pytest.mark.parametrize(
    ("variables", "case"),
    [
        ({}, ""),
        ({"GITHUB_EVENT_NAME": "workflow_dispatch"}, ""),
        ({"GITHUB_EVENT_NAME": "repository_dispatch"}, ""),
        (TOPIC, "branch"),
        (TOPIC | {"GITHUB_EVENT_NAME": "workflow_dispatch"}, "branch"),
        ({"GITHUB_REF": "refs/heads/main/main"}, "branch"),
        ({"GITHUB_REF": "refs/tags/main"}, "branch"),
        ({"GITHUB_REF": ""}, "branch"),
        (TOPIC | PROTECTED, ""),
        ({"GITHUB_REF": "refs/tags/v1"}, "branch"),
        ({"GITHUB_REF": "refs/tags/v1", "GITHUB_EVENT_NAME": "release"} | PROTECTED, ""),
        (PULL | {"GITHUB_EVENT_NAME": "pull_request"}, "event"),
        (PULL | {"GITHUB_EVENT_NAME": "pull_request_review"}, "event"),
        ({"GITHUB_EVENT_NAME": "pull_request_target"} | PROTECTED, "event"),
        ({"GITHUB_EVENT_NAME": "issue_comment"} | PROTECTED, "event"),
        ({"GITHUB_EVENT_NAME": "workflow_run"} | PROTECTED, "event"),
        ({"GITHUB_EVENT_NAME": "an_event_of_the_future"} | PROTECTED, "event"),
        ({"GITHUB_EVENT_NAME": ""}, "event"),
        ({"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-1-a"}, "merge-queue"),
        (PROTECTED | {"GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-1-a"}, "merge-queue"),
    ],
)
def test_github_jobs_of_merged_code_save(event: dict[str, str], variables: dict[str, str], case: str) -> None:
    assert case_of(GITHUB | event | variables) == case


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"repository": 7}', '{"repository": {"default_branch": 1}}'])
def test_github_event_without_a_default_branch_saves_nothing(event: dict[str, str], content: str) -> None:
    Path(event["GITHUB_EVENT_PATH"]).write_text(content)
    assert case_of(GITHUB | event) == "branch"
    assert case_of(GITHUB | event | PROTECTED) == ""


def test_github_schedule_saves_without_an_event_file() -> None:
    assert case_of(GITHUB) == "branch"
    assert case_of(GITHUB | {"GITHUB_EVENT_NAME": "schedule"}) == ""


@pytest.mark.parametrize(
    ("variables", "case"),
    [
        ({}, ""),
        ({"CI_PIPELINE_SOURCE": "schedule"}, ""),
        ({"CI_COMMIT_BRANCH": "topic"}, "branch"),
        ({"CI_COMMIT_BRANCH": "topic", "CI_COMMIT_REF_PROTECTED": "true"}, ""),
        ({"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1"}, "branch"),
        ({"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_PROTECTED": "true"}, ""),
        ({"CI_COMMIT_BRANCH": "", "CI_DEFAULT_BRANCH": ""}, "branch"),
        ({"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_REF_PROTECTED": "true"}, "merge-request"),
        ({"CI_PIPELINE_SOURCE": "external_pull_request_event"}, "merge-request"),
        ({"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_MERGE_REQUEST_IID": "7"}, "merge-request"),
    ],
)
def test_gitlab_jobs_of_merged_code_save(variables: dict[str, str], case: str) -> None:
    assert case_of(GITLAB | variables) == case


@pytest.mark.parametrize(
    ("environ", "has_login", "case"),
    [({}, True, None), ({}, False, "login"), ({"CI": "false"}, True, None), ({"CI": "woodpecker"}, True, "ci")],
)
def test_machine_outside_of_ci_saves_with_a_login(environ: dict[str, str], has_login: bool, case: str | None) -> None:
    reason = pool_not_saved_because(When.AUTO, environ, has_login=has_login)
    assert reason == (notice("save-restricted", case) if case else None)


def test_job_of_merged_code_without_a_login_saves_nothing() -> None:
    environ = GITHUB | {"GITHUB_REF_PROTECTED": "true"}
    assert pool_not_saved_because(When.AUTO, environ) is None
    assert pool_not_saved_because(When.AUTO, environ, has_login=False) == notice("save-restricted", "login")


@pytest.mark.parametrize("environ", [{}, GITHUB, GITHUB | PULL | {"GITHUB_EVENT_NAME": "pull_request"}, GITLAB])
def test_true_and_false_decide_in_every_job(environ: dict[str, str]) -> None:
    assert pool_not_saved_because(When.ALWAYS, environ, has_login=False) is None
    assert pool_not_saved_because(When.NEVER, environ) == notice("save-disabled")
