"""The fake API's answers are what PyGithub's own types take them for, and what our parsers make of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from github import UnknownObjectException
from github.Repository import Repository

from go_prefetch.forge.access import Access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.forge.github import GitHub
from go_prefetch.history.github import parse_run
from go_prefetch.prune.entries import own_entries, parse_listed
from go_prefetch.web.http_settings import HttpSettings
from tests.support.fakes.github_api import payloads
from tests.support.fakes.github_api.server import TOKEN, GitHubApi

KEY = "go-prefetch-1-0123456789abcdef-full-" + "a" * 64 + "-100.1"


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    with GitHubApi() as server:
        server.runs = [payloads.run(number, base=server.url) for number in range(1, 251)]
        server.jobs[7] = [payloads.job(70, 7, base=server.url), payloads.job(71, 7, base=server.url, name="lint")]
        server.caches = [payloads.cache(5, KEY)]
        yield server


@pytest.fixture
def ours(api: GitHubApi) -> GitHub:
    access = Access("github", api.url, api.name, TOKEN)
    return GitHub(RestApi(access, HttpSettings(), Patience(), follows=False), access)


@pytest.fixture
def repository(api: GitHubApi, ours: GitHub) -> Repository:
    return ours.github.get_repo(api.name)


def every_property(thing: Any, *left_out: str) -> dict[str, Any]:
    """All that PyGithub makes of a payload; it raises where a value has another type than GitHub documents."""
    names = [name for name, kind in vars(type(thing)).items() if isinstance(kind, property) and name not in left_out]
    return {name: getattr(thing, name) for name in names}


def test_a_run_has_the_types_github_documents(repository: Repository) -> None:
    run = repository.get_workflow_runs()[0]
    values = every_property(run)
    assert values["id"] == 250
    assert values["run_started_at"] == payloads.START + timedelta(hours=250)
    assert values["updated_at"] - values["run_started_at"] == timedelta(minutes=1)
    assert values["head_commit"].id == values["head_sha"]


def test_pygithub_pages_through_all_runs(repository: Repository) -> None:
    """Its paginated list follows the `Link` headers to the end."""
    assert [run.id for run in repository.get_workflow_runs()] == list(range(250, 0, -1))


def test_jobs_and_steps_have_the_types_github_documents(api: GitHubApi, repository: Repository) -> None:
    run = repository.get_workflow_runs()[243]
    assert run.id == 7
    jobs = list(run.jobs())
    assert [every_property(job, "logs_url", "logs")["name"] for job in jobs] == ["test", "lint"]
    assert jobs[0].steps[0].completed_at - jobs[0].steps[0].started_at == timedelta(seconds=2)


def test_the_log_of_a_job_is_a_redirect_to_another_host(api: GitHubApi, repository: Repository) -> None:
    api.job_logs[70] = b"log"
    location = next(iter(repository.get_workflow_runs()[243].jobs())).logs_url
    assert callable(location)
    assert location().startswith(api.blobs.url)


def test_what_is_not_there_is_unknown_to_pygithub(repository: Repository) -> None:
    with pytest.raises(UnknownObjectException):
        repository.get_workflow_run(7777)


def test_our_run_says_what_pygithub_says(repository: Repository) -> None:
    theirs = repository.get_workflow_runs()[0]
    ours = parse_run(theirs)
    assert ours is not None
    assert (ours.id, ours.attempt, ours.workflow) == (theirs.id, theirs.run_attempt, theirs.name)
    assert (ours.branch, ours.event, ours.commit) == (theirs.head_branch, theirs.event, theirs.head_sha)
    assert (ours.created, ours.started) == (theirs.created_at, theirs.run_started_at)
    assert ours.committed == datetime.fromisoformat(theirs.raw_data["head_commit"]["timestamp"].replace("Z", "+00:00"))
    assert ours.file == "ci.yml"


@pytest.mark.parametrize(
    "changed",
    [{"status": "in_progress", "conclusion": None}, {"id": "7"}, {"id": -7}, {"created_at": "soon"}, {"name": ["ci"]}],
    ids=str,
)
def test_a_run_that_has_not_ended_or_makes_no_sense_is_none(ours: GitHub, changed: dict[str, Any]) -> None:
    assert parse_run(ours.run({**payloads.run(1), **changed})) is None


def test_a_run_with_unusual_values_is_read(ours: GitHub) -> None:
    """Half a surrogate pair cannot be written; a time without a zone cannot be compared."""
    changed = {"name": "a\ud800b", "created_at": "2026-03-02T09:00:00", "head_commit": None, "run_attempt": 1 << 60}
    run = parse_run(ours.run({**payloads.run(1), **changed}))
    assert run is not None
    assert (run.workflow, run.committed, run.attempt) == ("a?b", None, 0)
    assert run.created == datetime(2026, 3, 2, 9, tzinfo=timezone.utc)


def test_an_entry_of_the_cache() -> None:
    """Moments of caches have nine digits after the second."""
    listed = parse_listed(payloads.cache(5, KEY, size=7))
    assert listed
    (entry,) = own_entries([listed])
    assert entry is not None
    assert (entry.id, entry.bytes, entry.ref, entry.name.digest) == (5, 7, "refs/heads/main", "a" * 64)
    assert entry.created == payloads.START.replace(microsecond=213333, tzinfo=timezone.utc)


def test_somebody_elses_entry_is_none() -> None:
    other = parse_listed(payloads.cache(5, "setup-go-Linux-x64-ubuntu24-go-1.27.3-abc"))
    assert other
    assert own_entries([other]) == []
