"""Ask the store for what the module cache lacks. A store that fails is a miss."""

from __future__ import annotations

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Arrived, CacheStore, Wanted
from go_prefetch.model.results import Restored
from go_prefetch.modfiles.managed_folder import folder_error


def restore(store: CacheStore, plan: Plan, deadline: Deadline, arrived: Arrived) -> Restored:
    """What the store had of the plan's missing files, now in the module cache. Asks nothing if nothing is missing.

    Raises DownloadError where the module cache cannot be written or is full.
    """
    if not plan.missing:
        return Restored(store.name)
    try:
        return store.restore(Wanted(plan.key, plan.missing, plan.folder), deadline, arrived)
    except StoreError as error:
        return Restored(store.name, warnings=(error.notice,))
    except OSError as error:
        raise folder_error(error, plan.folder.path) from None
