"""`go-prefetch prune --pool`: trim a pool in a folder by last use, or one in a bucket by age."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from go_prefetch.base.format import counted, size
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import clear_dead_runs
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import StoreChoice
from go_prefetch.config.forge_inputs import PruneSettings
from go_prefetch.errors import DownloadError, StoreError
from go_prefetch.modfiles.managed_folder import place_of
from go_prefetch.prune.pool import (
    ItemKind,
    PoolItem,
    choose_items,
    list_build_caches,
    list_modules,
    remove,
    remove_empty_folders,
)
from go_prefetch.stores.objects.intake import trouble_error
from go_prefetch.stores.objects.port import ObjectError


def prune_folder(settings: PruneSettings, pool: Path, invocation: Invocation) -> None:
    """Trim a folder. Raises PrefetchError."""
    with folder_errors(pool):
        items = [*list_modules(pool), *list_build_caches(pool)]
    limits = "--max-age or --max-size"
    _prune_pool(
        settings, f"{pool} has {_count(items)}. Trim it with {limits}.", items, partial(_removed, pool), invocation
    )


def prune_bucket(settings: PruneSettings, bucket: StoreChoice, invocation: Invocation) -> int:
    """Trim a bucket by age, and return the exit status: 1 if it cannot be read, or not be changed."""
    from go_prefetch.prune.bucket import list_bucket, remove_from_bucket  # noqa: PLC0415 - few need it
    from go_prefetch.run.shared_pool import storage  # noqa: PLC0415

    platform, deadline = invocation.platform, Deadline()

    def remove_all(chosen: list[PoolItem]) -> list[PoolItem]:
        with platform.working("Prune") as meter:
            remove_from_bucket(objects, chosen, deadline, lambda count: meter.say(f"deleted {count} of {len(chosen)}"))
        return chosen

    try:
        objects = storage(replace(invocation.settings(), store=bucket), invocation.environ)
        with platform.working("Prune") as meter:
            meter.say("listing the bucket")
            items = list_bucket(objects, deadline)
        _prune_pool(
            settings, f"{bucket.url} has {_count(items)}. Trim it with --max-age.", items, remove_all, invocation
        )
    except ObjectError as error:
        platform.error(trouble_error(bucket.url, error).notice)
        return 1
    except StoreError as error:
        platform.error(error.notice)
        return 1
    return 0


def _prune_pool(
    settings: PruneSettings,
    summary: str,
    items: list[PoolItem],
    remove_all: Callable[[list[PoolItem]], list[PoolItem]],
    invocation: Invocation,
) -> None:
    """Remove what is over the limits. Without limits, show the `summary`."""
    line = partial(_item_line, "saved" if settings.bucket else "last used")
    if settings.max_age is None and settings.max_size is None:
        list_lines(map(line, sorted(items, key=lambda one: one.used)), invocation)
        invocation.show_result(summary)
        return
    chosen = choose_items(items, settings.max_age, settings.max_size, time.time())
    list_lines(map(line, chosen), invocation)
    removed = remove_all(chosen) if settings.delete else chosen
    conclude(settings, f"{_count(removed)} of {_count(items)}", invocation, any_chosen=bool(chosen))


def _count(items: list[PoolItem]) -> str:
    kinds = Counter(one.kind for one in items)
    parts = [counted(kinds[kind], kind.value) for kind in ItemKind if kinds[kind] or kind is ItemKind.MODULE]
    *first, last = parts
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{listed} ({size(sum(one.bytes for one in items))})"


def _item_line(used: str, one: PoolItem) -> str:
    when = datetime.fromtimestamp(one.used, timezone.utc)
    return f"{one.title}  {size(one.bytes)}, {used} {when:%Y-%m-%d}"


def _removed(pool: Path, chosen: list[PoolItem]) -> list[PoolItem]:
    clear_dead_runs(pool)
    with folder_errors(pool):
        removed = [one for one in chosen if remove(pool, one)]
        remove_empty_folders(pool)
    return removed


@contextmanager
def folder_errors(pool: Path) -> Iterator[None]:
    """Name the pool in errors of its files. Errors of the output pass."""
    try:
        yield
    except OSError as error:
        raise DownloadError("folder-unwritable", "pool", place=place_of(error, pool), words=error.strerror) from None


def list_lines(lines: Iterable[str], invocation: Invocation) -> None:
    """Print lines in verbose mode."""
    if invocation.arguments.verbose:
        for line in lines:
            invocation.platform.show(line, invocation.stdout)


def conclude(settings: PruneSettings, counts: str, invocation: Invocation, *, any_chosen: bool) -> None:
    """Print what was deleted, or would be."""
    done = "Deleted" if settings.delete else "Would delete"
    next_step = " -v lists them, and --delete deletes them." if any_chosen and not settings.delete else ""
    invocation.show_result(f"{done} {counts}.{next_step}")
