"""Report files of a pool, an entry or a folder that cannot be used, in few notices whatever their number."""

from __future__ import annotations

from collections.abc import Mapping

from go_prefetch.errors import Notice, notice
from go_prefetch.golang.modcache import ModuleFile

_MOST_NOTICES = 10


def damage(place: str, problems: Mapping[ModuleFile, str]) -> tuple[Notice, ...]:
    """Return a notice for each problem, with its files; at most ten problems."""
    by_problem: dict[str, list[ModuleFile]] = {}
    for file, problem in problems.items():
        by_problem.setdefault(problem, []).append(file)
    first = list(by_problem.items())[:_MOST_NOTICES]
    left = len(problems) - sum(len(files) for _, files in first)
    notices = [
        notice("store-damaged", "files", place=place, count=len(files), files=tuple(files), problem=problem)
        for problem, files in first
    ]
    return (*notices, *([notice("store-damaged", "more-files", place=place, count=left)] if left else []))


def unreadable(place: str, files: Mapping[ModuleFile, str]) -> tuple[Notice, ...]:
    """Return a notice for the files of `place` that cannot be read, with the system's message."""
    if not files:
        return ()
    words = ", ".join(dict.fromkeys(files.values()))
    return (notice("store-unreadable", place=place, count=len(files), files=tuple(files), words=words),)
