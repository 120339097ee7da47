"""GitHub's workflow runs and their logs.

https://docs.github.com/rest/actions/workflow-runs, /rest/actions/workflow-jobs, /rest/actions/cache
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from go_prefetch.base import untrusted_json
from go_prefetch.base.retry import AttemptError
from go_prefetch.base.temporary_folder import temporary_folder
from go_prefetch.errors import ApiError, InputError
from go_prefetch.forge.api import PER_PAGE, Answer, RestApi, has_next
from go_prefetch.history.cache import Kept, KeptPage
from go_prefetch.history.logs import LogError, lines_in_text, lines_in_zip
from go_prefetch.history.model import Selection, Storage, WorkflowRun
from go_prefetch.history.port import LogsGone, ReadLogs, Repository
from go_prefetch.model.cache_key import PREFIX as KEY_PREFIX

Download = Callable[[str, Path], None]  # a URL into a file, without any login; raises AttemptError, OSError

_DEFAULT_LIMIT = 10 << 30  # bytes: https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching
_MOST_PAGES = 1000
# What of a run is asked later; a page of runs is 2 MB, most of it two descriptions of the repository a run.
_ASKED = ("id", "run_attempt", "name", "path", "head_branch", "event", "head_sha", "conclusion", "status", "created_at",
          "run_started_at", "updated_at", "html_url")  # fmt: skip


class GitHubForge:
    """The repository `name` (`owner/name`). `kept` is made for its present name."""

    def __init__(self, api: RestApi, name: str, download: Download, kept: Callable[[str], Kept]) -> None:
        self._api = api
        self._path = f"/repos/{quote(name, safe='/')}"
        self._download = download
        self._kept_for = kept
        self._kept: Kept | None = None

    def repository(self) -> Repository:
        """See Forge. A renamed repository is asked by its new name from here on."""
        values = self._api.get(self._path).value
        name = untrusted_json.text(values, "full_name") or self._path.removeprefix("/repos/")
        self._path = f"/repos/{quote(name, safe='/')}"
        self._kept = self._kept_for(name)
        return Repository(name, untrusted_json.text(values, "html_url"), untrusted_json.text(values, "default_branch"))

    def runs(self, selection: Selection) -> Iterator[WorkflowRun]:
        """See Forge. Filters are not sent: with one, GitHub gives 1,000 runs at most, however many there are."""
        places = [f"{self._path}/actions/workflows/{number}/runs" for number in self._workflows(selection.workflows)]
        for place in places or [f"{self._path}/actions/runs"]:
            yield from self._listed(place, selection)

    def refined(self, run: WorkflowRun) -> WorkflowRun:
        """See Forge."""
        return run

    def logs(self, run: WorkflowRun) -> ReadLogs:
        """See Forge. The zip of all jobs: one request for a whole run."""
        url = self._location(f"{self._path}/actions/runs/{run.id}/logs")

        def read() -> list[tuple[str, str]]:
            with _downloaded(url, self._download) as path:
                return lines_in_zip(path)

        return read

    def logs_job_by_job(self, run: WorkflowRun) -> list[tuple[str, str]]:
        """See Forge."""
        found: list[tuple[str, str]] = []
        for page in self._api.pages(f"{self._path}/actions/runs/{run.id}/jobs", {"filter": "latest"}):
            for job in untrusted_json.objects(untrusted_json.members({"page": page}, "page").get("jobs")):
                url = self._location(f"{self._path}/actions/jobs/{untrusted_json.integer(job, 'id')}/logs")
                with _downloaded(url, self._download) as path, path.open("rb") as stream:
                    found += [(untrusted_json.text(job, "name"), line) for line in lines_in_text(stream)]
        return found

    def storage(self) -> Storage | None:
        """See Forge."""
        try:
            usage = self._api.get(f"{self._path}/actions/cache/usage").value
            ours = [
                untrusted_json.integer(entry, "size_in_bytes")
                for page in self._api.pages(f"{self._path}/actions/caches", {"key": f"{KEY_PREFIX}-"})
                for entry in untrusted_json.objects(
                    untrusted_json.members({"page": page}, "page").get("actions_caches")
                )
            ]
        except InputError:
            return None
        limit = self._limit()
        return Storage(
            used=untrusted_json.integer(usage, "active_caches_size_in_bytes"),
            entries=untrusted_json.integer(usage, "active_caches_count"),
            limit=limit or _DEFAULT_LIMIT,
            limit_is_default=not limit,
            ours_used=sum(ours),
            ours_entries=len(ours),
        )

    def moment_of(self, commit: str) -> datetime | None:
        """See Forge."""
        answer = self._api.call(f"{self._path}/commits/{quote(commit, safe='')}")
        if answer.status in (404, 422):
            return None
        values = untrusted_json.members(self._api.checked(self._path, answer).value, "commit")
        return untrusted_json.moment(untrusted_json.members(values, "committer"), "date")

    def _limit(self) -> int:
        """Bytes; 0 where only administrators are told, or the server is older than the question."""
        answer = self._api.call(f"{self._path}/actions/cache/storage-limit")
        return untrusted_json.integer(answer.value, "max_cache_size_gb") << 30 if answer.status == 200 else 0

    def _workflows(self, wanted: tuple[str, ...]) -> list[int]:
        """The numbers of workflows by name or file name. Raises InputError for one that is not there."""
        if not wanted:
            return []
        known = [
            (
                untrusted_json.integer(w, "id"),
                untrusted_json.text(w, "name"),
                untrusted_json.text(w, "path").rsplit("/", 1)[-1],
            )
            for page in self._api.pages(f"{self._path}/actions/workflows")
            for w in untrusted_json.objects(untrusted_json.members({"page": page}, "page").get("workflows"))
        ]
        unknown = sorted(set(wanted) - {name for _, *names in known for name in names})
        if unknown:
            raise InputError(
                "workflow-not-found", unknown=tuple(unknown), known=tuple(f"{name} ({file})" for _, name, file in known)
            )
        return [number for number, *names in known if set(names) & set(wanted)]

    def _listed(self, place: str, selection: Selection) -> Iterator[WorkflowRun]:
        """Page by page; a run that moves to the next page while we read comes twice."""
        given = 0
        for number in range(1, _MOST_PAGES):
            page = self._page(place, number)
            runs = [run for run in map(parse_run, page.runs) if run]
            yield from runs
            given += sum(selection.takes(run) for run in runs)
            oldest = min((run.created for run in runs), default=None)
            too_old = selection.since is not None and oldest is not None and oldest < selection.since
            if not page.has_next or too_old or given >= selection.most:
                return

    def _page(self, place: str, number: int) -> KeptPage:
        """A page of the list; from the cache, where GitHub says that it is what it was (and counts no request)."""
        url = f"{place}?page={number}"
        known = self._kept.page(url) if self._kept else None
        answer = self._api.get(place, {"per_page": PER_PAGE, "page": number}, etag=known.etag if known else "")
        if answer.status == 304 and known:
            return known
        page = _page(answer)
        if self._kept:
            self._kept.keep_page(url, page)
        return page

    def _location(self, path: str) -> str:
        """Where a log lies. Raises LogsGone."""
        answer = self._api.call(path)
        if answer.status in (404, 410):
            raise LogsGone(path)
        url = answer.headers.get("location", "") if answer.status in (302, 303, 307) else ""
        if not url:
            self._api.checked(path, answer)
            raise ApiError("api-refused", "no-log", api=self._api.name)
        return url


@contextlib.contextmanager
def _downloaded(url: str, download: Download) -> Iterator[Path]:
    """A log in a file that is gone afterwards. Raises LogError."""
    with temporary_folder() as folder:
        path = Path(folder, "log")
        try:
            download(url, path)
        except AttemptError as error:
            if error.not_found:
                raise LogsGone(error.words) from None
            raise LogError(f"the log did not come: {error.words}") from None
        yield path


def _page(answer: Answer) -> KeptPage:
    runs = untrusted_json.objects(untrusted_json.members({"page": answer.value}, "page").get("workflow_runs"))
    return KeptPage(answer.headers.get("etag", ""), tuple(map(_shortened, runs)), has_next(answer))


def _shortened(run: Mapping[str, Any]) -> dict[str, Any]:
    committed = untrusted_json.text(untrusted_json.members(run, "head_commit"), "timestamp")
    return {**{name: run.get(name) for name in _ASKED}, "head_commit": {"timestamp": committed}}


def parse_run(values: Mapping[str, Any]) -> WorkflowRun | None:
    """A run that has ended; None for one that has not, or that makes no sense."""
    created, finished = untrusted_json.moment(values, "created_at"), untrusted_json.moment(values, "updated_at")
    if untrusted_json.text(values, "status") != "completed" or not untrusted_json.integer(values, "id"):
        return None
    if created is None or finished is None:
        return None
    return WorkflowRun(
        id=untrusted_json.integer(values, "id"),
        attempt=untrusted_json.integer(values, "run_attempt"),
        workflow=untrusted_json.text(values, "name"),
        file=untrusted_json.text(values, "path").split("@", 1)[0].rsplit("/", 1)[-1],
        branch=untrusted_json.text(values, "head_branch"),
        event=untrusted_json.text(values, "event"),
        commit=untrusted_json.text(values, "head_sha"),
        conclusion=untrusted_json.text(values, "conclusion"),
        created=created,
        started=untrusted_json.moment(values, "run_started_at") or created,
        finished=finished,
        committed=untrusted_json.moment(untrusted_json.members(values, "head_commit"), "timestamp"),
        url=untrusted_json.text(values, "html_url"),
    )
