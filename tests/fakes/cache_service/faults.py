"""Failing on request: which calls, how, how often."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# What can befall a call, besides any HTTP status.
RESET = "reset"  # a TCP reset in place of an answer
SILENCE = "silence"  # no answer, the connection kept open
TRUNCATED = "truncated"  # half of the body that Content-Length promises
STUCK = "stuck"  # half of the body, then silence
MALFORMED = "malformed"  # 200, and half of some JSON
HTML = "html"  # 200, and a web page
WRONG_RANGE = "wrong range"  # the Content-Range of other bytes
WRONG_TOTAL = "wrong total"  # a Content-Range with another size of the whole
OTHER_ETAG = "other etag"  # bytes of another version of the blob
EVICTED = "evicted"  # the blob is gone from now on
EXPIRED = "expired"  # 403, as for a URL that has expired

ANY_CALL: tuple[int | str, ...] = (401, 403, 404, 409, 412, 429, 500, 503, RESET, SILENCE, TRUNCATED, MALFORMED, HTML)
QUICK: tuple[int | str, ...] = (429, 500, 503, RESET, TRUNCATED, MALFORMED, 403, 404)


@dataclass
class Rule:
    """Calls of `route` fail with `action`: the first `skip` do not, then `times` do (None: all)."""

    route: str
    action: int | str
    times: int | None
    skip: int = 0


class Faults:
    """The rules in force, and a share of all calls that fail by lot."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._share = 0.0
        self._lot = random.Random(0)
        self._actions: Sequence[int | str] = QUICK

    def add(self, route: str, action: int | str, times: int | None = 1, skip: int = 0) -> None:
        """Fail calls of a route (`*`: of all)."""
        self._rules.append(Rule(route, action, times, skip))

    def by_lot(self, share: float, seed: int, actions: Sequence[int | str] = QUICK) -> None:
        """Fail this share of all calls."""
        self._share, self._lot, self._actions = share, random.Random(seed), actions

    def next(self, route: str) -> int | str | None:
        """What befalls this call."""
        for rule in self._rules:
            if rule.route not in (route, "*") or rule.times == 0:
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            rule.times = None if rule.times is None else rule.times - 1
            return rule.action
        return self._lot.choice(self._actions) if self._lot.random() < self._share else None
