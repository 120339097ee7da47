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

from go_prefetch.base.retry import Deadline
from go_prefetch.base.untrusted_json import integer, moment, objects, text
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
        name = text(values, "path_with_namespace") or self._name
        return Repository(name, text(values, "web_url"), text(values, "default_branch"))

    def runs(self, selection: Selection) -> Iterator[WorkflowRun]:
        """See Forge. A single branch is a filter of the request; GitLab has no limit on filtered lists."""
        parameters = {"order_by": "id", "sort": "desc"}
        if len(selection.branches) == 1:
            parameters["ref"] = selection.branches[0]
        count = 0
        for page in self._api.pages(f"{self._path}/pipelines", parameters):
            known = list(objects(page))
            runs = [run for run in map(parse_pipeline, known) if run]
            yield from runs
            count += sum(selection.includes(run) for run in runs)
            created = [created for one in known if (created := moment(one, "created_at"))]
            too_old = selection.since is not None and created and min(created) < selection.since
            if too_old or count >= selection.most:
                return

    def refine(self, run: WorkflowRun) -> WorkflowRun:
        """See Forge. A list lacks when a pipeline began and ended."""
        values = self._api.get(f"{self._path}/pipelines/{run.id}").value
        started, finished = moment(values, "started_at"), moment(values, "finished_at")
        return replace(run, started=started or run.started, finished=finished or run.finished)

    def logs(self, run: WorkflowRun) -> ReadLogs:
        """See Forge. Every job of a pipeline has a trace of its own."""
        jobs = [
            (text(job, "name"), integer(job, "id"))
            for page in self._api.pages(f"{self._path}/pipelines/{run.id}/jobs")
            for job in objects(page)
            if text(job, "started_at")
        ]
        return lambda: [(name, line) for name, number in jobs for line in self._trace(number)]

    def logs_job_by_job(self, run: WorkflowRun) -> list[tuple[str, str]]:
        """See Forge. GitLab has no other way, so this is a second attempt."""
        return self.logs(run)()

    def storage(self) -> Storage | None:
        """See Forge. GitLab's caches lie on its runners, out of reach of the API."""
        return None

    def moment_of(self, commit: str) -> datetime | None:
        """See Forge."""
        reply = self._api.call(f"{self._path}/repository/commits/{quote(commit, safe='')}")
        if reply.status == 404:
            return None
        return moment(self._api.checked(self._path, reply).value, "committed_date")

    def _trace(self, number: int) -> list[str]:
        """Return the record lines of one job; none if its trace was erased."""
        opened = self._api.opened(f"{self._path}/jobs/{number}/trace", self._end.earlier_of(ONE_LOG))
        try:
            with downloaded(opened) as path, path.open("rb") as stream:
                return list(lines_in_text(stream))
        except LogsGone:
            return []


def parse_pipeline(values: Mapping[str, Any]) -> WorkflowRun | None:
    """Return a pipeline that has ended; None for one that has not, or that makes no sense."""
    conclusion = _CONCLUSIONS.get(text(values, "status"))
    created, updated = moment(values, "created_at"), moment(values, "updated_at")
    if not conclusion or not integer(values, "id") or created is None or updated is None:
        return None
    return WorkflowRun(
        id=integer(values, "id"),
        attempt=int(updated.timestamp()),  # a job that is run again changes it
        workflow=text(values, "name") or text(values, "source"),
        file="",
        branch=text(values, "ref"),
        event=text(values, "source"),
        commit=text(values, "sha"),
        conclusion=conclusion,
        created=created,
        started=created,
        finished=updated,
        committed=None,
        url=text(values, "web_url"),
    )
