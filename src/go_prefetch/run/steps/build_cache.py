"""Restore build results into GOCACHE, and save what the job used of it. Nothing here fails a job or removes a file.

What a job used is saved, and nothing else, so entries do not grow. A delta has what the entries below it lack. A new
full entry replaces them once they have grown too much, or once a job that succeeded has left too much of them unused.
Other jobs may have done less than usual, so they remove nothing from the set.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from go_prefetch.base.retry import Deadline
from go_prefetch.buildcache.contents import contents, has_compiled, listing
from go_prefetch.errors import StoreError, notice
from go_prefetch.golang.build_cache import Contents
from go_prefetch.model.build_lineage import MOST_BELOW
from go_prefetch.model.build_results import BuildBase, BuildSaved, BuildState
from go_prefetch.model.progress import Meter
from go_prefetch.stores.cache_service.build_store import BuildStore
from go_prefetch.stores.cache_service.protocol import NotAllowed

_LARGEST_DELTAS = 0.30  # of the full entry: those that are there, all together, and a new one
_MOST_UNUSED = 1 / 3  # of what was restored


def save_build(
    store: BuildStore, state: BuildState, deadline: Deadline, meter: Meter, *, succeeded: bool
) -> BuildSaved:
    """Save what this job used and the store lacks. A failure is a warning in the result."""
    started = time.monotonic()
    use = _use_of(state, succeeded=succeeded)
    saved = use.figures
    if store.access.no_writing:
        saved = replace(saved, skipped_reason=store.access.no_writing)
    elif not has_compiled(state.gocache, use.new.outputs.values()):
        saved = replace(saved, skipped_reason=notice("nothing-to-save", "compiled"))
    elif state.gave_up:
        saved = replace(saved, skipped_reason=notice("entry-too-slow"))
    else:
        saved = _uploaded(store, state, use, deadline, meter)
    return replace(saved, seconds=time.monotonic() - started)


@dataclass(frozen=True)
class _Use:
    """What a job used: all of it, what no entry has, and what a new full entry would hold."""

    new: Contents
    whole: Contents
    figures: BuildSaved
    fits_delta: bool


def _use_of(state: BuildState, *, succeeded: bool) -> _Use:
    gocache, base = state.gocache, state.base
    found = listing(gocache)
    since = found.used_since(state.moment)
    whole = contents(gocache, found, since if succeeded else since | base.actions.keys())
    used = whole.only(since)
    fresh = used.only(action.id for action in used.actions.values() if base.actions.get(action.id) != action.output)
    new = fresh.without_outputs(frozenset(base.outputs))
    restored = sum(base.outputs.values())
    restored_used = sum(size for one, size in base.outputs.items() if one in used.outputs)
    figures = BuildSaved(
        used_files=used.files,
        used_bytes=used.bytes,
        restored_bytes=restored,
        restored_used_bytes=restored_used,
        new_files=new.files,
        new_bytes=new.bytes,
    )
    is_shrinking = succeeded and restored - restored_used > restored * _MOST_UNUSED
    return _Use(new, whole, figures, _fits(base, new) and not is_shrinking)


def _fits(base: BuildBase, new: Contents) -> bool:
    """Return whether `new` can be a delta to the entries of `base`."""
    most = _LARGEST_DELTAS * base.full_bytes
    return 0 < len(base.ids) <= MOST_BELOW and base.delta_bytes <= most and new.bytes <= most


def _uploaded(store: BuildStore, state: BuildState, use: _Use, deadline: Deadline, meter: Meter) -> BuildSaved:
    packed = use.new if use.fits_delta else use.whole
    key = store.key(state.lineage, packed, state.base if use.fits_delta else None)
    dropped = [] if use.fits_delta else [size for one, size in state.base.outputs.items() if one not in packed.outputs]
    meter.say("packing and uploading")
    try:
        sent = store.save(state.gocache, packed, key, deadline, meter)
    except NotAllowed as no:
        return replace(use.figures, skipped_reason=no.notice)
    except StoreError as error:
        return replace(use.figures, skipped_reason=notice("store-failed"), warnings=(error.notice,))
    return replace(use.figures, is_full=not use.fits_delta, trimmed_bytes=sum(dropped), key=key, bytes=sent)
