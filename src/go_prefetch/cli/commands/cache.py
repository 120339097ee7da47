"""`go-prefetch cache`: print the path of the pool, or delete the pool."""

from __future__ import annotations

from pathlib import Path

from go_prefetch.base.format import counted, size
from go_prefetch.cli.commands.prune_pool import folder_errors
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import CacheAction, StoreKind
from go_prefetch.errors import InputError
from go_prefetch.prune.whole_pool import contents_of, delete


def cache(invocation: Invocation) -> int:
    """Print the path, or delete the pool and print what that freed. Raises PrefetchError."""
    pool = _pool(invocation)
    if invocation.texts["action"] == CacheAction.DIR.value:
        invocation.platform.show(str(pool), invocation.stdout)
        return 0
    with folder_errors(pool):
        contents = contents_of(pool)
        delete(pool, contents)
    count = counted(len(contents.names), "file")
    done = f"Deleted the pool {pool}: {count}, {size(contents.bytes)} freed."
    invocation.show_result(done if contents.names else f"Nothing to delete: there are no files in {pool}.")
    return 0


def _pool(invocation: Invocation) -> Path:
    store = invocation.settings().store
    if store.pool:
        return store.pool
    raise InputError("pool-unknown", "" if store.kind is StoreKind.AUTO else "no-folder", name="store", text=store.text)
