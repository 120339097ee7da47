"""`go-prefetch verify`: hash the trees of the module cache against go.sum, in place."""

from __future__ import annotations

from go_prefetch.base.format import counted
from go_prefetch.base.retry import Deadline
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.command_inputs import VERIFY
from go_prefetch.errors import notice
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.model.results import RemovedTrees
from go_prefetch.run.steps.check_present import check_present, packed
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.verification.private_folder import clear_leftovers
from go_prefetch.verification.trees import Trees


def verify(invocation: Invocation) -> int:
    """Print every tree that does not match go.sum, and with `--fix` remove it. Exit status 1 if one is left.

    With `--fix`, Go hashes zips without a tree again, even if they have a `.ziphash`.

    Raises PrefetchError for bad input.
    """
    settings, platform, fix = invocation.settings(), invocation.platform, invocation.values(VERIFY)["fix"]
    environment = GoCommand(invocation.environ).environment(settings.cwd)
    plan = make_plan(settings, environment, ModuleFolder.of_cache(environment.gomodcache))
    deadline = Deadline.after(settings.deadline)
    clear_leftovers(plan.folder.gomodcache)
    trees = Trees(plan, environment.goroot, deadline)
    with platform.working("Verify") as meter:
        meter.say(f"comparing {counted(len(plan.unpacked), 'module')} with go.sum")
        meter.wait_for("go mod verify")
        checked = check_present(plan, trees)
    taken = trees.remove(checked.bad) if fix else RemovedTrees(stays=checked.bad)
    for version in sorted(taken.removed | taken.stays):
        where = plan.folder.tree(version)
        if version in taken.removed:
            platform.warn(notice("tree-removed", "folder", version=version, folder=where))
        else:
            platform.error(notice("checksum-mismatch", "tree-stays" if fix else "tree", version=version, tree=where))
    for version in sorted(checked.unchecked):
        platform.warn(notice("tree-unchecked", version=version))
    if checked.inconclusive:
        platform.error(notice("no-verdict", cause=checked.inconclusive))
    if taken.removed:
        platform.warn(notice("stale-objects"))
    if fix:
        for version in packed(plan):
            trees.drop_ziphash(version)
    invocation.show_result(
        f"Modules that match go.sum: {len(checked.good)}, differ: {len(checked.bad)}, "
        f"not checked: {len(checked.unchecked)}, not unpacked: {len(packed(plan))} ({checked.seconds:.1f} s)"
    )
    return 1 if taken.stays or checked.inconclusive else 0
