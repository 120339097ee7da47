"""Give the store what it lacked, and only that. A store that fails is a warning."""

from __future__ import annotations

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import CacheStore, Saving
from go_prefetch.model.results import Admitted, Completed, Downloaded, Restored, Saved


def save(  # noqa: PLR0913 - what may be saved depends on every step before
    store: CacheStore,
    plan: Plan,
    restored: Restored,
    downloaded: Downloaded,
    admitted: Admitted,
    completed: Completed,
    *,
    private_too: bool,
    go_logs_in: bool,
    deadline: Deadline,
) -> Saved:
    """What the store took: files Go accepted, and no private module unless asked. Nothing of a run that failed.

    With `go_logs_in` nobody knows whether what Go fetched itself took a login: that counts as private too.
    """
    if completed.failure:
        return Saved(skipped_reason=notice("run-failed"))
    rejected = frozenset(rejection.file for rejection in completed.rejected)
    came = (*(file for file in plan.missing if file not in restored.files or file in rejected),)
    secret = downloaded.credentialed | completed.refetched.credentialed
    secret |= completed.by_go if go_logs_in else frozenset()

    def may_be_saved(file: ModuleFile) -> bool:
        read = _accepted(plan, file) and file not in completed.unverified
        return read and (private_too or not (file.module in plan.unsaved or file in secret))

    files = [file for file in came if may_be_saved(file)]
    kept = restored.files - rejected
    saving = Saving(
        key=plan.key,
        folder=plan.folder,
        files=files,
        kept=[file for file in plan.missing if file in kept and may_be_saved(file)],
        entry=restored.entry,
        rejected=rejected & restored.files,
        unavailable=frozenset(
            file for file in downloaded.unavailable - restored.unavailable if not plan.folder.has(file)
        ),
        cold_seconds=_cold_seconds(plan, restored, downloaded, admitted.seconds + completed.seconds),
    )
    if not (files or saving.rejected or saving.unavailable):
        return Saved(skipped_reason=notice("nothing-to-save", "stored" if plan.missing else "present"))
    try:
        return store.save(saving, deadline)
    except StoreError as error:
        return Saved(skipped_reason=notice("store-failed"), warnings=(error.notice,))


def _accepted(plan: Plan, file: ModuleFile) -> bool:
    """Go notes the hash of a zip it found good; others it reads each time, or verify_mod_files.py has it do so."""
    if file.kind == "zip":
        return plan.folder.accepted_by_go(file.module)
    return plan.folder.has(file)


def _cold_seconds(plan: Plan, restored: Restored, downloaded: Downloaded, of_go: float) -> float | None:
    """What these files cost. Go's own time counts only where all of it was spent on them: nothing was there before."""
    if not downloaded.files:
        return None
    all_cold = not restored.files and not plan.present
    return downloaded.seconds + (of_go if all_cold else 0.0)
