"""Put a history together: open the forge, list the runs, read the logs of those that are not known yet."""

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
from go_prefetch.history.cache import Kept, observed
from go_prefetch.history.logs import LogError, LogsGone
from go_prefetch.history.model import Forge, History, Observed, ReadLogs, Selection, WorkflowRun
from go_prefetch.web.http_settings import HttpSettings

Progress = Callable[[str], None]

_AT_ONCE = 6  # logs that travel at the same time; the API itself is asked one request after the other
_WIDTH = 24  # of the bar


def open_forge(
    access: Access, patience: Patience, kept: Callable[[str], Kept], end: Deadline, environ: Mapping[str, str]
) -> Forge:
    """The forge behind this access. Cancelling `end` ends its downloads."""
    web = HttpSettings.from_environ(environ)
    if access.kind == "gitlab":
        from go_prefetch.history.gitlab import GitLabForge  # noqa: PLC0415 - each when it is needed

        return GitLabForge(RestApi(access, web, patience), access.repository, end)
    from go_prefetch.forge.github import GitHub  # noqa: PLC0415
    from go_prefetch.history.github import GitHubForge  # noqa: PLC0415

    github = GitHub(RestApi(access, web, patience, follows=False), access)
    return GitHubForge(github, forge_client(access, web), kept, end)


class Gathering:
    """One report's worth of asking. `now` is the moment the report is about; cancelling `end` ends downloads."""

    def __init__(
        self, forge: Forge, kept: Callable[[str], Kept], progress: Progress, end: Deadline, now: datetime
    ) -> None:
        self._forge = forge
        self._kept_for = kept
        self._progress = progress
        self._end = end
        self._now = now
        self._found: dict[int, Observed] = {}
        self._incomplete: Notice | None = None

    def history(self, selection: Selection) -> History:
        """All that was asked for, or what was there when a limit ended it.

        Raises InputError and ApiError where nothing was to be had.
        """
        repository = self._forge.repository()
        kept = self._kept_for(repository.name)
        runs = self._listed(selection)
        self._read_all([run for run in runs if not self._known(run, kept)], len(runs), kept)
        try:
            storage = None if self._incomplete else self._forge.storage()
        except ApiError as error:
            storage, self._incomplete = None, error.notice
        return History(
            repository=repository.name,
            url=repository.url,
            default_branch=repository.default_branch,
            selection=selection,
            observed=tuple(self._found.get(run.id, Observed(run)) for run in reversed(runs)),
            now=self._now,
            storage=storage,
            incomplete_because=self._incomplete,
        )

    def _listed(self, selection: Selection) -> list[WorkflowRun]:
        """The newest that are asked for, each once."""
        runs: dict[int, WorkflowRun] = {}
        try:
            for run in self._forge.runs(selection):
                if selection.takes(run):
                    runs.setdefault(run.id, run)
                    self._progress(f"listing runs: {len(runs)}, back to {run.created:%Y-%m-%d}")
        except RateLimitError as error:
            if not runs:
                raise
            self._incomplete = error.notice
        return sorted(runs.values(), key=lambda run: (run.created, run.id), reverse=True)[: selection.most]

    def _known(self, run: WorkflowRun, kept: Kept) -> bool:
        known = kept.observed(run)
        if known:
            self._found[run.id] = known
        return known is not None

    def _read_all(self, missing: list[WorkflowRun], total: int, kept: Kept) -> None:
        """Ask for one log after the other, the newest first; several may travel at once."""
        travelling: deque[tuple[WorkflowRun, Future[list[tuple[str, str]]]]] = deque()
        try:
            for run in missing:
                if self._incomplete:
                    break
                asked = self._asked(run, kept)
                if asked:
                    travelling.append((asked[0], run_in_background(asked[1])))
                if len(travelling) >= _AT_ONCE:
                    self._take(*travelling.popleft(), kept)
                self._progress(_bar(len(self._found), total))
            for run, came in travelling:
                self._take(run, came, kept)
                self._progress(_bar(len(self._found), total))
        except BaseException:
            self._end.cancel()
            raise

    def _asked(self, run: WorkflowRun, kept: Kept) -> tuple[WorkflowRun, ReadLogs] | None:
        try:
            refined = self._forge.refined(run)
            return refined, self._forge.logs(refined)
        except LogsGone:
            self._gone(run, kept)
        except ApiError as error:
            self._incomplete = error.notice
        return None

    def _take(self, run: WorkflowRun, came: Future[list[tuple[str, str]]], kept: Kept) -> None:
        try:
            try:
                lines = came.result()
            except LogError:
                lines = self._forge.logs_job_by_job(run)
        except LogsGone:
            self._gone(run, kept)
        except LogError as error:
            self._found[run.id] = Observed(run, logs="unreadable", problem=str(error))
        except ApiError as error:
            self._incomplete = error.notice
        else:
            kept.keep(run, lines, "read")
            self._found[run.id] = observed(run, lines, "read")

    def _gone(self, run: WorkflowRun, kept: Kept) -> None:
        kept.keep(run, (), "gone")
        self._found[run.id] = Observed(run, logs="gone")


def _bar(done: int, total: int) -> str:
    filled = _WIDTH * done // max(total, 1)
    return f"reading logs [{'#' * filled}{'.' * (_WIDTH - filled)}] {done} of {total} runs"
