"""Failing on request: which calls, how, how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.fakes.answers import Delivery
from tests.support.fakes.cache_service.answers import Call
from tests.support.fakes.lot import Lot

# What can befall a call, besides any HTTP status. Where the answer is lost, its effect is not: a reservation whose
# answer was reset is made.
RESET = Delivery.RESET.value
SILENCE = Delivery.SILENCE.value
TRUNCATED = Delivery.TRUNCATED.value
STUCK = Delivery.STUCK.value
DRIP = Delivery.DRIP.value
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
    """Calls of `route` fail with one of `actions`: the first `skip` do not, then `times` do (None: all), each by lot.

    With `first_byte` it is about calls for ranges that begin there.
    """

    route: str
    actions: Sequence[int | str]
    times: int | None
    skip: int
    share: float
    lot: Lot
    first_byte: int | None

    def next(self, call: Call) -> int | str | None:
        """What befalls this call if it is one of those that fail; counts it."""
        if self.route not in (call.route, "*") or self.times == 0:
            return None
        if self.first_byte is not None and not call.range.startswith(f"bytes={self.first_byte}-"):
            return None
        if self.skip:
            self.skip -= 1
            return None
        drawn = self.lot.draw(f"{call.route} {call.range} {call.query.get('blockid', '')}")
        if drawn.random() >= self.share:
            return None
        self.times = None if self.times is None else self.times - 1
        return drawn.choice(self.actions)


class Faults:
    """The rules in force; of those that apply to a call, the first."""

    def __init__(self) -> None:
        self.retry_after = 30  # seconds, with every 429
        self._rules: list[Rule] = []

    def add(
        self,
        route: str,
        action: int | str | Sequence[int | str],
        times: int | None = 1,
        skip: int = 0,
        *,
        share: float = 1.0,
        seed: int = 0,
        first_byte: int | None = None,
    ) -> None:
        """Fail calls of a route (`*`: of all), with any of several actions. Raises ValueError for what cannot be."""
        actions = [action] if isinstance(action, (int, str)) else action
        if route not in {"*"} | _CALLS | _BLOB_CALLS or not all(_fits(route, one) for one in actions):
            raise ValueError(f"no call of {route!r} can meet {action!r}")
        self._rules.append(Rule(route, actions, times, skip, share, Lot(seed), first_byte))

    def clear(self) -> None:
        """Let everything succeed from now on."""
        self._rules.clear()

    @property
    def are_set(self) -> bool:
        """Whether any call may fail."""
        return bool(self._rules)

    def next(self, call: Call) -> int | str | None:
        """What befalls this call."""
        befalls = (rule.next(call) for rule in self._rules)
        return next((fault for fault in befalls if fault is not None), None)


def _fits(route: str, action: int | str) -> bool:
    return isinstance(action, int) or action in _ANYWHERE or (action in _OF_BLOBS and _has_blob(route, action))


def _has_blob(route: str, action: int | str) -> bool:
    if action == EVICTED:
        return route in ("*", "lookup") or route.startswith("blob.")
    return route == "*" or (route.startswith("blob.") if action == EXPIRED else route in ("blob.get", "blob.head"))
