"""The two ports: where module files are kept, and the platform of the run."""

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
from go_prefetch.model.cold_runs import ColdRun
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, RestoredEntry, Saved

# Called with each file as soon as it has its final name, from any thread.
Arrived = Callable[[ModuleFile], None]

# Called at most once, from any thread, when a store knows what it will deliver: `files`, and what is `unavailable`.
Announced = Callable[[Restored], None]


def ignore_announcement(coming: Restored) -> None:
    """Ignore an announcement."""
    del coming


@dataclass(frozen=True)
class Wanted:
    """The files that a store is asked for."""

    key: CacheKey
    files: Sequence[ModuleFile]
    folder: ModuleFolder  # the folder to put them into


@dataclass(frozen=True)
class Saving:
    """What a store may save: files of a download folder that Go accepted, and their cost."""

    key: CacheKey
    folder: ModuleFolder
    files: Sequence[ModuleFile]  # files that the store did not return
    restored: Sequence[ModuleFile]  # files that the store returned
    entry: RestoredEntry | None  # the entry they came from
    rejected: frozenset[ModuleFile]  # the store's own copies that Go rejected, to be replaced or removed
    unavailable: frozenset[ModuleFile]  # to be recorded: every proxy answered 404 or 410
    cold: ColdRun | None  # what downloading them took
    runs: tuple[ColdRun, ...] = ()  # what downloading files of the store behind a front took, as that store noted it
    owed: frozenset[ModuleFile] = frozenset()  # restored files that a front is to pass on to the store behind it
    behind: frozenset[ModuleFile] = frozenset()  # restored files that a front lacked: the store behind had them


class CacheStore(Protocol):
    """Keeps module files between runs. Every failure in here is a StoreError: a miss or a warning."""

    @property
    def name(self) -> str:
        """Return the display name."""

    @property
    def has_single_files(self) -> bool:
        """Return whether it can read one file without reading others too, as an archive has them."""

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        """Put the wanted files that it has into the folder, each completely or not at all, and call `arrived`.

        `announced` is called before the first file, if what will come is known then.
        """

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        """Save what it lacks, and report its progress to `meter`."""


class Platform(Protocol):
    """The platform of the run: a CI system or a terminal. The only part that prints."""

    @property
    def job_began(self) -> float | None:
        """Return when this job got its fresh machine, in Unix seconds; None if machines are kept, or it is unknown."""

    @property
    def repository_is_private(self) -> bool:
        """Return whether the CI system says that outsiders cannot read this repository."""

    def carries(self, folder: Path) -> bool:
        """Return whether the CI system itself keeps this folder unchanged and passes it to later jobs."""

    @property
    def draws_mermaid(self) -> bool:
        """Return whether Mermaid diagrams in the job summary become pictures."""

    def group(self, title: str) -> AbstractContextManager[None]:
        """Open a collapsible section of the log."""

    def fold(self, title: str, lines: Sequence[str]) -> None:
        """Print lines that few readers need: in a collapsed section, or in verbose mode."""

    def hide(self, secrets: frozenset[str]) -> None:
        """Never print these texts, also as part of other texts."""

    def show(self, text: str, stdout: TextIO) -> None:
        """Print a result on `stdout`, cleaned. No line of it is a command to the program that reads the log."""

    def clean(self, text: str) -> str:
        """Return `text` without secrets, for other output."""

    def info(self, text: str) -> None:
        """Print one line of the log."""

    def detail(self, text: str) -> None:
        """Print one line in verbose mode."""

    def notice(self, notice: Notice) -> None:
        """Print a notice."""

    def warn(self, notice: Notice) -> None:
        """Print a warning, which fails nothing."""

    def error(self, notice: Notice) -> None:
        """Print why the run fails."""

    def working(self, title: str) -> AbstractContextManager[Meter]:
        """Show the progress of a piece of work while the block runs. The meter takes it."""

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Pass the outputs, and the Markdown job summary unless it is empty, to the CI system."""

    def add_to_summary(self, text: str) -> None:
        """Add Markdown of a later step to the job summary, where the CI system allows that."""
