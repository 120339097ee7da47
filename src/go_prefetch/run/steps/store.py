"""Restore from the store, and save new files to it. A store that fails is a miss or a warning."""

from __future__ import annotations

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Arrived, CacheStore, Saving, Wanted
from go_prefetch.model.report import RunState
from go_prefetch.model.results import Restored, Saved
from go_prefetch.modfiles.managed_folder import folder_error


def restore(store: CacheStore, plan: Plan, deadline: Deadline, arrived: Arrived) -> Restored:
    """Restore missing files of the plan from the store into the module cache. Do nothing if nothing is missing.

    Raises DownloadError if the module cache cannot be written or is full.
    """
    if not plan.missing:
        return Restored(store.name)
    try:
        return store.restore(Wanted(plan.key, plan.missing, plan.folder), deadline, arrived)
    except StoreError as error:
        return Restored(store.name, warnings=(error.notice,))
    except OSError as error:
        raise folder_error(error, plan.folder.path) from None


def save(store: CacheStore, state: RunState, deadline: Deadline, *, private_too: bool, go_logs_in: bool) -> Saved:
    """Save files that Go accepted, and private modules only on request. Save nothing of a failed run.

    With `go_logs_in`, files that Go downloaded itself may have needed a login. They count as private too.
    """
    if state.completed.failure:
        return Saved(skipped_reason=notice("run-failed"))
    saving = _saving(state, frozenset() if private_too else _private(state, go_logs_in=go_logs_in))
    if not (saving.files or saving.rejected or saving.unavailable):
        return Saved(skipped_reason=notice("nothing-to-save", "stored" if state.plan.missing else "present"))
    try:
        return store.save(saving, deadline)
    except StoreError as error:
        return Saved(skipped_reason=notice("store-failed"), warnings=(error.notice,))


def _private(state: RunState, *, go_logs_in: bool) -> frozenset[ModuleFile]:
    """Return files of private modules, and those that needed a login."""
    private = frozenset(file for file in state.plan.missing if file.module in state.plan.unsaved)
    by_go = state.completed.by_go if go_logs_in else frozenset()
    return private | state.downloaded.credentialed | state.completed.refetched.credentialed | by_go


def _saving(state: RunState, withheld: frozenset[ModuleFile]) -> Saving:
    plan, restored = state.plan, state.restored
    rejected = frozenset(rejection.file for rejection in state.completed.rejected)
    from_store = restored.files - rejected
    good = [file for file in plan.missing if file not in withheld and _is_verified(file, state)]
    unavailable = state.downloaded.unavailable - restored.unavailable
    return Saving(
        key=plan.key,
        folder=plan.folder,
        files=[file for file in good if file not in from_store],
        restored=[file for file in good if file in from_store],
        entry=restored.entry,
        rejected=rejected & restored.files,
        unavailable=frozenset(file for file in unavailable if not plan.folder.has(file)),
        cold_seconds=_cold_seconds(state),
    )


def _is_verified(file: ModuleFile, state: RunState) -> bool:
    """Return whether Go has verified a file: it writes the hash of a good zip. Others were read, or are unverified."""
    folder = state.plan.folder
    accepted = folder.accepted_by_go(file.module) if file.kind == "zip" else folder.has(file)
    return accepted and file not in state.completed.unverified


def _cold_seconds(state: RunState) -> float | None:
    """Return the cost of these files. Go's own time counts only if nothing was there before, so all was for them."""
    if not state.downloaded.files:
        return None
    all_cold = not state.restored.files and not state.plan.present
    return state.downloaded.seconds + (state.admitted.seconds + state.completed.seconds if all_cold else 0.0)
