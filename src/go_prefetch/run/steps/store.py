"""Restore from the store, and save new files to it. A store that fails is a miss or a warning."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.cache_key import CacheKey, toolchain_key
from go_prefetch.model.cold_runs import ColdRun, Span, measured
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Announced, Arrived, CacheStore, Saving, Wanted
from go_prefetch.model.progress import Meter
from go_prefetch.model.report import RunState
from go_prefetch.model.results import Restored, RestoredEntry, Saved
from go_prefetch.modfiles.managed_folder import folder_error


def wanted_of_a_store(plan: Plan, store: CacheStore) -> tuple[ModuleFile, ...]:
    """Return what to ask a store for: missing files, and candidates if a second request would read all of it again."""
    also = () if store.has_single_files else plan.candidates
    return (*plan.missing_of_modules, *(file for file in also if file not in plan.present))


def restore(
    store: CacheStore, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced, meter: Meter
) -> Restored:
    """Restore wanted files from the store into the module cache. Do nothing if there are none.

    Raises DownloadError if the module cache cannot be written or is full.
    """
    if not wanted.files:
        return Restored(store.name)

    def note_arrival(file: ModuleFile) -> None:
        meter.done(file, wanted.folder.size_if_there(file))
        arrived(file)

    try:
        meter.expect(wanted.files)
        meter.wait_for(store.name)
        return store.restore(wanted, deadline, note_arrival, announced)
    except StoreError as error:
        return Restored(store.name, warnings=(error.notice,))
    except OSError as error:
        raise folder_error(error, wanted.folder.path) from None


def save(store: CacheStore, state: RunState, deadline: Deadline, meter: Meter) -> Saved:
    """Save files that Go accepted and that may be saved. Save nothing of a run that failed in every main module."""
    if state.completed.failure and not state.completed.is_partial:
        return Saved(skipped_reason=notice("run-failed"))
    if state.restored.is_out_of_reach:
        return Saved(skipped_reason=notice("store-failed"))
    lacks_bundle = state.restored.lacks_bundle
    savings = [
        saving
        for saving in _savings(state)
        if saving.files
        or saving.rejected
        or saving.unavailable
        or saving.behind
        or saving.owed
        or (lacks_bundle and saving.restored)
    ]
    if not savings:
        return Saved(skipped_reason=_nothing_to_save(state))
    saved = Saved()
    for saving in savings:
        try:
            meter.expect(saving.files, sum(map(saving.folder.size_if_there, saving.files)))
            meter.wait_for(store.name)
            saved = saved.plus(store.save(saving, deadline, meter))
        except StoreError as error:
            return saved.plus(Saved(skipped_reason=notice("store-failed"), warnings=(error.notice,)))
    return saved


def took_too_long(restored: Restored) -> bool:
    """Return whether the store has cost so much time that nothing more is asked of it."""
    return restored.is_out_of_reach or any(warning.slug == "store-slow" for warning in restored.warnings)


def _nothing_to_save(state: RunState) -> Notice:
    plan, restored = state.plan, state.restored
    if not plan.missing:
        return notice("nothing-to-save", "present")
    known = restored.files | restored.unavailable | state.downloaded.unavailable
    return state.not_saved or notice("nothing-to-save", "stored" if known.issuperset(plan.missing) else "unverified")


def _savings(state: RunState) -> Iterator[Saving]:
    """Yield what a store may save of the modules, then of each toolchain, which has a place of its own there."""
    plan = state.plan
    yield _saving(state, plan.key, plan.missing_of_modules, state.restored.entry)
    for file in plan.missing_toolchains:
        yield _saving(state, toolchain_key(str(file.module)), [file], None)


def _saving(state: RunState, key: CacheKey, missing: Sequence[ModuleFile], entry: RestoredEntry | None) -> Saving:
    plan, restored, withheld = state.plan, state.restored, state.withheld
    rejected = frozenset(rejection.file for rejection in state.completed.rejected).intersection(missing)
    from_store = restored.files - rejected
    good = [file for file in missing if file not in withheld and _is_verified(file, state)]
    unavailable = (state.downloaded.unavailable - restored.unavailable).intersection(missing)
    behind = restored.behind.intersection(missing)
    noted = (run.only({file.name for file in behind}) for run in restored.runs)
    return Saving(
        key=key,
        folder=plan.folder,
        files=[file for file in good if file not in from_store],
        restored=[file for file in good if file in from_store],
        entry=entry,
        rejected=rejected & restored.files,
        unavailable=frozenset(file for file in unavailable if not plan.folder.has(file)),
        cold=cold_run(state, good),
        behind=behind,
        owed=restored.owed.intersection(good) - rejected,
        runs=tuple(run for run in noted if run.files),
    )


def _is_verified(file: ModuleFile, state: RunState) -> bool:
    """Return whether Go has verified a file: it writes the hash of a good zip. Others were read, or are unverified."""
    folder = state.plan.folder
    accepted = folder.accepted_by_go(file.module) if file.kind == "zip" else folder.has(file)
    return accepted and file not in state.completed.unverified


def cold_run(state: RunState, files: Collection[ModuleFile]) -> ColdRun | None:
    """Return what downloading these files took; None if none of them came from a proxy.

    Go's own time is noted only if nothing was there before, so that all of it was for these files.
    """
    fetched = {one.file: one for one in (*state.downloaded.fetched, *state.completed.refetched.fetched)}
    came = [fetched[file] for file in files if file in fetched]
    if not came:
        return None
    all_cold = not state.restored.files and not state.plan.present
    verify_seconds = state.admitted.seconds + state.completed.seconds if all_cold else None
    return measured(
        {one.file.name: Span(one.began, one.began + one.seconds, one.bytes) for one in came}, verify_seconds
    )
