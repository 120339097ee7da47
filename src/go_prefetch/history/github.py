"""GitHub's workflow runs and their logs.

https://docs.github.com/rest/actions/workflow-runs, /rest/actions/workflow-jobs, /rest/actions/cache
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from go_prefetch.base.retry import Deadline
from go_prefetch.base.untrusted_json import as_integer, as_moment, as_text, integer, members, moment, objects
from go_prefetch.errors import InputError
from go_prefetch.forge.access import FREE_CACHE_BYTES, Repository
from go_prefetch.forge.api import MOST_PAGES, has_next
from go_prefetch.forge.github import BadAttributeException, GitHub
from go_prefetch.forge.github import WorkflowRun as GitHubRun
from go_prefetch.history.cache import CachedPage, RunCache
from go_prefetch.history.logs import ONE_LOG, LogsGone, downloaded, lines_in_text, lines_in_zip
from go_prefetch.history.model import ReadLogs, Selection, Storage, WorkflowRun
from go_prefetch.model.cache_key import PREFIX as KEY_PREFIX
from go_prefetch.web.client import HttpClient

# What the cache has of a run. A page of runs is 2 MB, most of it two descriptions of the repository for each run.
_FIELDS = ("id", "run_attempt", "name", "path", "head_branch", "event", "head_sha", "conclusion", "status",
           "created_at", "run_started_at", "updated_at", "html_url")  # fmt: skip


class GitHubForge:
    """A repository at GitHub. `client` downloads logs without the token; `open_cache` gets the present name."""

    def __init__(
        self, github: GitHub, client: HttpClient, open_cache: Callable[[str], RunCache], end: Deadline
    ) -> None:
        self._github = github
        self._client = client
        self._end = end
        self._open_cache = open_cache
        self._cache: RunCache | None = None

    def repository(self) -> Repository:
        """See Forge."""
        found = self._github.repository()
        self._cache = self._open_cache(found.name)
        return found

    def runs(self, selection: Selection) -> Iterator[WorkflowRun]:
        """See Forge. Filters are not sent: with one, GitHub gives 1,000 runs at most, however many there are."""
        for workflow in self._workflows(selection.workflows) if selection.workflows else [None]:
            yield from self._list(workflow, selection)

    def refine(self, run: WorkflowRun) -> WorkflowRun:
        """See Forge."""
        return run

    def logs(self, run: WorkflowRun) -> ReadLogs:
        """See Forge. The zip of all jobs: one request for a whole run."""
        url = self._github.run_log(run.id)
        if not url:
            raise LogsGone

        def read() -> list[tuple[str, str]]:
            with self._downloaded(url) as path:
                return lines_in_zip(path)

        return read

    def logs_job_by_job(self, run: WorkflowRun) -> list[tuple[str, str]]:
        """See Forge."""
        found: list[tuple[str, str]] = []
        for number, name in self._github.jobs(run.id):
            url = self._github.job_log(number)
            if not url:
                raise LogsGone
            with self._downloaded(url) as path, path.open("rb") as stream:
                found += [(name, line) for line in lines_in_text(stream)]
        return found

    def storage(self) -> Storage | None:
        """See Forge."""
        try:
            usage = self._github.cache_usage()
            ours = [integer(entry, "size_in_bytes") for entry in self._github.caches(f"{KEY_PREFIX}-")]
        except InputError:
            return None
        limit = self._github.cache_limit()
        return Storage(
            used=integer(usage, "active_caches_size_in_bytes"),
            entries=integer(usage, "active_caches_count"),
            limit=limit or FREE_CACHE_BYTES,
            limit_is_default=not limit,
            ours_used=sum(ours),
            ours_entries=len(ours),
        )

    def moment_of(self, commit: str) -> datetime | None:
        """See Forge."""
        return self._github.moment_of(commit)

    def _downloaded(self, url: str) -> AbstractContextManager[Path]:
        return downloaded(self._client.request("GET", url, self._end.earlier_of(ONE_LOG)))

    def _workflows(self, wanted: tuple[str, ...]) -> list[int]:
        """Return the numbers of workflows by name or file name. Raises InputError for one that does not exist."""
        known = [(number, name, path.rsplit("/", 1)[-1]) for number, name, path in self._github.workflows()]
        unknown = sorted(set(wanted) - {name for _, *names in known for name in names})
        if unknown:
            raise InputError(
                "workflow-not-found", unknown=tuple(unknown), known=tuple(f"{name} ({file})" for _, name, file in known)
            )
        return [number for number, *names in known if set(names) & set(wanted)]

    def _list(self, workflow: int | None, selection: Selection) -> Iterator[WorkflowRun]:
        """Return runs page by page. A run that moves to the next page meanwhile comes twice."""
        count = 0
        for number in range(1, MOST_PAGES):
            page = self._page(workflow, number)
            runs = [run for values in page.runs if (run := parse_run(self._github.run(values)))]
            yield from runs
            count += sum(selection.includes(run) for run in runs)
            oldest = min((run.created for run in runs), default=None)
            too_old = selection.since is not None and oldest is not None and oldest < selection.since
            if not page.has_next or too_old or count >= selection.most:
                return

    def _page(self, workflow: int | None, number: int) -> CachedPage:
        """Return a page of the list: from the cache if it has not changed, which GitHub does not count as a request."""
        name = f"{workflow or 'all'}/{number}"
        known = self._cache.load_page(name) if self._cache else None
        headers, values = self._github.runs(workflow, number, known.etag if known else "")
        if values is None and known:
            return known
        runs = tuple(map(_shorten, objects(values, "workflow_runs")))
        page = CachedPage(str(headers.get("etag", "")), runs, has_next(headers))
        if self._cache:
            self._cache.store_page(name, page)
        return page


def _shorten(run: Mapping[str, Any]) -> dict[str, Any]:
    committed = moment(members(run, "head_commit"), "timestamp")
    timestamp = committed.isoformat() if committed else None
    return {**{name: run.get(name) for name in _FIELDS}, "head_commit": {"timestamp": timestamp}}


def parse_run(run: GitHubRun) -> WorkflowRun | None:
    """Return a run that has ended; None for one that has not, or that makes no sense."""
    try:
        number, created, finished = as_integer(run.id), as_moment(run.created_at), as_moment(run.updated_at)
        if run.status != "completed" or not number or created is None or finished is None:
            return None
        return WorkflowRun(
            id=number,
            attempt=as_integer(run.run_attempt) or 0,
            workflow=as_text(run.name) or "",
            file=(as_text(run.path) or "").split("@", 1)[0].rsplit("/", 1)[-1],
            branch=as_text(run.head_branch) or "",
            event=as_text(run.event) or "",
            commit=as_text(run.head_sha) or "",
            conclusion=as_text(run.conclusion) or "",
            created=created,
            started=as_moment(run.run_started_at) or created,
            finished=finished,
            committed=as_moment(run.head_commit.timestamp) if run.head_commit else None,
            url=as_text(run.html_url) or "",
        )
    except BadAttributeException:
        return None
