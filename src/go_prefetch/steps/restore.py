"""Ask the store for what the module cache lacks. A store that fails is a miss."""

from __future__ import annotations

from go_prefetch.errors import StoreError
from go_prefetch.ports import CacheStore
from go_prefetch.results import Plan, Restored
from go_prefetch.retry import Deadline


def restore(store: CacheStore, plan: Plan, deadline: Deadline) -> Restored:
    """What the store had of the plan's missing files, now in the module cache. Asks nothing if nothing is missing."""
    if not plan.missing:
        return Restored(store.name)
    try:
        return store.restore(plan.missing, plan.folder, deadline)
    except StoreError as error:
        return Restored(store.name, warnings=(f"{error.message}. {error.hint}",))
