"""The cause that all failed attempts of a download have in common, as a case of the error `proxy-unavailable`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from go_prefetch.base.retry import Cause
from go_prefetch.golang.goproxy import is_well_known_host, well_known_host_like
from go_prefetch.model.results import FailedAttempt, Failure

_REFUSED = (401, 403, 407)  # a proxy needs another login, or blocks the module

# The first that every attempt has.
_CASES: tuple[tuple[str, Callable[[FailedAttempt], bool]], ...] = (
    ("http-proxy", lambda one: one.at_http_proxy),
    ("no-network", lambda one: one.cause is Cause.NO_NAME_SERVER or _is_unknown_though_well_known(one)),
    ("no-such-host", lambda one: one.cause is Cause.NO_SUCH_HOST),
    ("not-connected", lambda one: one.cause is Cause.NOT_CONNECTED),
    ("handshake", lambda one: one.cause is Cause.HANDSHAKE),
    ("limited", lambda one: one.cause is Cause.LIMIT),
    ("silent", lambda one: one.cause is Cause.SILENT),
    ("content", lambda one: one.cause is Cause.CONTENT),
)
# Otherwise the first that any attempt has: only the user can mend it, whatever the other servers do.
_SUFFICIENT: tuple[tuple[str, Callable[[FailedAttempt], bool]], ...] = (
    ("refused", lambda one: one.status in _REFUSED and not one.at_http_proxy),
    ("certificate", lambda one: one.cause is Cause.CERTIFICATE),
    ("clear-text", lambda one: one.cause is Cause.CLEAR_TEXT),
    ("redirects", lambda one: one.cause is Cause.REDIRECTS),
)


def common_cause(failures: Sequence[Failure]) -> str:
    """Return the case of the error: what every request met, or what one met that decides, or an empty string."""
    requests = [one for failure in failures for one in failure.attempts if one.passed_over is None]
    if not requests:
        return ""
    of_all = (case for case, is_it in _CASES if all(map(is_it, requests)))
    of_any = (case for case, is_it in _SUFFICIENT if any(map(is_it, requests)))
    case = next(of_all, "") or next(of_any, "")
    return "misspelt-host" if case == "no-such-host" and meant_hosts(failures) else case


def is_late_only(failures: Sequence[Failure]) -> bool:
    """Return whether each of these files is one that a proxy could not fetch from its origin in time."""
    return all(any(one.cause is Cause.SLOW_ORIGIN for one in failure.attempts) for failure in failures)


def hosts(failures: Sequence[Failure]) -> tuple[str, ...]:
    """Return the hosts that were asked, each once."""
    found = (_host(one) for failure in failures for one in failure.attempts)
    return tuple(dict.fromkeys(filter(None, found)))


def meant_hosts(failures: Sequence[Failure]) -> tuple[str, ...]:
    """Return well-known proxies whose names resemble the hosts that were asked."""
    return tuple(filter(None, map(well_known_host_like, hosts(failures))))


def _is_unknown_though_well_known(one: FailedAttempt) -> bool:
    """Return whether a name is said not to exist that does: some systems say so without a network."""
    return one.cause is Cause.NO_SUCH_HOST and is_well_known_host(_host(one))


def _host(one: FailedAttempt) -> str:
    try:
        return urlsplit(one.source).hostname or ""
    except ValueError:
        return ""
