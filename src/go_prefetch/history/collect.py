"""Put a history together: open the forge, list the runs, read the logs of those that are not in the cache."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import ApiError, Notice, RateLimitError
from go_prefetch.forge.access import Access
from go_prefetch.forge.api import Patience, RestApi, forge_client
from go_prefetch.forge.open_github import open_github
from go_prefetch.history.cache import RunCache, observe
from go_prefetch.history.logs import LogError, LogsGone
from go_prefetch.history.model import Forge, History, ObservedRun, Selection, WorkflowRun
from go_prefetch.web.http_settings import HttpSettings

OpenCache = Callable[[str], RunCache]  # for the present name of the repository
Progress = Callable[[str], None]

_DOWNLOADS = 6  # logs at the same time; the API itself gets one request after the other
_WIDTH = 24  # of the bar


def open_forge(
    access: Access, patience: Patience, open_cache: OpenCache, end: Deadline, environ: Mapping[str, str]
) -> Forge:
    """Return the forge behind this access. Cancelling `end` ends its downloads."""
    web = HttpSettings.of_forge(environ)
    if access.kind == "gitlab":
        from go_prefetch.history.gitlab import GitLabForge  # noqa: PLC0415 - each when it is needed

        return GitLabForge(RestApi(access, web, patience), access.repository, end)
    github = open_github(RestApi(access, web, patience, follows=False), access)
    from go_prefetch.history.github import GitHubForge  # noqa: PLC0415 - after PyGithub was found

    return GitHubForge(github, forge_client(access, web), open_cache, end)


class Collector:
    """Collects one history. `now` is the moment that it ends at; cancelling `end` ends downloads."""

    def __init__(self, forge: Forge, open_cache: OpenCache, progress: Progress, end: Deadline, now: datetime) -> None:
        self._forge = forge
        self._open_cache = open_cache
        self._progress = progress
        self._end = end
        self._now = now
        self._observed: dict[int, ObservedRun] = {}
        self._incomplete: Notice | None = None

    def history(self, selection: Selection) -> History:
        """Return the selected runs, or those that were read before a rate limit. Raises InputError and ApiError."""
        repository = self._forge.repository()
        cache = self._open_cache(repository.name)
        runs = self._list(selection)
        self._observed = {run.id: known for run in runs if (known := cache.load(run))}
        self._read_logs([run for run in runs if run.id not in self._observed], len(runs), cache)
        try:
            storage = None if self._incomplete else self._forge.storage()
        except ApiError as error:
            storage, self._incomplete = None, error.notice
        return History(
            repository=repository.name,
            url=repository.url,
            default_branch=repository.default_branch,
            selection=selection,
            runs=tuple(self._observed.get(run.id, ObservedRun(run)) for run in reversed(runs)),
            now=self._now,
            storage=storage,
            incomplete_because=self._incomplete,
        )

    def _list(self, selection: Selection) -> list[WorkflowRun]:
        """Return the newest selected runs, each once."""
        runs: dict[int, WorkflowRun] = {}
        try:
            for run in self._forge.runs(selection):
                if selection.includes(run):
                    runs.setdefault(run.id, run)
                    self._progress(f"listing runs: {len(runs)}, back to {run.created:%Y-%m-%d}")
        except RateLimitError as error:
            if not runs:
                raise
            self._incomplete = error.notice
        return sorted(runs.values(), key=lambda run: (run.created, run.id), reverse=True)[: selection.most]

    def _read_logs(self, runs: list[WorkflowRun], total: int, cache: RunCache) -> None:
        """Ask for one log after the other, the newest first. Several are downloaded at once."""
        downloads: deque[tuple[WorkflowRun, Future[list[tuple[str, str]]]]] = deque()
        try:
            for run in runs:
                if self._incomplete:
                    break
                download = self._begin(run, cache)
                if download:
                    downloads.append(download)
                if len(downloads) >= _DOWNLOADS:
                    self._finish(*downloads.popleft(), cache)
                self._progress(_bar(len(self._observed), total))
            for run, lines in downloads:
                self._finish(run, lines, cache)
                self._progress(_bar(len(self._observed), total))
        except BaseException:
            self._end.cancel()
            raise

    def _begin(self, run: WorkflowRun, cache: RunCache) -> tuple[WorkflowRun, Future[list[tuple[str, str]]]] | None:
        """Ask where the logs of a run are, and begin to read them."""
        try:
            run = self._forge.refine(run)
            return run, run_in_background(self._forge.logs(run))
        except LogsGone:
            self._note_gone(run, cache)
        except ApiError as error:
            self._incomplete = error.notice
        return None

    def _finish(self, run: WorkflowRun, download: Future[list[tuple[str, str]]], cache: RunCache) -> None:
        """Wait for the record lines of a run."""
        try:
            try:
                lines = download.result()
            except LogError:
                lines = self._forge.logs_job_by_job(run)
        except LogsGone:
            self._note_gone(run, cache)
        except LogError as error:
            self._observed[run.id] = ObservedRun(run, logs="unreadable", problem=str(error))
        except ApiError as error:
            self._incomplete = error.notice
        else:
            cache.store(run, lines, "read")
            self._observed[run.id] = observe(run, lines, "read")

    def _note_gone(self, run: WorkflowRun, cache: RunCache) -> None:
        cache.store(run, (), "gone")
        self._observed[run.id] = ObservedRun(run, logs="gone")


def _bar(done: int, total: int) -> str:
    filled = _WIDTH * done // max(total, 1)
    return f"reading logs [{'#' * filled}{'.' * (_WIDTH - filled)}] {done} of {total} runs"
