"""Workflow runs of a repository, what go-prefetch wrote into their logs, and the port to the forge that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from go_prefetch.errors import Notice
from go_prefetch.forge.access import Repository
from go_prefetch.render.record import Record

Logs = Literal["read", "gone", "unreadable", "unasked"]

# How a run ends, in GitHub's words. Others (cancelled, skipped …) say nothing of what was built.
_SUCCEEDED = frozenset({"success"})
_FAILED = frozenset({"failure", "timed_out", "startup_failure"})


@dataclass(frozen=True)
class Selection:
    """Which runs were asked for: of these workflows and branches (empty: all), no older, no more than that."""

    since: datetime | None
    most: int
    workflows: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    def takes(self, run: WorkflowRun) -> bool:
        """Whether this run is one of them."""
        return (
            (self.since is None or run.created >= self.since)
            and (not self.branches or run.branch in self.branches)
            and (not self.workflows or any(name in (run.workflow, run.file) for name in self.workflows))
        )


@dataclass(frozen=True)
class WorkflowRun:
    """A finished workflow run (GitHub) or pipeline (GitLab). Moments are UTC."""

    id: int
    attempt: int
    workflow: str
    file: str  # the workflow's file name without its folder; empty on GitLab
    branch: str
    event: str
    commit: str
    conclusion: str
    created: datetime
    started: datetime
    finished: datetime
    committed: datetime | None  # when its commit was made
    url: str

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        return max(0.0, (self.finished - self.started).total_seconds())

    @property
    def lead_seconds(self) -> float:
        """From its commit, or else from when it was asked for, to its end."""
        return max(0.0, (self.finished - (self.committed or self.created)).total_seconds())

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.conclusion in _SUCCEEDED

    @property
    def failed(self) -> bool:
        """Whether it ended badly; a run that was cancelled or skipped did neither."""
        return self.conclusion in _FAILED


@dataclass(frozen=True)
class Recorded:
    """A record line, and the job in whose log it stood."""

    job: str
    record: Record


@dataclass(frozen=True)
class Observed:
    """A run, and what its logs said."""

    run: WorkflowRun
    records: tuple[Recorded, ...] = ()
    logs: Logs = "unasked"
    problem: str = ""  # why they are unreadable


@dataclass(frozen=True)
class Storage:
    """What the repository keeps in GitHub's cache service. Bytes; `limit` is GitHub's default where it is not told."""

    used: int
    entries: int
    limit: int
    limit_is_default: bool
    ours_used: int
    ours_entries: int


@dataclass(frozen=True)
class History:
    """What was gathered, oldest run first."""

    repository: str
    url: str
    default_branch: str
    selection: Selection
    observed: tuple[Observed, ...]
    now: datetime
    storage: Storage | None = None
    incomplete_because: Notice | None = None
    warnings: tuple[str, ...] = ()

    def records(self) -> Iterator[tuple[WorkflowRun, Recorded]]:
        """Every record with its run."""
        return ((seen.run, recorded) for seen in self.observed for recorded in seen.records)


# Record lines as (job, line). Raises LogError, LogsGone, or what the API raises; may be called in another thread.
ReadLogs = Callable[[], list[tuple[str, str]]]


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
