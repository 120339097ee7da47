"""Let Go read the `.mod` files of this run that it did not read, before they are saved for others.

`go mod download` did not need them, but a later `go list -m all`, `go mod tidy` or build of another package may. A
wrong one would then fail with a security error. It is replaced, or removed, so that Go downloads it itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Rejection
from go_prefetch.run.steps.replacements import Replacements
from go_prefetch.verification.check_mods import check_mods

# Each round finds a wrong file or ends; only an attacker needs so many.
_MOST_ROUNDS = 20


class ModFilesVerified(NamedTuple):
    """Files that no go command has read, which is not a failure, and warnings about them."""

    files: frozenset[ModuleFile]
    warnings: tuple[Notice, ...] = ()


def verify_mod_files(
    files: Replacements, plan: Plan, goroot: Path, deadline: Deadline, complete: Sequence[ModuleVersion]
) -> ModFilesVerified:
    """Return Go's verdict on each `.mod` that was restored or downloaded but not read. Wrong ones are replaced.

    `complete` are the modules that `go mod download` has looked at without a failure.
    """
    good: frozenset[ModuleFile] = frozenset()
    taken = frozenset(filter(plan.folder.has_zip, complete))
    for _ in range(_MOST_ROUNDS):
        unverified = _unverified(files, plan, taken) - good
        hashes = {file: plan.hashes[file] for file in unverified if file in plan.hashes}
        verdict = check_mods(plan.folder, goroot, hashes, deadline)
        good |= verdict.good
        if verdict.bad:
            rejections = [Rejection(file, files.sources[file], words) for file, words in sorted(verdict.bad.items())]
            files.replace_once(rejections, unverified - good)
        if verdict.inconclusive:
            no_verdict = notice("mod-files-unchecked", cause=verdict.inconclusive)
            return ModFilesVerified(_unverified(files, plan, taken) - good, (no_verdict,))
        if not verdict.bad:
            return ModFilesVerified(unverified - good)
    left = _unverified(files, plan, taken) - good
    files.drop(left)
    return ModFilesVerified(left, (notice("mod-files-removed", count=len(left)),))


def _unverified(files: Replacements, plan: Plan, taken: AbstractSet[ModuleVersion]) -> frozenset[ModuleFile]:
    """Return the `.mod` files of this run that Go did not read for their zips, or that have changed since."""
    ours = (file for file in files.sources if file.kind == "mod" and file not in plan.present)
    return frozenset(file for file in ours if file.module not in taken or file in files.rejected)
