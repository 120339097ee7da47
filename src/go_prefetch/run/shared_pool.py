"""Choose the storage of a pool that many machines share: a bucket or an HTTP server, or a folder of this one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from go_prefetch.base.retry import AttemptError, Backoff
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.config.choices import StoreKind
from go_prefetch.config.settings import Settings
from go_prefetch.errors import Notice, StoreError
from go_prefetch.golang.goproxy import ProxyList
from go_prefetch.model.ci_job import in_ci
from go_prefetch.stores.cache_service.compression import Encoding, best_encoding
from go_prefetch.stores.objects.credentials import BucketOptions, bucket_options
from go_prefetch.stores.objects.pool import ObjectPool
from go_prefetch.stores.objects.port import ObjectStorage
from go_prefetch.stores.objects.writers import pool_not_saved_because

if TYPE_CHECKING:
    from go_prefetch.stores.cache_service.build_store import BuildStore

_LONGEST_SILENCE = 10.0  # seconds without an answer after which a bucket counts as dead


def shared_pool(
    settings: Settings, proxies: ProxyList, environ: Mapping[str, str], trace: Trace = UNTRACED
) -> ObjectPool:
    """Return the pool at the URL of the settings; its records about proxies are for this list."""
    connect = cache(partial(storage, settings, environ, trace))
    not_saved = _not_saved_because(settings, environ)
    return ObjectPool(settings.store.url, connect, best_encoding(environ), proxies=proxies.shown, not_saved=not_saved)


def bucket_entries(settings: Settings, encoding: Encoding, run: str, environ: Mapping[str, str]) -> BuildStore:
    """Return the store of build results in the bucket of the settings. `run` makes the keys of this run its own."""
    from go_prefetch.stores.cache_service.build_store import Access, BuildStore  # noqa: PLC0415
    from go_prefetch.stores.cache_service.entry_objects import object_connection  # noqa: PLC0415

    connect = cache(lambda: object_connection(storage(settings, environ), encoding.name))
    access = Access(run, None, _not_saved_because(settings, environ))
    return BuildStore(settings.store.url, connect, encoding, access)


def storage(settings: Settings, environ: Mapping[str, str], trace: Trace = UNTRACED) -> ObjectStorage:
    """Return the objects of the pool of the settings, of which there must be one. Raises StoreError."""
    # Imported late, because a run needs one of them.
    if settings.store.kind is StoreKind.BUCKET:
        return _bucket(settings, environ)
    if settings.store.kind is StoreKind.HTTP:
        return _http_server(settings, trace)
    from go_prefetch.stores.objects.folder import FolderObjects  # noqa: PLC0415

    return FolderObjects(cast(Path, settings.store.pool))


def _bucket(settings: Settings, environ: Mapping[str, str]) -> ObjectStorage:
    from go_prefetch.stores.objects.bucket import Bucket, BucketLimits  # noqa: PLC0415

    silence = min(settings.stall_timeout, _LONGEST_SILENCE)
    limits = BucketLimits(settings.connect_timeout, silence, settings.restore_deadline)
    options = _bucket_options(settings, environ)
    login = f"{options.way.value}, {options.unused} not usable" if options.unused else options.way.value
    return Bucket(settings.store.url, options.config, limits, login)


def _bucket_options(settings: Settings, environ: Mapping[str, str]) -> BucketOptions:
    return bucket_options(urlsplit(settings.store.url).scheme, environ)


def _not_saved_because(settings: Settings, environ: Mapping[str, str]) -> Notice | None:
    if settings.store.kind is StoreKind.BUCKET:
        has_login = _bucket_options(settings, environ).may_write
    else:
        # A server for the runners of a private network may need no login. A developer's machine only reads there.
        web = settings.web.for_server(settings.store.url, settings.store_login)
        has_login = in_ci(environ) or bool(web.authorization_for(settings.store.url))
    return pool_not_saved_because(settings.save, environ, has_login=has_login)


def _http_server(settings: Settings, trace: Trace) -> ObjectStorage:
    from go_prefetch.run.wiring import STORE_LIMIT, http_client  # noqa: PLC0415
    from go_prefetch.stores.objects.http_server import HttpServer  # noqa: PLC0415

    url = settings.store.url
    try:
        web = settings.web.for_server(url, settings.store_login)
        client = http_client(settings, web, trace, limit=STORE_LIMIT)
    except AttemptError as error:
        raise StoreError("store-unreachable", "objects", store=url, words=str(error)) from None
    return HttpServer(url, client, Backoff(settings.attempts))
