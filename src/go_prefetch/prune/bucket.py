"""Trim a pool in a bucket by the age of its objects, as a lifecycle rule does where a storage has those.

A bucket does not know when an object was last read. So an item is as old as its newest object, and what jobs use still
goes once it is old. The next job saves it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from go_prefetch.base.crew import Crew
from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import file_in_pool
from go_prefetch.prune.pool import ItemKind, PoolItem
from go_prefetch.stores.cache_service.entry_objects import lineage_of
from go_prefetch.stores.objects.bundle import is_about_key
from go_prefetch.stores.objects.port import ObjectInfo, ObjectStorage
from go_prefetch.stores.objects.repacked import zip_of_repacked

_AT_ONCE = 32


def list_bucket(storage: ObjectStorage, deadline: Deadline) -> list[PoolItem]:
    """Return what runs put into the pool. Objects of others do not count. Raises ObjectError."""
    groups: dict[tuple[str, ItemKind], list[ObjectInfo]] = {}
    for info in storage.entries("", deadline):
        if owner := _owner(info.name):
            groups.setdefault(owner, []).append(info)
    return [
        PoolItem(
            title=title,
            names=tuple(sorted((one.name for one in found), key=lambda name: (not name.endswith(".zip"), name))),
            bytes=sum(one.bytes for one in found),
            used=max(one.modified for one in found),
            kind=kind,
        )
        for (title, kind), found in groups.items()
    ]


def remove_from_bucket(
    storage: ObjectStorage, items: Iterable[PoolItem], deadline: Deadline, removed: Callable[[int], None]
) -> None:
    """Remove items, a module's zip first. `removed` is called with their number so far. Raises ObjectError."""
    crew = Crew("remove", partial(_remove, storage, deadline), deadline, items)
    count = 0
    try:
        while crew.left:
            outcome = crew.take(_AT_ONCE)
            if isinstance(outcome, Exception):
                raise outcome
            count += outcome or 0
            removed(count)
    finally:
        crew.dismiss(seconds=1.0)


def _remove(storage: ObjectStorage, deadline: Deadline, item: PoolItem) -> int:
    for name in item.names:
        storage.remove(name, deadline)
    return 1


def _owner(name: str) -> tuple[str, ItemKind] | None:
    """Return the title and the kind of the item of an object; None for an object of others."""
    if file := file_in_pool(name) or zip_of_repacked(name):
        return str(file.module), ItemKind.MODULE
    if lineage := lineage_of(name):
        return lineage, ItemKind.BUILD_CACHE
    return (name, ItemKind.BUNDLE) if is_about_key(name) else None
