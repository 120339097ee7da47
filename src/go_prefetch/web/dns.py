"""Look up names within a time limit, because the system's own look-up has none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from go_prefetch.web.addresses import address_of

# As socket.getaddrinfo returns them: family, type, protocol, canonical name, address.
AddressInfo = tuple[Any, Any, int, str, Any]
Lookup = Callable[..., "list[AddressInfo]"]

_KEPT_SECONDS = 60.0


class Resolver:
    """Looks up names, each in one background thread at a time, and caches the answers for a minute.

    Addresses that failed last come last, so that a retry starts with another address of the same name.
    """

    def __init__(self, lookup: Lookup = socket.getaddrinfo, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._lookup = lookup
        self._kept_seconds = kept_seconds
        self._known: dict[tuple[str, int], _Answer] = {}
        self._failures: dict[str, int] = {}  # in a row, by address
        self._lock = threading.Lock()

    def addresses(self, host: str, port: int, seconds: float) -> list[AddressInfo]:
        """Return the addresses of `host`. Raises socket.gaierror for an unknown name, or if no answer comes in time."""
        if address_of(host):
            return self._lookup(host, port, 0, socket.SOCK_STREAM)
        with self._lock:
            answer = self._known.get((host, port))
            if answer is None or answer.is_older_than(self._kept_seconds):
                answer = self._known[host, port] = _Answer()
                arguments = (self._lookup, host, port)
                threading.Thread(target=answer.look_up, args=arguments, daemon=True).start()
        if not answer.done.wait(seconds):
            raise socket.gaierror(socket.EAI_AGAIN, f"no answer within {seconds:g}s for {host}")
        if answer.error:
            raise answer.error
        return sorted(answer.addresses, key=lambda row: self._failures.get(str(row[4][0]), 0))

    def failed(self, address: str) -> None:
        """Note that there was no connection to an address, or no answer from it."""
        with self._lock:
            self._failures[address] = self._failures.get(address, 0) + 1

    def answered(self, address: str) -> None:
        """Note that an address has answered."""
        with self._lock:
            self._failures.pop(address, None)


class _Answer:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: list[AddressInfo] = []
        self.error: OSError | None = None
        self._began = time.monotonic()

    def look_up(self, lookup: Lookup, host: str, port: int) -> None:
        try:
            self.addresses = lookup(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that no name can have
            self.error = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
        finally:
            self.done.set()

    def is_older_than(self, seconds: float) -> bool:
        """Return whether to look up the name again. An error is not cached."""
        return time.monotonic() - self._began > seconds or (self.done.is_set() and self.error is not None)
