"""What is to change in one file."""

from __future__ import annotations

from dataclasses import dataclass

from go_prefetch.errors import Notice, notice
from go_prefetch.workflows.insertions import Insertion, applied
from go_prefetch.workflows.yaml_tree import NotUnderstoodError


@dataclass(frozen=True)
class FileChange:
    """A file as it is and as it will be. `notices` say what is left to do by hand."""

    name: str  # relative to the repository, with slashes
    old: str
    insertions: tuple[Insertion, ...] = ()
    notices: tuple[Notice, ...] = ()
    uses_go: bool = False  # it has a job that needs modules

    @property
    def new(self) -> str:
        """Return the text with the insertions."""
        return applied(self.old, self.insertions)


class Findings:
    """Collects the insertions and notices of one file. Each is kept once: an alias may lead to a step twice."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.insertions: dict[Insertion, None] = {}
        self.notices: dict[Notice, None] = {}

    def insert(self, insertion: Insertion | None) -> None:
        """Add an insertion, if there is one."""
        if insertion:
            self.insertions[insertion] = None

    def add(self, said: Notice) -> None:
        """Add a notice."""
        self.notices[said] = None

    def place(self, row: int) -> str:
        """Return the name of a row, as messages have it."""
        return f"{self._name}:{row + 1}"


def refused(name: str, text: str, error: NotUnderstoodError) -> FileChange:
    """Return the change of a file that the reader refuses: none."""
    said = notice("workflow-not-understood", error.problem.value, place=f"{name}:{error.row + 1}")
    return FileChange(name, text, notices=(said,))
