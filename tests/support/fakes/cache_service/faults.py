"""Failing on request: which calls, how, how often."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

# What can befall a call, besides any HTTP status. Where the answer is lost, its effect is not: a reservation whose
# answer was reset is made.
RESET = "reset"  # a TCP reset in place of an answer
SILENCE = "silence"  # no answer, the connection kept open
TRUNCATED = "truncated"  # half of the body that Content-Length promises
STUCK = "stuck"  # half of the body, then silence
DRIP = "drip"  # the body in small pieces, `CacheService.drip` seconds apart
MALFORMED = "malformed"  # 200, and half of some JSON
HTML = "html"  # 200, and a web page
WRONG_RANGE = "wrong range"  # the Content-Range of other bytes
WRONG_TOTAL = "wrong total"  # a Content-Range with another size of the whole
OTHER_ETAG = "other etag"  # bytes of another version of the blob
EVICTED = "evicted"  # of a blob: it is gone from now on. Of a look-up: it is gone right after the answer
EXPIRED = "expired"  # 403, as for a URL that has expired

_CALLS = {"lookup", "create", "finalize", "chunk", "list", "unknown"}
_BLOB_CALLS = {"blob.get", "blob.head", "blob.put", "blob.block", "blob.list"}
_ANYWHERE = frozenset({RESET, SILENCE, TRUNCATED, STUCK, DRIP, MALFORMED, HTML})
_OF_BLOBS = frozenset({WRONG_RANGE, WRONG_TOTAL, OTHER_ETAG, EVICTED, EXPIRED})
ANY_CALL: tuple[int | str, ...] = (401, 403, 404, 409, 412, 429, 500, 503, RESET, SILENCE, TRUNCATED, MALFORMED, HTML)
QUICK: tuple[int | str, ...] = (429, 500, 503, RESET, TRUNCATED, MALFORMED, 403, 404)


@dataclass
class Rule:
    """Calls of `route` fail with `action`: the first `skip` do not, then `times` do (None: all), each by lot.

    With `first_byte` it is about calls for ranges that begin there.
    """

    route: str
    action: int | str
    times: int | None
    skip: int = 0
    share: float = 1.0
    lot: random.Random = field(default_factory=lambda: random.Random(0))
    first_byte: int | None = None

    def befalls(self, route: str, wanted: str) -> bool:
        """Whether this call, for this range, is one of those that fail; counts it."""
        if self.route not in (route, "*") or self.times == 0:
            return False
        if self.first_byte is not None and not wanted.startswith(f"bytes={self.first_byte}-"):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.share < 1.0 and self.lot.random() >= self.share:
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class Faults:
    """The rules in force, and a share of all calls that fail by lot."""

    def __init__(self) -> None:
        self.retry_after = 30  # seconds, with every 429
        self._rules: list[Rule] = []
        self._share = 0.0
        self._lot = random.Random(0)
        self._actions: Sequence[int | str] = QUICK

    def add(
        self,
        route: str,
        action: int | str,
        times: int | None = 1,
        skip: int = 0,
        *,
        share: float = 1.0,
        seed: int = 0,
        first_byte: int | None = None,
    ) -> None:
        """Fail calls of a route (`*`: of all). Raises ValueError for what could never befall such a call."""
        fits = isinstance(action, int) or action in _ANYWHERE or (action in _OF_BLOBS and _has_blob(route, action))
        if route not in {"*"} | _CALLS | _BLOB_CALLS or not fits:
            raise ValueError(f"no call of {route!r} can meet {action!r}")
        self._rules.append(Rule(route, action, times, skip, share, random.Random(seed), first_byte))

    def by_lot(self, share: float, seed: int, actions: Sequence[int | str] = QUICK) -> None:
        """Fail this share of all calls."""
        self._share, self._lot, self._actions = share, random.Random(seed), actions

    @property
    def are_set(self) -> bool:
        """Whether any call may fail."""
        return bool(self._rules or self._share)

    def next(self, route: str, wanted: str = "") -> int | str | None:
        """What befalls this call, for this range: the first rule that applies, else the lot."""
        for rule in self._rules:
            if rule.befalls(route, wanted):
                return rule.action
        return self._lot.choice(self._actions) if self._lot.random() < self._share else None


def _has_blob(route: str, action: int | str) -> bool:
    if action == EVICTED:
        return route in ("*", "lookup") or route.startswith("blob.")
    return route == "*" or (route.startswith("blob.") if action == EXPIRED else route in ("blob.get", "blob.head"))
