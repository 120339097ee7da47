"""Check trees that were in the module cache before us, and take away those that are not what go.sum says."""

from __future__ import annotations

from go_prefetch.errors import ChecksumMismatch
from go_prefetch.goenvironment import GoEnvironment
from go_prefetch.modcache import ModuleFile, forget_ziphash, tree_in
from go_prefetch.module import ModuleVersion
from go_prefetch.recheck import recheck, remove
from go_prefetch.results import Plan, Rechecked
from go_prefetch.retry import Deadline


def check_present(plan: Plan, go: GoEnvironment, deadline: Deadline) -> Rechecked:
    """Go's verdict on every planned module whose tree is there."""
    planned = set(plan.modules)
    hashes = {version: hashes for version, hashes in plan.zip_hashes.items() if version in planned}
    return recheck(plan.gomodcache, go.goroot, hashes, deadline)


def remove_bad(plan: Plan, checked: Rechecked, deadline: Deadline) -> tuple[str, ...]:
    """Remove the bad trees, so that Go unpacks them anew; one sentence for each, and one if there was no verdict.

    Zips that nothing is unpacked of are hashed again too. Raises ChecksumMismatch for a bad tree that stays.
    """
    doubt_packed(plan)
    no_verdict = (f"trees in the module cache were not checked: {checked.disbelieved}",) if checked.disbelieved else ()
    removed = []
    for version in sorted(checked.bad):
        if not remove(plan.gomodcache, version, deadline):
            raise tree_stays(plan, version)
        removed.append(f"{version} in the module cache was not what go.sum says; it was removed and unpacked anew")
    return (*no_verdict, *removed)


def tree_stays(plan: Plan, version: ModuleVersion) -> ChecksumMismatch:
    """The error for a tree that must not be built from, and that cannot be removed."""
    return ChecksumMismatch(
        "checksum-mismatch",
        f"{version} in the module cache is not what go.sum says, and cannot be removed",
        hint=f"Remove {tree_in(plan.gomodcache, version)} yourself before you build.",
    )


def packed(plan: Plan) -> tuple[ModuleVersion, ...]:
    """Planned modules of which no tree is there to be checked: at most a zip and a `.ziphash` that Go would believe."""
    return tuple(version for version in plan.modules if not tree_in(plan.gomodcache, version).is_dir())


def doubt_packed(plan: Plan) -> None:
    """Take their `.ziphash` away, which anybody may have written, so that Go hashes the zip before it unpacks it."""
    for version in packed(plan):
        forget_ziphash(plan.folder, ModuleFile(version, "zip"))
