"""Which folders of a repository have a go.mod or go.work, and which of them a job uses."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class GoFolders:
    """Folders relative to the repository, with slashes; `.` is its top."""

    modules: frozenset[str]
    workspaces: frozenset[str] = frozenset()

    def definition(self, folder: str) -> str:
        """Return the folder of the go.work or go.mod that Go uses in this folder; empty if there is none."""
        above = [folder]
        while above[-1] != ".":
            above.append(posixpath.dirname(above[-1]) or ".")
        for known in (self.workspaces, self.modules):
            found = next((each for each in above if each in known), "")
            if found:
                return found
        return ""

    @property
    def has_top(self) -> bool:
        """Return whether the top of the repository has a go.work or go.mod."""
        return bool(self.definition("."))

    def used(self, folders: Iterable[str], checkout: str) -> tuple[str, ...]:
        """Return the value of the input working-directory: one line for each. None means the default.

        `folders` are relative to the folder of the job, `checkout` is where the repository is in it. A folder with an
        expression stays as it is.
        """
        found: dict[str, None] = {}
        for folder in folders:
            if "${{" in folder:
                found |= {folder: None} if folder.isprintable() else {}
            elif definition := self.definition(_inside(folder, checkout)):
                found[posixpath.normpath(posixpath.join(checkout, definition))] = None
        if not found and checkout != ".":
            return (checkout,)
        return () if [*found] == ["."] else tuple(found)


def _inside(folder: str, checkout: str) -> str:
    """Return a folder of the job relative to the repository; its top for a folder outside of it."""
    relative = posixpath.relpath(posixpath.normpath(folder), checkout) if not folder.startswith("/") else ".."
    return "." if relative == ".." or relative.startswith("../") else relative
