"""Say which files of a pool, an entry or a folder are of no use, in few sentences whatever their number."""

from __future__ import annotations

from collections.abc import Mapping

from go_prefetch.base.format import counted, some
from go_prefetch.golang.modcache import ModuleFile

_MOST_SENTENCES = 10
_MOST_NAMES = 3


def damage(place: str, problems: Mapping[ModuleFile, str], verb: str = "holds") -> tuple[str, ...]:
    """A sentence for each problem, with the files that have it; of more than ten problems, the first."""
    by_problem: dict[str, list[ModuleFile]] = {}
    for file, problem in problems.items():
        by_problem.setdefault(problem, []).append(file)
    told = list(by_problem.items())[:_MOST_SENTENCES]
    untold = len(problems) - sum(len(files) for _, files in told)
    sentences = [
        f"{place} {verb} a damaged {files[0]}: {problem}"
        if len(files) == 1
        else f"{place} {verb} {len(files)} damaged files, {some(files, _MOST_NAMES)}: {problem}"
        for problem, files in told
    ]
    return (*sentences, *([f"{place} {verb} {counted(untold, 'more damaged file')}"] if untold else []))


def unreadable(place: str, files: Mapping[ModuleFile, str]) -> tuple[str, ...]:
    """One sentence for the files of `place` that this user may not read, with the system's words."""
    if not files:
        return ()
    words = ", ".join(dict.fromkeys(files.values()))
    return (
        f"{place} has {counted(len(files), 'file')} that this user may not read, "
        f"{some([*files], _MOST_NAMES)}: {words}. Give this user read access, or name another pool [store-unreadable]",
    )
