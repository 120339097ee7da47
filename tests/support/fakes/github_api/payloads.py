"""What GitHub says of runs, jobs and caches: the shapes of its published OpenAPI description, 2022-11-28."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


def moment(when: datetime) -> str:
    """As GitHub writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def person(login: str = "gopher") -> dict[str, Any]:
    return {"login": login, "id": 1, "node_id": "MDQ6VXNlcjE=", "type": "User", "site_admin": False,
            "url": f"https://api.github.com/users/{login}", "html_url": f"https://github.com/{login}"}  # fmt: skip


def repository(name: str, base: str) -> dict[str, Any]:
    owner, short = name.split("/")
    return {"id": 1296269, "node_id": "MDEwOlJlcG9zaXRvcnkx", "name": short, "full_name": name, "private": False,
            "owner": person(owner), "html_url": f"https://github.com/{name}", "fork": False,
            "url": f"{base}/repos/{name}", "default_branch": "main", "description": "A repository"}  # fmt: skip


def run(
    number: int, *, base: str = "https://api.github.com", name: str = "acme/widget", workflow: str = "ci",
    file: str = "ci.yml", branch: str = "main", event: str = "push", commit: str = "",
    conclusion: str | None = "success", created: datetime | None = None, seconds: float = 60, attempt: int = 1,
    status: str = "completed",
    committed: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One element of `workflow_runs`."""
    created = created or START + timedelta(hours=number)
    commit = commit or f"{number:040x}"
    url = f"{base}/repos/{name}/actions/runs/{number}"
    return {
        "id": number, "name": workflow, "node_id": f"WFR_{number}", "head_branch": branch, "head_sha": commit,
        "path": f".github/workflows/{file}", "display_title": f"Change {number}", "run_number": number, "event": event,
        "status": status, "conclusion": conclusion, "workflow_id": 161335 + len(workflow), "check_suite_id": 414944374,
        "check_suite_node_id": "MDEwOkNoZWNrU3VpdGU0", "url": url, "html_url": f"https://github.com/{name}/actions/runs/{number}",
        "pull_requests": [], "created_at": moment(created), "updated_at": moment(created + timedelta(seconds=seconds)),
        "actor": person(), "run_attempt": attempt, "referenced_workflows": [], "run_started_at": moment(created),
        "triggering_actor": person(), "jobs_url": f"{url}/jobs", "logs_url": f"{url}/logs",
        "check_suite_url": f"{base}/repos/{name}/check-suites/414944374", "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel", "rerun_url": f"{url}/rerun", "previous_attempt_url": None,
        "workflow_url": f"{base}/repos/{name}/actions/workflows/161335",
        "head_commit": {"id": commit, "tree_id": commit, "message": f"Change {number}",
                        "timestamp": moment(committed or created - timedelta(minutes=5)),
                        "author": {"name": "Gopher", "email": "gopher@example.com"},
                        "committer": {"name": "GitHub", "email": "noreply@github.com"}},
        "repository": repository(name, base), "head_repository": repository(name, base),
        "head_repository_id": 1296269,
    }  # fmt: skip


def job(number: int, run_number: int, *, name: str = "test", base: str = "https://api.github.com",
        of: str = "acme/widget", conclusion: str = "success") -> dict[str, Any]:  # fmt: skip
    """One element of `jobs`."""
    url = f"{base}/repos/{of}/actions/jobs/{number}"
    return {
        "id": number, "run_id": run_number, "run_url": f"{base}/repos/{of}/actions/runs/{run_number}", "run_attempt": 1,
        "node_id": f"CR_{number}", "head_sha": f"{run_number:040x}", "head_branch": "main", "url": url,
        "html_url": f"https://github.com/{of}/actions/runs/{run_number}/job/{number}", "status": "completed",
        "conclusion": conclusion, "created_at": moment(START), "started_at": moment(START),
        "completed_at": moment(START + timedelta(minutes=1)), "name": name, "labels": ["ubuntu-latest"],
        "check_run_url": f"{base}/repos/{of}/check-runs/{number}", "runner_id": 1, "runner_name": "GitHub Actions 1",
        "runner_group_id": 2, "runner_group_name": "GitHub Actions", "workflow_name": "ci",
        "steps": [{"name": "Set up job", "status": "completed", "conclusion": "success", "number": 1,
                   "started_at": moment(START), "completed_at": moment(START + timedelta(seconds=2))}],
    }  # fmt: skip


def cache(
    number: int, key: str, *, ref: str = "refs/heads/main", size: int = 1000, version: str = "f" * 64,
    created: datetime = START, read: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One element of `actions_caches`; fractions of a second have 9 digits there."""
    seen = read or created
    return {"id": number, "ref": ref, "key": key, "version": version, "size_in_bytes": size,
            "created_at": f"{created:%Y-%m-%dT%H:%M:%S}.213333333Z",
            "last_accessed_at": f"{seen:%Y-%m-%dT%H:%M:%S}.540000000Z"}  # fmt: skip
