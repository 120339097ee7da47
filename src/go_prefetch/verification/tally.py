"""What the quarantine counts while several threads bring zips in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping

from go_prefetch.golang.modcache import Identity
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.results import Deferral


class Tally:
    """The zips that were brought in, and the number left to Go. Safe to use from any thread."""

    def __init__(self, left: Counter[Deferral]) -> None:
        self._lock = threading.Lock()
        self._left = left
        self._taken: dict[ModuleVersion, Identity] = {}  # to the identity of the zip

    def begin(self, version: ModuleVersion, identity: Identity) -> bool:
        """Record a zip that is to be brought in. Return False if it was recorded before."""
        with self._lock:
            if version in self._taken:
                return False
            self._taken[version] = identity
            return True

    def give_up(self, version: ModuleVersion, reason: Deferral) -> None:
        """Leave a zip to Go that could not be brought in."""
        with self._lock:
            del self._taken[version]
            self._left[reason] += 1

    def leave(self, reason: Deferral, count: int) -> None:
        """Leave zips to Go."""
        with self._lock:
            self._left[reason] += count

    @property
    def taken(self) -> dict[ModuleVersion, Identity]:
        """Return a copy of what was brought in, because a late thread may add to it."""
        with self._lock:
            return dict(self._taken)

    @property
    def left(self) -> dict[Deferral, int]:
        """Return the number of zips left to Go, by reason."""
        with self._lock:
            return {reason: count for reason, count in self._left.items() if count}


class Unverified:
    """Trees that are unpacked and not yet compared with go.sum, and their bytes. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trees: dict[ModuleVersion, int] = {}

    def add(self, trees: Mapping[ModuleVersion, int]) -> None:
        """Record trees that are now unpacked."""
        with self._lock:
            self._trees.update(trees)

    def take(self, *, least: int = 0) -> Collection[ModuleVersion]:
        """Return all of them, and forget them. If they have less than `least` bytes together, return none."""
        with self._lock:
            if sum(self._trees.values()) < least:
                return ()
            taken, self._trees = self._trees, {}
            return taken.keys()
