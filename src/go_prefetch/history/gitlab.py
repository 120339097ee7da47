"""GitLab's pipelines and the traces of their jobs. https://docs.gitlab.com/api/pipelines/, https://docs.gitlab.com/api/jobs/

A pipeline stands for a workflow run; the workflow is what set it off (`push`, `schedule`, …), as GitLab has no other
name for it. Child pipelines are not in GitLab's list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from go_prefetch.base import untrusted_json
from go_prefetch.base.retry import Deadline
from go_prefetch.forge.access import Repository
from go_prefetch.forge.api import RestApi
from go_prefetch.history.logs import ONE_LOG, LogsGone, downloaded, lines_in_text
from go_prefetch.history.model import ReadLogs, Selection, Storage, WorkflowRun

# GitLab's words for how a pipeline ended, in GitHub's.
_CONCLUSIONS = {"success": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped"}


class GitLabForge:
    """The project `name` (`group/project`)."""

    def __init__(self, api: RestApi, name: str, end: Deadline) -> None:
        self._api = api
        self._end = end
        self._path = f"/projects/{quote(name, safe='')}"
        self._name = name

    def repository(self) -> Repository:
        """See Forge."""
        values = self._api.get(self._path).value
        name = untrusted_json.text(values, "path_with_namespace") or self._name
        return Repository(name, untrusted_json.text(values, "web_url"), untrusted_json.text(values, "default_branch"))

    def runs(self, selection: Selection) -> Iterator[WorkflowRun]:
        """See Forge. One branch is asked for by name; GitLab has no limit on filtered lists."""
        asked: dict[str, str] = {"order_by": "id", "sort": "desc"}
        if len(selection.branches) == 1:
            asked["ref"] = selection.branches[0]
        given = 0
        for page in self._api.pages(f"{self._path}/pipelines", asked):
            known = list(untrusted_json.objects(page))
            runs = [run for run in map(parse_pipeline, known) if run]
            yield from runs
            given += sum(selection.takes(run) for run in runs)
            created = [moment for moment in (untrusted_json.moment(one, "created_at") for one in known) if moment]
            too_old = selection.since is not None and created and min(created) < selection.since
            if too_old or given >= selection.most:
                return

    def refined(self, run: WorkflowRun) -> WorkflowRun:
        """See Forge. A list does not tell when a pipeline began and ended."""
        values = self._api.get(f"{self._path}/pipelines/{run.id}").value
        started, finished = untrusted_json.moment(values, "started_at"), untrusted_json.moment(values, "finished_at")
        return replace(run, started=started or run.started, finished=finished or run.finished)

    def logs(self, run: WorkflowRun) -> ReadLogs:
        """See Forge. Every job of a pipeline has a trace of its own."""
        jobs = [
            (untrusted_json.text(job, "name"), untrusted_json.integer(job, "id"))
            for page in self._api.pages(f"{self._path}/pipelines/{run.id}/jobs")
            for job in untrusted_json.objects(page)
            if untrusted_json.text(job, "started_at")
        ]
        return lambda: [(name, line) for name, number in jobs for line in self._trace(number)]

    def logs_job_by_job(self, run: WorkflowRun) -> list[tuple[str, str]]:
        """See Forge. There is no other way: the same once more."""
        return self.logs(run)()

    def storage(self) -> Storage | None:
        """See Forge. Runners keep GitLab's caches, and tell nobody."""
        return None

    def moment_of(self, commit: str) -> datetime | None:
        """See Forge."""
        answer = self._api.call(f"{self._path}/repository/commits/{quote(commit, safe='')}")
        if answer.status == 404:
            return None
        return untrusted_json.moment(self._api.checked(self._path, answer).value, "committed_date")

    def _trace(self, number: int) -> list[str]:
        """Record lines of one job; none where its trace was erased."""
        opened = self._api.opened(f"{self._path}/jobs/{number}/trace", self._end.earlier_of(ONE_LOG))
        try:
            with downloaded(opened) as path, path.open("rb") as stream:
                return list(lines_in_text(stream))
        except LogsGone:
            return []


def parse_pipeline(values: Mapping[str, Any]) -> WorkflowRun | None:
    """A pipeline that has ended; None for one that has not, or that makes no sense."""
    conclusion = _CONCLUSIONS.get(untrusted_json.text(values, "status"))
    created, updated = untrusted_json.moment(values, "created_at"), untrusted_json.moment(values, "updated_at")
    if not conclusion or not untrusted_json.integer(values, "id") or created is None or updated is None:
        return None
    return WorkflowRun(
        id=untrusted_json.integer(values, "id"),
        attempt=int(updated.timestamp()),  # a job that is run again changes it
        workflow=untrusted_json.text(values, "name") or untrusted_json.text(values, "source"),
        file="",
        branch=untrusted_json.text(values, "ref"),
        event=untrusted_json.text(values, "source"),
        commit=untrusted_json.text(values, "sha"),
        conclusion=conclusion,
        created=created,
        started=created,
        finished=updated,
        committed=None,
        url=untrusted_json.text(values, "web_url"),
    )
