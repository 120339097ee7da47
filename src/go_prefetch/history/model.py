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
    """Which runs to report on: of these workflows and branches (empty: all), no older and no more than that."""

    since: datetime | None
    most: int
    workflows: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    def includes(self, run: WorkflowRun) -> bool:
        """Return whether this run is one of them."""
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
        """From its commit, or else from when it was created, to its end."""
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
class JobRecord:
    """A record, and the job that has it in its log."""

    job: str
    record: Record


@dataclass(frozen=True)
class ObservedRun:
    """A run, and the records in its logs."""

    run: WorkflowRun
    records: tuple[JobRecord, ...] = ()
    logs: Logs = "unasked"
    problem: str = ""  # why they are unreadable


@dataclass(frozen=True)
class Storage:
    """What the repository keeps in GitHub's cache service. Bytes; `limit` is GitHub's default if it is unknown."""

    used: int
    entries: int
    limit: int
    limit_is_default: bool
    ours_used: int
    ours_entries: int


@dataclass(frozen=True)
class History:
    """Runs of a repository, the oldest first."""

    repository: str
    url: str
    default_branch: str
    selection: Selection
    runs: tuple[ObservedRun, ...]
    now: datetime
    storage: Storage | None = None
    incomplete_because: Notice | None = None
    warnings: tuple[str, ...] = ()

    def records(self) -> Iterator[Record]:
        """Return the records of all runs."""
        return (one.record for observed in self.runs for one in observed.records)


# Returns record lines as (job, line). Raises LogError, LogsGone, or what the API raises. May run in another thread.
ReadLogs = Callable[[], list[tuple[str, str]]]


class Forge(Protocol):
    """Where runs and logs come from. Raises InputError, ApiError and RateLimitError for what the API does."""

    def repository(self) -> Repository:
        """Return the repository. Called first."""

    def runs(self, selection: Selection) -> Iterator[WorkflowRun]:
        """Return finished runs, the newest first, until they are too old. Some may not be in the selection."""

    def refine(self, run: WorkflowRun) -> WorkflowRun:
        """Return the run with what a list lacks."""

    def logs(self, run: WorkflowRun) -> ReadLogs:
        """Return what reads the logs of a run. Raises LogsGone."""

    def logs_job_by_job(self, run: WorkflowRun) -> list[tuple[str, str]]:
        """Return the record lines by another way, if that one failed. Raises LogError and LogsGone."""

    def storage(self) -> Storage | None:
        """Return what the forge's cache service holds; None if that is unknown."""

    def moment_of(self, commit: str) -> datetime | None:
        """Return when a commit was made; None if there is no such commit."""
