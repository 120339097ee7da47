"""What `go mod download` alone would have made of the answers that we met: pure, and never in our own favour.

cmd/go asks the proxies in order, each once, and goes on after `,` only on 404 and 410, after `|` on any error. It knows
no limit for silence. It looks into a file only after that walk, so that a whole answer with wrong content ends it.
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
    """Whether Go would have ended (or hung) where we went on, as far as what we met tells.

    False where we do not know: a proxy we did not ask, a request that we cut, one that was lost before any reply (Go
    repeats it on a connection that was in use before), `direct` after the last `|`.
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
