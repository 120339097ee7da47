"""`go-prefetch report` on GitHub: PyGithub for real against a server that follows GitHub's rules."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.forge.api import Patience
from tests.support.fakes import records
from tests.support.fakes.github_api import payloads
from tests.support.fakes.github_api.server import TOKEN, GitHubApi, Said
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

NOW = datetime.now(timezone.utc).replace(microsecond=0)


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    with GitHubApi() as server:
        yield server


def add_runs(api: GitHubApi, count: int, *jobs: str, **changed: Any) -> None:
    """That many runs, the newest an hour ago, each with these record lines in its zip of logs."""
    for number in range(1, count + 1):
        created = NOW - timedelta(hours=count + 1 - number)
        api.runs.append(payloads.run(number, base=api.url, created=created, **changed))
        api.run_logs[number] = records.zipped({"test": records.log(*jobs or (records.line(),))})


def report(bench: Workbench, api: GitHubApi, *flags: str, **variables: str) -> Result:
    return prefetch(bench, "report", *flags, cwd=bench.folder, **api.environ(**variables))


def figures(bench: Workbench, api: GitHubApi, *flags: str, **variables: str) -> dict[str, Any]:
    result = report(bench, api, "--format", "json", *flags, **variables)
    assert result.status == 0, result.text
    values: dict[str, Any] = json.loads(result.stdout)
    return values


def asked_for_logs(api: GitHubApi) -> int:
    return sum(path.endswith("/logs") for path in api.paths())


def test_figures_come_from_the_zips_of_many_runs(bench: Workbench, api: GitHubApi) -> None:
    """More than a page of runs; each job counts once, though the zip has its log twice."""
    add_runs(api, 130, records.line(), records.line(result="miss", modules_from_cache=0, reason="nothing saved yet"))
    values = figures(bench, api)
    assert values["prefetching"]["runs"] == 260
    assert values["prefetching"]["results"] == {"exact": 130, "miss": 130}
    assert values["prefetching"]["misses"] == {"nothing saved yet": 130}
    assert values["prefetching"]["hit_rate_by_modules"] == 0.5
    assert values["workflow_runs"]["runs"] == 130
    assert values["incomplete_because"] == ""


def test_the_token_goes_to_the_api_alone(bench: Workbench, api: GitHubApi) -> None:
    """The host of the logs gets no login, and nothing prints the token."""
    add_runs(api, 3)
    result = report(bench, api)
    assert result.status == 0
    assert {request.authorization for request in api.requests} == {f"token {TOKEN}"}
    assert [request.authorization for request in api.blob_requests] == ["", "", ""]
    assert TOKEN not in result.text


def test_finished_runs_are_asked_for_once(bench: Workbench, api: GitHubApi) -> None:
    """The second report asks for no log, and for lists only whether they changed."""
    add_runs(api, 5)
    first = figures(bench, api)
    before, left = len(api.requests), api.remaining
    second = figures(bench, api)
    assert first["prefetching"] == second["prefetching"]
    again = api.requests[before:]
    assert not [request for request in again if request.path.endswith("/logs")]
    assert [request.status for request in again if request.path.endswith("/actions/runs")] == [304]
    assert left - api.remaining < len(again)


def test_a_run_that_was_run_again_is_read_again(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 2)
    figures(bench, api)
    api.runs[0]["run_attempt"] = 2
    api.run_logs[1] = records.zipped({"test": records.log(records.line(result="miss"))})
    assert figures(bench, api)["prefetching"]["results"] == {"exact": 1, "miss": 1}


def test_nothing_is_kept_where_that_is_not_wanted(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 2)
    figures(bench, api, "--history-dir", "none")
    figures(bench, api, "--history-dir", "none")
    assert asked_for_logs(api) == 4
    assert not list(bench.folder.rglob("history"))


def test_plain_logs_stand_in_for_a_zip_that_cannot_be_read(bench: Workbench, api: GitHubApi) -> None:
    """What is no zip, and a zip that ends too soon: job by job then."""
    add_runs(api, 2)
    api.run_logs[1] = b"<html>not a zip</html>"
    api.run_logs[2] = records.zipped({"test": records.log(records.line())})[:200]
    for run in (1, 2):
        api.jobs[run] = [payloads.job(10 * run, run), payloads.job(10 * run + 1, run, name="lint")]
        api.job_logs[10 * run] = records.log(records.line())
        api.job_logs[10 * run + 1] = records.log("nothing of ours")
    values = figures(bench, api)
    assert values["prefetching"]["results"] == {"exact": 2}
    assert values["notes"] == []


def test_logs_that_are_gone_are_a_note(bench: Workbench, api: GitHubApi) -> None:
    """410 and 404 from the API, 404 from the host of the logs: counted as runs, not as runs of go-prefetch."""
    add_runs(api, 4)
    api.run_logs[1], api.run_logs[2] = 410, 404
    api.blob_faults["/runs/3.zip"] = 404
    values = figures(bench, api)
    assert values["prefetching"]["runs"] == 1
    assert values["workflow_runs"]["runs"] == 4
    assert [note[:7] for note in values["notes"]] == ["3 runs "]


def test_unreadable_logs_are_a_note_and_asked_for_again(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 2)
    good, api.run_logs[1] = api.run_logs[1], b"PK no zip"
    api.jobs[1], api.job_logs[10] = [payloads.job(10, 1)], b"x"
    api.blob_faults["/jobs/10.txt"] = 500
    assert [note[:6] for note in figures(bench, api)["notes"]] == ["1 run "]
    api.run_logs[1] = good
    assert figures(bench, api)["prefetching"]["runs"] == 2


@pytest.mark.parametrize(
    "said",
    [
        Said(500, {"message": "Server Error"}),
        Said(502, b"<html><title>Unicorn!</title></html>", {"content-type": "text/html"}),
        Said(200, b'{"workflow_runs": [', {}),
        Said(429, {"message": "slow down"}, {"retry-after": "0"}),
    ],
    ids=["500", "502 in HTML", "half of JSON", "429 for a moment"],
)
def test_a_fault_of_a_moment_is_tried_again(
    bench: Workbench, api: GitHubApi, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("go_prefetch.forge.api.Backoff", lambda attempts: _Impatient())
    add_runs(api, 1)
    api.inject("/actions/runs$", said, times=2)
    assert figures(bench, api)["prefetching"]["runs"] == 1


def test_busy_api_is_waited_for_and_charged_to_no_request(
    bench: Workbench, api: GitHubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More refusals than a request has attempts."""
    slept: list[float] = []
    patience = partial(Patience, sleep=slept.append, now=lambda: 1e9 + sum(slept))
    monkeypatch.setattr("go_prefetch.cli.commands.report.Patience", patience)
    add_runs(api, 1)
    api.inject("/actions/runs$", Said(503, {}, {"retry-after": "2"}), times=5)
    assert figures(bench, api)["prefetching"]["runs"] == 1
    assert slept == [2.0, 2.0, 2.0, 2.0, 4.0]


class _Impatient:
    attempts = 4

    def wait(self, failed: int) -> float:
        return 0.0


def test_an_api_that_stays_broken_is_an_error_with_a_name(
    bench: Workbench, api: GitHubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("go_prefetch.forge.api.Backoff", lambda attempts: _Impatient())
    api.inject(".", Said(503, {}), times=50)
    result = report(bench, api)
    assert result.status == 1
    assert "[api-unreachable]" in result.stderr
    assert "Traceback" not in result.text


def test_the_rate_limit_ends_the_report_with_what_it_has(bench: Workbench, api: GitHubApi) -> None:
    """Said in the report and beside it; the next report goes on from there."""
    add_runs(api, 30)
    api.remaining = 12
    result = report(bench, api, "--format", "json")
    values = json.loads(result.stdout)
    assert result.status == 0
    assert values["incomplete_because"]
    assert "[report-incomplete]" in result.stderr
    assert 5 <= values["prefetching"]["runs"] <= 12
    assert values["workflow_runs"]["runs"] == 30
    api.remaining = 100
    before = asked_for_logs(api)
    assert figures(bench, api)["prefetching"]["runs"] == 30
    assert asked_for_logs(api) - before == 30 - values["prefetching"]["runs"]


def test_a_rate_limit_before_anything_came_is_an_error(bench: Workbench, api: GitHubApi) -> None:
    api.remaining = 0
    result = report(bench, api)
    assert result.status == 1
    assert "[api-rate-limit]" in result.stderr


def test_waiting_for_the_rate_limit(bench: Workbench, api: GitHubApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --wait the report sleeps until the limit is renewed, says so, and is whole."""
    add_runs(api, 5)
    api.remaining, api.reset_in = 3, 1800
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        api.remaining = 100

    patience = partial(Patience, sleep=sleep, now=lambda: time.time() + sum(slept))
    monkeypatch.setattr("go_prefetch.cli.commands.report.Patience", patience)
    result = report(bench, api, "--wait", "--format", "json")
    assert result.status == 0, result.text
    assert json.loads(result.stdout)["prefetching"]["runs"] == 5
    assert len(slept) == 1
    assert 1790 <= slept[0] <= 1802
    assert "[api-rate-limit-wait]" in result.stderr


@pytest.mark.parametrize(
    ("status", "slug"),
    [(401, "token-refused"), (403, "token-refused"), (404, "repository-not-found"), (418, "api-refused")],
)
def test_what_the_api_refuses_has_a_name(bench: Workbench, api: GitHubApi, status: int, slug: str) -> None:
    api.inject(".", Said(status, {"message": "No, <b>never</b>"}))
    result = report(bench, api)
    assert result.status == (1 if slug == "api-refused" else 2)
    assert f"[{slug}]" in result.stderr


def test_another_repository_is_not_found(bench: Workbench, api: GitHubApi) -> None:
    result = report(bench, api, "--repo", "acme/gadget")
    assert result.status == 2
    assert "[repository-not-found]" in result.stderr


def test_a_renamed_repository_is_followed(bench: Workbench, api: GitHubApi) -> None:
    """GitHub redirects from the old name; every page is asked for by the new one."""
    api.former_names.add("acme/gadget")
    add_runs(api, 150)
    values = figures(bench, api, "--repo", "acme/gadget")
    assert values["repository"] == "acme/widget"
    assert values["prefetching"]["runs"] == 150


def test_a_server_of_github_enterprise(bench: Workbench) -> None:
    """Its API has a path; its token has a name of its own, and one of github.com is not sent there."""
    with GitHubApi(prefix="/api/v3") as api:
        add_runs(api, 2)
        given = {"GH_TOKEN": "of-github.com", "GH_ENTERPRISE_TOKEN": TOKEN, "GITHUB_REPOSITORY": api.name}
        result = prefetch(bench, "report", "--api-url", api.url, "--format", "json", cwd=bench.folder, **given)
        assert result.status == 0, result.text
        assert json.loads(result.stdout)["prefetching"]["runs"] == 2
        assert all(request.path.startswith("/repos/") for request in api.requests)


def test_no_token_is_an_error_with_a_name(bench: Workbench, api: GitHubApi) -> None:
    result = prefetch(bench, "report", "--api-url", api.url, "--repo", api.name, cwd=bench.folder, PATH="/nowhere")
    assert result.status == 2
    assert "[token-missing]" in result.stderr
    assert api.requests == []


def test_the_token_of_gh(bench: Workbench, api: GitHubApi) -> None:
    """`gh auth token` is asked, for this very host."""
    program = bench.folder / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {bench.folder}/asked\necho {TOKEN}\n')
    program.chmod(0o755)
    add_runs(api, 1)
    environ = {"PATH": f"{program.parent}:/usr/bin:/bin", "GITHUB_REPOSITORY": api.name}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", environ["PATH"])
        result = prefetch(bench, "report", "--api-url", api.url, cwd=bench.folder, **environ)
    assert result.status == 0, result.text
    assert (bench.folder / "asked").read_text() == "auth token --hostname 127.0.0.1\n"


def test_workflows_by_name_and_by_file(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 3)
    add_runs(api, 2, workflow="nightly", file="night.yml")
    api.runs[3]["id"], api.runs[4]["id"] = 1003, 1004
    api.run_logs |= {1003: api.run_logs[1], 1004: api.run_logs[1]}
    assert figures(bench, api, "--workflow", "nightly")["workflow_runs"]["runs"] == 2
    assert figures(bench, api, "--workflow", "ci.yml")["workflow_runs"]["runs"] == 3
    assert figures(bench, api, "--workflow", "ci.yml", "--workflow", "nightly")["workflow_runs"]["runs"] == 5
    unknown = report(bench, api, "--workflow", "weekly")
    assert unknown.status == 2
    assert "[workflow-not-found]" in unknown.stderr


def test_more_runs_of_a_branch_than_a_filter_of_github_gives(bench: Workbench, api: GitHubApi) -> None:
    """GitHub ends a filtered list after 1,000 runs; ours does not ask for a filtered one."""
    add_runs(api, 1050, branch="topic")
    api.remaining = 20  # enough for the lists; the logs do not matter here
    values = figures(bench, api, "--branch", "topic", "--days", "60")
    assert values["workflow_runs"]["runs"] == 1050


def test_days_and_runs_end_the_list(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 400)
    for number in range(1, 401):
        api.run_logs[number] = 410
    assert figures(bench, api, "--runs", "7")["workflow_runs"]["runs"] == 7
    pages = sum(path.endswith("/actions/runs") for path in api.paths())
    assert pages == 1
    assert figures(bench, api, "--days", "1")["workflow_runs"]["runs"] == 23


def test_storage_with_and_without_the_right_to_see_its_limit(bench: Workbench, api: GitHubApi) -> None:
    key = "go-prefetch-1-0123456789abcdef-full-" + "a" * 64 + "-1.1"
    api.caches = [payloads.cache(1, key, size=300), payloads.cache(2, "setup-go-x", size=700)]
    add_runs(api, 1)
    storage = figures(bench, api)["storage"]
    assert storage == {"used": 1000, "entries": 2, "limit": 10 << 30, "limit_is_default": True,
                       "ours_used": 300, "ours_entries": 1}  # fmt: skip
    api.storage_limit_gb = 20
    assert figures(bench, api)["storage"]["limit"] == 20 << 30


def test_before_and_after_a_commit_and_a_date(bench: Workbench, api: GitHubApi) -> None:
    """The team's own sentence: was so long with so many failures, is …"""
    add_runs(api, 40, seconds=135)
    for run in api.runs[20:]:
        run["updated_at"] = payloads.moment(datetime.fromisoformat(run["created_at"][:-1]) + timedelta(seconds=60))
    for number in (0, 1, 2, 3):
        api.runs[number]["conclusion"] = "failure"
    api.commits["c0ffee" + "0" * 34] = api.runs[20]["created_at"]
    values = figures(bench, api, "--compare-at", "c0ffee")["comparison"]
    assert [values[side]["workflow_runs"]["seconds_p50"] for side in ("before", "after")] == [135, 60]
    assert [values[side]["workflow_runs"]["failed"] for side in ("before", "after")] == [4, 0]
    said = report(bench, api, "--compare-at", api.runs[20]["created_at"])
    assert re.search(r"\b2 min 15 s\b.*\b20%.*\b60 s\b.*\b0%", said.stdout)
    unknown = report(bench, api, "--compare-at", "deadbeef")
    assert unknown.status == 2
    assert "[compare-at-unknown]" in unknown.stderr


def test_gates_that_are_missed_end_with_status_6(bench: Workbench, api: GitHubApi) -> None:
    """After the report, with what was wanted and what was measured."""
    add_runs(api, 4, records.line(modules_from_cache=200, result="partial", seconds=40))
    api.runs[0]["conclusion"] = "failure"
    flags = ("--min-hit-rate", "90%", "--max-p95-seconds", "30", "--max-failure-rate", "0.05")
    result = report(bench, api, "--format", "json", *flags)
    assert result.status == 6
    assert "[gate-missed]" in result.stderr
    assert [tuple(gate.values()) for gate in json.loads(result.stdout)["gates"]] == [
        ("--min-hit-rate", "at least 90%", "79.6813%", False),
        ("--max-p95-seconds", "at most 30 s", "40 s", False),
        ("--max-failure-rate", "at most 5%", "25%", False),
    ]


def test_gates_that_are_met(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 4)
    assert report(bench, api, "--min-hit-rate", "1", "--max-p95-seconds", "4.1", "--max-failure-rate", "0").status == 0


def test_a_gate_without_anything_to_measure_is_missed(bench: Workbench, api: GitHubApi) -> None:
    """An empty report proves nothing."""
    result = report(bench, api, "--min-hit-rate", "10%")
    assert result.status == 6
    assert "[gate-missed]" in result.stderr


def test_the_report_goes_to_a_file_whole(bench: Workbench, api: GitHubApi) -> None:
    add_runs(api, 2)
    page = bench.folder / "report.html"
    result = report(bench, api, "--format", "html", "--output", str(page))
    assert result.status == 0
    assert result.stdout == ""
    assert page.read_text().startswith("<!DOCTYPE html>")
    nowhere = report(bench, api, "--output", str(bench.folder / "report.html" / "x"))
    assert nowhere.status == 2
    assert "[report-file-unwritable]" in nowhere.stderr


def test_on_github_the_report_is_the_job_summary(bench: Workbench, api: GitHubApi, tmp_path: Path) -> None:
    add_runs(api, 2)
    summary, outputs = tmp_path / "summary.md", tmp_path / "outputs"
    summary.touch()
    outputs.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        patch.setenv("GITHUB_OUTPUT", str(outputs))
        result = report(bench, api, GITHUB_ACTIONS="true")
    assert result.status == 0, result.text
    assert summary.read_text().startswith("### go-prefetch: acme/widget")


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_token_in_what_github_says_is_neither_shown_nor_kept(bench: Workbench, api: GitHubApi, form: str) -> None:
    """In the branch of a run, and in a record of its log. The history is a file of the user."""
    hostile = f"named {TOKEN}"
    add_runs(api, 2, records.line(reason=hostile, go=hostile), branch=hostile)
    history = bench.folder / "history"
    for _ in range(2):
        result = report(bench, api, "--format", form, "--history-dir", str(history))
        assert result.status == 0, result.text
        assert TOKEN not in result.text
    kept = [path.read_text() for path in history.rglob("*") if path.is_file()]
    assert kept
    assert [text for text in kept if TOKEN in text] == []
