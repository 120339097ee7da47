"""Choose the real parts for these settings."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, BinaryIO

from go_prefetch.base.retry import AttemptError, Backoff, Budget, Deadline
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.config.choices import StoreKind, When
from go_prefetch.config.settings import Settings
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.goproxy import ProxyList, parse_proxy_list
from go_prefetch.model.build_cache_rule import off_because, unusable_because
from go_prefetch.model.cache_key import hexadecimal
from go_prefetch.model.ci_job import job_name
from go_prefetch.model.ports import Announced, Arrived, CacheStore, Saving, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, Saved
from go_prefetch.proxies.attempt import Get
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.stores.cache_service.endpoint import INTERCEPTED_NAMES, CacheEndpoint, not_offered
from go_prefetch.web.in_flight import Received, Timeouts, Wire

if TYPE_CHECKING:
    from go_prefetch.run.build_job import BuildJob
    from go_prefetch.stores.cache_service.build_store import BuildStore
    from go_prefetch.stores.cache_service.compression import Encoding
    from go_prefetch.stores.cache_service.reading import Connection
    from go_prefetch.web.client import HttpClient
    from go_prefetch.web.http_settings import HttpSettings


# Why there is no store for build results. The default pool is on the same machine as GOCACHE.
_NO_BUILD_STORE: Mapping[StoreKind, tuple[str, ...]] = {
    StoreKind.AUTO: ("build-cache-off", "unshared"),
    StoreKind.GITHUB: ("no-cache-service",),
    StoreKind.NONE: ("store-none",),
    StoreKind.HTTP: ("build-cache-off", "no-listing"),
}
STORE_LIMIT = 5.0  # seconds that a request waits for a limit of a store; the proxies have the files too


def proxy_list(settings: Settings, goproxy: str) -> ProxyList:
    """Return the proxies: the input, or else those of Go's environment (`goproxy`). Raises InputError."""
    return parse_proxy_list(settings.goproxy or goproxy).with_fallback(settings.fallback)


def begin_budget(settings: Settings) -> Budget:
    """Return the budget of the settings. Its time begins now."""
    return Budget(Deadline.after(settings.deadline), Backoff(settings.attempts), settings.jobs)


def proxy_walk(settings: Settings, proxies: ProxyList, budget: Budget, trace: Trace = UNTRACED) -> ProxyWalk:
    """Return a walk over `proxies` within the limits of the settings."""
    return ProxyWalk(proxies, _LateClient(settings, proxies, trace).get, budget)


class _LateClient:
    """An HttpClient that is created for the first request: other runs need not import requests (0.1 s)."""

    def __init__(self, settings: Settings, proxies: ProxyList, trace: Trace) -> None:
        self._settings = settings
        self._web = replace(settings.web, named_hosts=proxies.named_hosts)
        self._trace = trace
        self._lock = threading.Lock()
        self._get: Get | None = None

    def get(self, url: str, out: BinaryIO, max_bytes: int, deadline: Deadline, wire: Wire) -> Received:
        """Do as Transfer.get."""
        with self._lock:
            if self._get is None:
                from go_prefetch.web.transfer import Transfer  # noqa: PLC0415

                self._get = Transfer(http_client(self._settings, self._web, self._trace)).get
        return self._get(url, out, max_bytes, deadline, wire)


def http_client(
    settings: Settings, web: HttpSettings, trace: Trace, *, limit: float = math.inf, trusted_origin: str = ""
) -> HttpClient:
    """Return a client within the limits of the settings. A request waits up to `limit` seconds for one of its server.

    With `trusted_origin` it is for that server and those it names, and the caller authenticates.

    Raises AttemptError for certificates that are not readable.
    """
    from go_prefetch.web.client import HttpClient  # noqa: PLC0415

    return HttpClient(
        Timeouts(settings.connect_timeout, settings.stall_timeout, limit),
        web=web,
        caller_authenticates=bool(trusted_origin),
        trusted_origin=trusted_origin,
        trace=trace,
    )


@dataclass(frozen=True)
class NullStore:
    """A store without files that saves nothing."""

    reason: Notice
    name: str = "no store"
    has_single_files: bool = False

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        """Return nothing."""
        del wanted, deadline, arrived, announced
        return Restored(self.name, skipped_reason=self.reason)

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        """Save nothing."""
        del saving, deadline, meter
        return Saved(skipped_reason=self.reason)


def cache_store(
    settings: Settings,
    proxies: ProxyList,
    endpoint: CacheEndpoint | None,
    environ: Mapping[str, str],
    trace: Trace = UNTRACED,
    tell: Callable[[Notice], None] = lambda _: None,
) -> CacheStore:
    """Return the store of the settings; its records about proxies are for this list.

    `endpoint` is the cache service in reach. A zstd program is found and run with `environ`. `tell` is called with the
    first failed attempt at the service.
    """
    store = settings.store
    if store.takes_cache_service and endpoint:
        return _cache_service(settings, proxies, endpoint, environ, trace, tell)
    unoffered = not_offered(environ)
    if store.kind is StoreKind.GITHUB:
        return NullStore(unoffered or notice("no-cache-service"))
    if store.kind is StoreKind.NONE:
        return NullStore(notice("store-none"))
    from go_prefetch.stores.directory_pool import DirectoryPool  # noqa: PLC0415

    in_place_of = unoffered if store.kind is StoreKind.AUTO else None
    takes_files = settings.save is not When.NEVER
    pool = store.pool and DirectoryPool(
        store.pool, proxies=proxies.shown, takes_files=takes_files, in_place_of=in_place_of
    )
    if not store.url:
        return pool or NullStore(notice("no-cache-folder"))
    from go_prefetch.run.shared_pool import shared_pool  # noqa: PLC0415
    from go_prefetch.stores.tiered import TieredStore  # noqa: PLC0415

    shared = shared_pool(settings, proxies, environ, trace)
    return TieredStore(pool, shared) if pool else shared


def _cache_service(
    settings: Settings,
    proxies: ProxyList,
    endpoint: CacheEndpoint,
    environ: Mapping[str, str],
    trace: Trace,
    tell: Callable[[Notice], None],
) -> CacheStore:
    # Imported late, as all below: only runs with such a service need tar, threads and zstd.
    from go_prefetch.stores.cache_service.compression import best_encoding  # noqa: PLC0415
    from go_prefetch.stores.cache_service.store import CacheServiceStore  # noqa: PLC0415

    encoding = best_encoding(environ)
    connect = _connecting(settings, endpoint, encoding, trace, tell)
    return CacheServiceStore(endpoint, encoding, connect, save=settings.save, proxies=proxies.shown)


def build_job(
    settings: Settings,
    environment: GoEnvironment,
    endpoint: CacheEndpoint | None,
    environ: Mapping[str, str],
    trace: Trace = UNTRACED,
    tell: Callable[[Notice], None] = lambda _: None,
) -> BuildJob | Notice:
    """Return the build cache of this job, or why it is off."""
    from go_prefetch.run.build_job import BuildJob  # noqa: PLC0415

    if settings.build_cache is When.NEVER:
        return notice("build-cache-off", "input")
    if off := unusable_because(environment.gocache, environment.gocacheprog):
        return off
    uses_service = bool(endpoint) and settings.store.takes_cache_service
    is_shared = uses_service or settings.store.kind in (StoreKind.POOL, StoreKind.BUCKET)
    mode = endpoint.mode if uses_service and endpoint and not endpoint.may_read else ""
    if settings.build_cache is When.AUTO and (off := off_because(environ, is_shared=is_shared, cache_mode=mode)):
        return off
    store = build_store(settings, endpoint, environ, trace, tell)
    if isinstance(store, Notice):
        return store
    name = job_name(settings.build_cache_name, environ, settings.matrix)
    return BuildJob(store, settings, environ, environment, name)


def build_store(
    settings: Settings,
    endpoint: CacheEndpoint | None,
    environ: Mapping[str, str],
    trace: Trace = UNTRACED,
    tell: Callable[[Notice], None] = lambda _: None,
) -> BuildStore | Notice:
    """Return the store of build results, or why there is none. The arguments are those of `cache_store`."""
    from go_prefetch.stores.cache_service.build_store import Access, BuildStore  # noqa: PLC0415
    from go_prefetch.stores.cache_service.compression import best_encoding  # noqa: PLC0415

    encoding = best_encoding(environ)
    if settings.store.takes_cache_service and endpoint:
        from go_prefetch.stores.cache_service.store import CacheServiceStore  # noqa: PLC0415

        connect = _connecting(settings, endpoint, encoding, trace, tell)
        access = Access(endpoint.run, endpoint.no_reading, endpoint.no_writing(settings.save))
        return BuildStore(CacheServiceStore.name, connect, encoding, access)
    carried = settings.build_cache_carried
    if settings.store.kind is StoreKind.BUCKET and not carried:
        from go_prefetch.run.shared_pool import bucket_entries  # noqa: PLC0415

        return bucket_entries(settings, encoding, _run_of(endpoint), environ)
    pool = carried or (settings.store.pool if settings.store.kind is StoreKind.POOL else None)
    if pool is None:
        return not_offered(environ) or notice(*_NO_BUILD_STORE[settings.store.kind])
    from go_prefetch.stores.cache_service.entry_folder import folder_connection  # noqa: PLC0415

    access = Access(_run_of(endpoint), None, notice("save-disabled") if settings.save is When.NEVER else None)
    connect = partial(folder_connection, pool, encoding.name, is_shared=carried is None)
    return BuildStore(f"directory pool {pool}", connect, encoding, access)


def _run_of(endpoint: CacheEndpoint | None) -> str:
    """Return what makes the keys of this run its own: that of the runner, or the time."""
    return endpoint.run if endpoint else f"{time.time_ns() // 1000}.{os.getpid()}"


def _connecting(
    settings: Settings,
    endpoint: CacheEndpoint,
    encoding: Encoding,
    trace: Trace,
    tell: Callable[[Notice], None],
) -> Callable[[], Connection]:
    """Return what connects to the cache service when it is called first."""

    @cache
    def connect() -> Connection:
        from go_prefetch.stores.cache_service.protocol import Exchange  # noqa: PLC0415
        from go_prefetch.stores.cache_service.protocol_v1 import RestService  # noqa: PLC0415
        from go_prefetch.stores.cache_service.protocol_v2 import TwirpService  # noqa: PLC0415
        from go_prefetch.stores.cache_service.range_reader import Blob, RangeReader  # noqa: PLC0415
        from go_prefetch.stores.cache_service.reading import Connection  # noqa: PLC0415

        try:
            web = replace(settings.web, local_names=INTERCEPTED_NAMES)
            client = http_client(settings, web, trace, limit=STORE_LIMIT, trusted_origin=endpoint.url)
        except AttemptError as error:
            raise StoreError("store-unreachable", "certificates", words=str(error)) from None
        backoff = Backoff(settings.attempts)
        protocol = RestService if endpoint.protocol == "v1" else TwirpService
        return Connection(
            protocol(endpoint, hexadecimal(encoding.name), Exchange(client, backoff, tell)),
            lambda url, renew, deadline, ranges: RangeReader(client, Blob(url, renew), backoff, deadline, ranges),
        )

    return connect
