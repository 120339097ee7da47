"""What `go mod download` alone would have done with the same answers: pure, and never in favour of go-prefetch.

cmd/go requests a file from the proxies in order, once each. It goes on after `,` only on 404 and 410, and after `|` on
any error. It has no limit for silence. It parses a file only after that walk, so a complete answer with wrong content
ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from go_prefetch.base.retry import AttemptError
from go_prefetch.golang.goproxy import Ending, Proxy


@dataclass(frozen=True)
class Asked:
    """One request at one proxy, and why it brought nothing; None if it did."""

    proxy: Proxy
    error: AttemptError | None


def ends_at(asked: Sequence[Asked], proxies: Sequence[Proxy], ending: Ending) -> bool:
    """Return whether Go would have failed (or hung) where go-prefetch went on.

    False if that is unknown: a proxy without a request, a cancelled request, a connection lost before any reply (Go
    repeats a request on a reused connection), or `direct` after the last `|`.
    """
    for number, proxy in enumerate(proxies):
        errors = [one.error for one in asked if one.proxy is proxy]
        first = errors[0] if errors else None
        if first is None or first.kind == "overtaken":
            return False
        if first.not_found:
            continue
        if first.kind == "lost" and not (len(errors) > 1 and errors[1] and errors[1].kind == "lost"):
            return False
        if first.kind in ("silent", "content"):
            return True
        is_last = number == len(proxies) - 1
        if not proxy.goes_on_in_go or (is_last and ending != "direct"):
            return True
    return False
