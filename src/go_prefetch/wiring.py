"""Choose the real parts for these settings."""

from __future__ import annotations

import threading

from go_prefetch.httpclient import HttpClient
from go_prefetch.ports import CacheStore
from go_prefetch.proxylist import ProxyList, parse_proxy_list
from go_prefetch.proxywalk import ProxyWalk
from go_prefetch.retry import Backoff, Deadline
from go_prefetch.settings import Settings
from go_prefetch.stores.directory_pool import DirectoryPool
from go_prefetch.stores.disabled import Disabled


def proxy_list(settings: Settings, goproxy: str) -> ProxyList:
    """The proxies to ask: the input, else what Go's environment says (`goproxy`). Raises InputError."""
    return parse_proxy_list(settings.goproxy or goproxy).with_fallback(settings.fallback)


def proxy_walk(settings: Settings, proxies: ProxyList, deadline: Deadline, cancelled: threading.Event) -> ProxyWalk:
    """A walk over `proxies` within the limits of the settings."""
    return ProxyWalk(
        proxies,
        HttpClient(settings.connect_timeout, settings.stall_timeout, cancelled.is_set),
        Backoff(settings.attempts),
        width=settings.jobs,
        deadline=deadline,
        pause=cancelled.wait,
    )


def cache_store(settings: Settings) -> CacheStore:
    """The store the settings ask for."""
    if settings.pool is None:
        return Disabled("store is none" if settings.store == "none" else "no cache folder is known (HOME is not set)")
    return DirectoryPool(settings.pool, takes_files=settings.save != "false")
