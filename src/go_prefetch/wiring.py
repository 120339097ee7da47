"""Choose the real parts for these settings."""

from __future__ import annotations

import threading
from pathlib import Path

from go_prefetch.ports import CacheStore
from go_prefetch.proxylist import ProxyList, parse_proxy_list
from go_prefetch.proxywalk import Get, ProxyWalk
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
        _LateClient(settings, cancelled).get,
        Backoff(settings.attempts),
        width=settings.jobs,
        deadline=deadline,
        pause=cancelled.wait,
    )


class _LateClient:
    """An HttpClient made with the first request: a run that has nothing to ask need not import requests (0.1 s)."""

    def __init__(self, settings: Settings, cancelled: threading.Event) -> None:
        self._settings = settings
        self._cancelled = cancelled
        self._lock = threading.Lock()
        self._get: Get | None = None

    def get(self, url: str, destination: Path, max_bytes: int, deadline: Deadline) -> int:
        """As HttpClient.get."""
        with self._lock:
            if self._get is None:
                from go_prefetch.httpclient import HttpClient  # noqa: PLC0415

                limits = (self._settings.connect_timeout, self._settings.stall_timeout)
                self._get = HttpClient(*limits, self._cancelled.is_set).get
        return self._get(url, destination, max_bytes, deadline)


def cache_store(settings: Settings, proxies: ProxyList) -> CacheStore:
    """The store the settings ask for; what it remembers of proxies is about this list."""
    if settings.pool is None:
        return Disabled("store is none" if settings.store == "none" else "no cache folder is known (HOME is not set)")
    return DirectoryPool(settings.pool, asked=proxies.shown, takes_files=settings.save != "false")
