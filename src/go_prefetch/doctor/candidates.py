"""Which sources are measured, and which of them get requests for this project's modules. Pure.

A `,` after a proxy that is not a well-known public one protects paths: Go asks the next proxy only for modules that
this one does not have. Doctor would ask for all modules, so it uses a public module there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from go_prefetch.errors import InputError
from go_prefetch.golang.goproxy import Proxy, ProxyList, parse_proxy_list, redact


@dataclass(frozen=True)
class Candidate:
    """A proxy of the list, or of `--also`. The order within a `group` may change."""

    proxy: Proxy
    role: Literal["list", "also"]
    group: int
    is_guarded: bool  # behind a `,` that protects paths
    guards: bool  # such a `,` follows


def candidates(proxies: ProxyList, also: Sequence[Proxy]) -> tuple[Candidate, ...]:
    """Return each proxy once, those of the list first."""
    found: dict[str, Candidate] = {}
    group = 0
    protecting = [not proxy.on_any_error and not proxy.is_well_known_public for proxy in proxies.proxies]
    public_besides = any(proxy.is_well_known_public for proxy in also)
    for at, proxy in enumerate(proxies.proxies):
        guards = protecting[at] and (public_besides or at + 1 < len(protecting))
        found.setdefault(proxy.url, Candidate(proxy, "list", group, is_guarded=group > 0, guards=guards))
        group += guards
    last = max((candidate.group for candidate in found.values()), default=0)
    for proxy in also:
        # A private host on the command line is trusted like the list. A public one may be there by habit.
        behind = any(protecting) and proxy.is_well_known_public
        own = Candidate(proxy, "also", group if behind else last, is_guarded=behind, guards=False)
        found.setdefault(proxy.url, own)
    return tuple(sorted(found.values(), key=lambda candidate: candidate.group))


def parse_also(text: str) -> Proxy:
    """Return the proxy of one `--also`. Raises InputError unless it is exactly one URL."""
    try:
        named = parse_proxy_list(text)
    except InputError as error:
        raise InputError("input-invalid", "also", cause=error.notice) from None
    if len(named.proxies) != 1 or named.ending:
        raise InputError("input-invalid", "also-several", text=redact(text))
    return named.proxies[0]
