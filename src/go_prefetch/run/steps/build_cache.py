"""Restore build results into GOCACHE, and save what the job used of it. Nothing here fails a job or removes a file.

What a job used is saved, and nothing else, so entries do not grow. A delta has what the entries below it lack, and
takes the place of what it is compressed against. A new full entry replaces them all once they have grown too much, or
once a job that succeeded has left too much of them unused. Other jobs may have done less than usual, so they remove
nothing from the set.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from go_prefetch.base.retry import Deadline
from go_prefetch.buildcache.contents import Listing, contents, has_compiled, listing
from go_prefetch.errors import StoreError, notice
from go_prefetch.golang.build_cache import Contents, Output
from go_prefetch.model.build_lineage import MOST_BELOW
from go_prefetch.model.build_results import BuildBase, BuildSaved, BuildState
from go_prefetch.model.progress import Meter
from go_prefetch.stores.cache_service.build_packing import Packing
from go_prefetch.stores.cache_service.build_patches import Old, pairs
from go_prefetch.stores.cache_service.build_store import BuildStore
from go_prefetch.stores.cache_service.protocol import NotAllowed

_LARGEST_DELTAS = 0.30  # of the full entry, without patches: those that are there, all together, and a new one
_MOST_UNUSED = 1 / 3  # of what was restored
_MOST_REPLACED = 50_000  # outputs: a reader takes a list of twice as many
_CLOCKS_DIFFER = 60.0  # seconds, that of a disk from that of the machine
_LARGEST_PATCHES = 0.15  # of the full entry: all patches, compressed. That is about what a full entry takes.


def save_build(
    store: BuildStore, state: BuildState, deadline: Deadline, meter: Meter, *, succeeded: bool
) -> BuildSaved:
    """Save what this job used and the store lacks. A failure is a warning in the result."""
    started = time.monotonic()
    use = _use_of(store, state, succeeded=succeeded)
    saved = use.figures
    if store.access.no_writing:
        saved = replace(saved, skipped_reason=store.access.no_writing)
    elif not has_compiled(state.gocache, use.made):
        saved = replace(saved, skipped_reason=notice("nothing-to-save", "compiled"))
    elif not succeeded and not state.base.ids and state.key.startswith(state.lineage.own):
        saved = replace(saved, skipped_reason=notice("nothing-to-save", "incomplete"))
    elif state.gave_up:
        saved = replace(saved, skipped_reason=notice("entry-too-slow"))
    else:
        saved = _uploaded(store, state, use, deadline, meter)
    return replace(saved, seconds=time.monotonic() - started)


@dataclass(frozen=True)
class _Use:
    """What a job used, as figures and as an entry, and the outputs that it made."""

    figures: BuildSaved
    made: Collection[Output]
    packing: Packing
    base: BuildBase | None  # what the entry adds to; None: it is full
    trimmed_bytes: int  # restored by the old entries, and not by the new one


def _use_of(store: BuildStore, state: BuildState, *, succeeded: bool) -> _Use:
    gocache, base = state.gocache, state.base
    found = listing(gocache)
    since = found.used_since(state.moment)
    whole = contents(gocache, found, since if succeeded else since | base.actions.keys())
    used = whole.only(one for one in since if _is_used(whole, found, state, one))
    fresh = used.only(action.id for action in used.actions.values() if base.actions.get(action.id) != action.output)
    made = fresh.without_outputs(frozenset(base.outputs))
    new = made.without_outputs(frozenset(base.replaced))
    unused = {one: size for one, size in base.outputs.items() if one not in used.outputs}
    similar = list(pairs(made.outputs.values(), (found.outputs[one] for one in unused if one in found.outputs)))
    replaced = frozenset(old.name.id for _, old in similar) if succeeded else frozenset()
    originals = ((one, _original(state, found, old)) for one, old in similar if one.name.id in new.outputs)
    patches = store.patches((one, old) for one, old in originals if old)
    delta = Packing(new, patches, (replaced | base.replaced.keys()) - used.outputs.keys())
    restored, left = sum(base.outputs.values()), sum(size for one, size in unused.items() if one not in replaced)
    is_shrinking = succeeded and left > restored * _MOST_UNUSED
    fits = _fits(base, delta) and not is_shrinking
    packing = delta if fits else Packing(whole)
    return _Use(
        figures=BuildSaved(
            used_files=used.files,
            used_bytes=used.bytes,
            restored_bytes=restored,
            restored_used_bytes=restored - sum(unused.values()),
            new_files=new.files,
            new_bytes=new.bytes,
        ),
        made=made.outputs.values(),
        packing=packing,
        base=base if fits else None,
        trimmed_bytes=sum(unused[one] for one in (replaced if fits else unused.keys() - whole.outputs.keys())),
    )


def _is_used(whole: Contents, found: Listing, state: BuildState, action: str) -> bool:
    """Return whether a job used an action. What others replaced may be in GOCACHE from a job before it."""
    known = whole.actions.get(action)
    return known is not None and (
        known.output not in state.base.replaced or found.times[action] > state.moment - _CLOCKS_DIFFER
    )


def _original(state: BuildState, found: Listing, output: Output) -> Old | None:
    """Return what a patch may be made from: this output, or if that is in a patch itself, its old one."""
    name = state.base.made_from.get(output.name.id, output.name.id)
    size = state.base.outputs.get(name, state.base.replaced.get(name))
    path = state.old / name
    with suppress(OSError):
        is_there = path.lstat()
        if stat.S_ISREG(is_there.st_mode) and is_there.st_size == size:
            return Old(name, path, size)
    known = found.outputs.get(name)
    return Old(name, state.gocache / known.name.path, size) if known and known.bytes == size else None


def _fits(base: BuildBase, delta: Packing) -> bool:
    """Return whether this can be a delta to the entries of `base`."""
    most = _LARGEST_DELTAS * base.full_bytes
    return (
        0 < len(base.ids) <= MOST_BELOW
        and base.delta_bytes <= most
        and delta.plain.bytes <= most
        and len(delta.replaced) <= _MOST_REPLACED
        and base.patch_bytes <= _LARGEST_PATCHES * base.full_bytes
    )


def _uploaded(store: BuildStore, state: BuildState, use: _Use, deadline: Deadline, meter: Meter) -> BuildSaved:
    key = store.key(state.lineage, use.packing, use.base)
    meter.say("packing and uploading")
    try:
        sent = store.save(state.gocache, use.packing, key, deadline, meter)
    except NotAllowed as no:
        return replace(use.figures, skipped_reason=no.notice)
    except StoreError as error:
        return replace(use.figures, skipped_reason=notice("store-failed"), warnings=(error.notice,))
    return replace(use.figures, is_full=use.base is None, trimmed_bytes=use.trimmed_bytes, key=key, bytes=sent)
