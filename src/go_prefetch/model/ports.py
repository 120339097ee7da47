"""The two things that vary: where module files are kept, and where we run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.cache_key import CacheKey
from go_prefetch.model.results import Restored, RestoredEntry, Saved

# Told of each file as soon as it has its final name; may be called from any thread.
Arrived = Callable[[ModuleFile], None]


@dataclass(frozen=True)
class Wanted:
    """What a store is asked for."""

    key: CacheKey
    files: Sequence[ModuleFile]
    folder: ModuleFolder  # where they are to be put


@dataclass(frozen=True)
class Saving:
    """What a store is offered: files of a download folder that Go accepted, and what they cost."""

    key: CacheKey
    folder: ModuleFolder
    files: Sequence[ModuleFile]  # those it did not hand over
    restored: Sequence[ModuleFile]  # those it did
    entry: RestoredEntry | None  # what it handed them over from
    rejected: frozenset[ModuleFile]  # the store's own copies that Go refused: to be replaced or removed
    unavailable: frozenset[ModuleFile]  # to be remembered: every proxy answered 404 or 410
    cold_seconds: float | None  # measured cost of downloading exactly these files


class CacheStore(Protocol):
    """Keeps module files between runs. Whatever goes wrong in here is a StoreError: a miss or a warning."""

    @property
    def name(self) -> str:
        """What people call it."""

    def restore(self, wanted: Wanted, deadline: Deadline, arrived: Arrived) -> Restored:
        """Put those of the wanted files it has into the folder, each whole or not at all, and tell `arrived`."""

    def save(self, saving: Saving, deadline: Deadline) -> Saved:
        """Take what it lacks."""


class Platform(Protocol):
    """Where we run: a CI system or a terminal. The only part that prints."""

    @property
    def job_began(self) -> float | None:
        """When this job got its fresh machine, Unix time in seconds; None where machines are kept, or nobody says."""

    @property
    def repository_is_private(self) -> bool:
        """Whether the CI system says that outsiders cannot read this repository."""

    def carries(self, folder: Path) -> bool:
        """Whether the CI system itself keeps this folder, as it is, and hands it to later jobs."""

    @property
    def draws_mermaid(self) -> bool:
        """Whether Mermaid diagrams in the job summary become pictures."""

    def group(self, title: str) -> AbstractContextManager[None]:
        """A folded part of the log."""

    def hide(self, secrets: frozenset[str]) -> None:
        """Never print these, whatever text they turn up in."""

    def show(self, text: str, stdout: TextIO) -> None:
        """Print a result on `stdout`, cleaned, and no line of it a command to whoever reads the log."""

    def clean(self, text: str) -> str:
        """`text` without them, for what is written elsewhere."""

    def info(self, text: str) -> None:
        """One line of the log."""

    def detail(self, text: str) -> None:
        """One line for those who asked for more."""

    def notice(self, notice: Notice) -> None:
        """Something worth knowing that is no warning."""

    def warn(self, notice: Notice) -> None:
        """Something to look at that fails nothing."""

    def error(self, notice: Notice) -> None:
        """Why the run fails."""

    def progress(self, text: str) -> None:
        """How long work stands just now; the next one takes its place."""

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Hand outputs and, unless it is empty, the Markdown job summary to whoever runs us."""
