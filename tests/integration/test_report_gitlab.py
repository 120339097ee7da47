"""`go-prefetch report` on GitLab: pipelines and traces by a server that follows GitLab's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support.fakes import records
from tests.support.fakes.gitlab_api import PROJECT, TOKEN, GitLabApi, job, pipeline
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def moment(when: datetime) -> str:
    """As GitLab writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.123Z")


@pytest.fixture
def api() -> Iterator[GitLabApi]:
    with GitLabApi() as server:
        yield server


def add_pipelines(api: GitLabApi, count: int, **changed: Any) -> None:
    """That many, the newest an hour ago, each with a job that has a record and one that never ran."""
    for number in range(1, count + 1):
        created = NOW - timedelta(hours=count + 1 - number)
        api.pipelines.append(pipeline(number, moment(created), moment(created + timedelta(minutes=9)), **changed))
        api.details[number] = {"started_at": moment(created + timedelta(minutes=1)),
                               "finished_at": moment(created + timedelta(minutes=3)), "duration": 100}  # fmt: skip
        api.jobs[number] = [job(10 * number), job(10 * number + 1, "deploy", started_at=None)]
        api.traces[10 * number] = b"\x1b[0KRunning with gitlab-runner\r\n" + records.line().encode() + b"\n"


def report(bench: Workbench, api: GitLabApi, *flags: str) -> Result:
    return prefetch(bench, "report", *flags, cwd=bench.folder, **api.environ())


def figures(bench: Workbench, api: GitLabApi, *flags: str) -> dict[str, Any]:
    result = report(bench, api, "--format", "json", *flags)
    assert result.status == 0, result.text
    values: dict[str, Any] = json.loads(result.stdout)
    return values


def test_figures_come_from_traces(bench: Workbench, api: GitLabApi) -> None:
    """More than a page of pipelines; durations are those of the pipeline itself, not of its row in the list."""
    add_pipelines(api, 120)
    values = figures(bench, api)
    assert values["repository"] == PROJECT
    assert values["prefetching"]["results"] == {"exact": 120}
    assert values["workflow_runs"]["seconds_p50"] == 120
    assert values["storage"] is None
    before = len(api.requests)
    assert figures(bench, api)["periods"] == values["periods"]
    again = [path for path, _, _ in api.requests[before:]]
    assert not [path for path in again if "jobs" in path or path.endswith("pipelines/7")]


def test_a_trace_in_an_object_store_is_fetched_without_the_token(bench: Workbench, api: GitLabApi) -> None:
    add_pipelines(api, 2)
    api.stored = {10, 20}
    assert figures(bench, api)["prefetching"]["runs"] == 2
    assert len(api.store_requests) == 2
    assert not [headers for headers in api.store_requests if TOKEN in str(headers)]
    assert {login for _, login, _ in api.requests} == {f"Bearer {TOKEN}"}


def test_pipelines_that_failed_or_are_under_way(bench: Workbench, api: GitLabApi) -> None:
    add_pipelines(api, 4)
    for number, status in enumerate(("failed", "canceled", "running")):
        api.pipelines[number]["status"] = status
    runs = figures(bench, api)["workflow_runs"]
    assert (runs["succeeded"], runs["failed"], runs["other"]) == (1, 1, 1)


def test_a_branch_and_a_source(bench: Workbench, api: GitLabApi) -> None:
    add_pipelines(api, 4)
    api.pipelines[0]["ref"] = "topic"
    api.pipelines[1]["source"] = "schedule"
    assert figures(bench, api, "--branch", "topic")["workflow_runs"]["runs"] == 1
    assert figures(bench, api, "--workflow", "schedule")["workflow_runs"]["runs"] == 1


def test_an_erased_trace_is_one_without_records(bench: Workbench, api: GitLabApi) -> None:
    add_pipelines(api, 2)
    del api.traces[10]
    assert figures(bench, api)["prefetching"]["runs"] == 1


def test_the_rate_limit_of_gitlab(bench: Workbench, api: GitLabApi) -> None:
    """Two requests for the lists, two and a trace for each pipeline; six traces may be behind."""
    add_pipelines(api, 10)
    api.remaining = 2 + 2 * 7 + 4
    values = figures(bench, api)
    assert values["incomplete_because"]
    assert 1 <= values["prefetching"]["runs"] < 10


def test_refused_traces_are_asked_for_again(bench: Workbench, api: GitLabApi) -> None:
    """The limit is about the server, so no trace is unreadable because of it."""
    add_pipelines(api, 3)
    api.traces_refused = 2
    values = figures(bench, api)
    assert values["prefetching"]["results"] == {"exact": 3}
    assert values["notes"] == []


def test_a_token_of_gitlab_com_is_not_for_another_host(bench: Workbench, api: GitLabApi) -> None:
    result = prefetch(bench, "report", "--api-url", api.url, "--repo", PROJECT, cwd=bench.folder, GITLAB_TOKEN=TOKEN)
    assert result.status == 2
    assert "[token-missing]" in result.stderr
    assert api.requests == []
