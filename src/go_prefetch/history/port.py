"""The port to a forge: what is asked of GitHub and of GitLab alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from go_prefetch.history.model import Selection, Storage, WorkflowRun

# Record lines as (job, line). Raises LogError, LogsGone, or what the API raises; may be called in another thread.
ReadLogs = Callable[[], list[tuple[str, str]]]


class LogsGone(Exception):  # noqa: N818 - not an error: forges keep logs for a time
    """The forge no longer has the logs of this run."""


@dataclass(frozen=True)
class Repository:
    """Its name as the forge spells it now, its page, its default branch."""

    name: str
    url: str
    default_branch: str


class Forge(Protocol):
    """Raises InputError, ApiError and RateLimitError for what the API does."""

    def repository(self) -> Repository:
        """The repository; asked first."""

    def runs(self, selection: Selection) -> Iterator[WorkflowRun]:
        """Finished runs, the newest first. Ends before runs that are too old; may give some that are not asked for."""

    def refined(self, run: WorkflowRun) -> WorkflowRun:
        """The run with all that is known of it, where a list does not tell."""

    def logs(self, run: WorkflowRun) -> ReadLogs:
        """Ask for the logs of a run. Raises LogsGone."""

    def logs_job_by_job(self, run: WorkflowRun) -> list[tuple[str, str]]:
        """The same by another way, where that one failed. Raises LogError, LogsGone."""

    def storage(self) -> Storage | None:
        """What is kept in the forge's cache service; None where it does not tell."""

    def moment_of(self, commit: str) -> datetime | None:
        """When a commit was made; None if there is no such commit."""
