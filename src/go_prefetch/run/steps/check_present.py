"""What was in the module cache before the run: trees to check and remove, and modules that another step restored."""

from __future__ import annotations

from collections.abc import Iterable

from go_prefetch.errors import ChecksumMismatch, Notice, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Admitted, RemovedTrees, TreeVerdict
from go_prefetch.verification.trees import Trees

_ROUNDS = 5  # only an attacker puts trees back that often


def detect_duplicate_cache(plan: Plan, job_began: float | None) -> Notice | None:
    """Return a notice if another step restored modules, without verification: setup-go does so by default.

    These modules are older than the job's fresh machine.
    """
    if job_began is None:
        return None
    zips = map(plan.folder.zip_path, plan.modules_present)
    older = sum(path.is_file() and path.stat().st_mtime < job_began for path in zips)
    return notice("duplicate-cache", count=older, total=len(plan.modules)) if older else None


def check_present(plan: Plan, trees: Trees) -> TreeVerdict:
    """Return Go's verdict on the tree of every planned module that has a hash in go.sum."""
    return trees.check(plan.zip_hashes.keys() & set(plan.modules))


def remove_bad(plan: Plan, trees: Trees, checked: TreeVerdict) -> tuple[Notice, ...]:
    """Remove the bad trees, so that Go unpacks them again. Return a warning for each, and one if there was no verdict.

    Zips without a tree are hashed again too. Raises ChecksumMismatch for a bad tree that stays.
    """
    for version in packed(plan):
        trees.drop_ziphash(version)
    no_verdict = (notice("trees-unchecked", cause=checked.inconclusive),) if checked.inconclusive else ()
    taken = trees.remove(checked.bad)
    _none_stays(plan, taken.stays)
    removed = (notice("tree-removed", version=version) for version in sorted(taken.removed))
    return (*no_verdict, *removed, *([notice("stale-objects")] if taken.removed else []))


def unpack_toolchains_again(plan: Plan, trees: Trees) -> None:
    """Remove the trees of toolchains. go.sum has no hash of them, but Go compares their zips with a database.

    Raises ChecksumMismatch for a tree that stays.
    """
    _none_stays(plan, trees.remove(filter(plan.folder.has_tree, plan.toolchains)).stays)
    for version in plan.toolchains:
        trees.mark_unfinished(version)


def replace_unproven(plan: Plan, admitted: Admitted, trees: Trees) -> tuple[Notice, ...]:
    """Remove unproven trees unless they match go.sum. Return warnings about them.

    Go trusts a tree as soon as there is a hash of its zip, wherever the zip came from. So a tree of a module that was
    incomplete when the plan was made is compared with go.sum. Go also makes the hash of such a module's zip again. If
    there is no tree yet, a mark makes Go replace a tree that appears later. If there is nothing of that kind, no Go is
    started.

    Raises ChecksumMismatch for a tree that stays, or that comes back again and again.
    """
    suspects = [version for version in plan.modules if version not in plan.unpacked | admitted.modules]
    for version in _of_a_zip_before(plan, suspects):
        trees.drop_ziphash(version)
    zips_without_sum = {version for scope in plan.scopes for version in scope.zips_without_sum}
    suspects += (version for version in sorted(zips_without_sum) if not plan.folder.accepted_by_go(version))
    notices: dict[Notice, None] = {}
    for _ in range(_ROUNDS):
        suspects = [version for version in suspects if not trees.mark_unfinished(version)]
        if not suspects:
            return (*notices, *([notice("stale-objects")] if notices else []))
        checked = trees.check(suspects)
        taken = trees.remove(checked.bad | checked.unchecked)
        _none_stays(plan, taken.stays)
        notices |= dict.fromkeys(_removed(checked, taken))
        suspects = [version for version in suspects if version not in checked.good | taken.good]
    raise tree_stays(plan, suspects[0])


def _removed(checked: TreeVerdict, taken: RemovedTrees) -> list[Notice]:
    """Return a warning for trees that were wrong, and one for those that could not be compared."""
    return [
        notice("trees-replaced", case, modules=tuple(sorted(versions)), cause=checked.inconclusive)
        for case, versions in (
            ("wrong", taken.removed & checked.bad),
            ("not-compared", taken.removed & checked.unchecked),
        )
        if versions
    ]


def _of_a_zip_before(plan: Plan, suspects: Iterable[ModuleVersion]) -> list[ModuleVersion]:
    """Return those whose zip was there before: it may look restored, or Go may be about to unpack it."""
    return [version for version in suspects if ModuleFile(version, "zip") in plan.present]


def _none_stays(plan: Plan, stays: Iterable[ModuleVersion]) -> None:
    for version in sorted(stays):
        raise tree_stays(plan, version)


def tree_stays(plan: Plan, version: ModuleVersion) -> ChecksumMismatch:
    """Return the error for a wrong tree that cannot be removed."""
    return ChecksumMismatch("checksum-mismatch", "tree-stays", version=version, tree=plan.folder.tree(version))


def packed(plan: Plan) -> tuple[ModuleVersion, ...]:
    """Return planned modules without a tree to check: they have at most a zip and a `.ziphash` that Go would trust."""
    return tuple(version for version in plan.modules if not plan.folder.has_tree(version))
