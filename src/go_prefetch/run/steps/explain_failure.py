"""Say what lies behind a failure of Go: proxies that failed, modules nobody has, no time, no room."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from go_prefetch.base.format import counted, some
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import (
    ChecksumMismatch,
    DownloadError,
    GoCommandError,
    ModuleNotFound,
    PrefetchError,
    ProxyUnavailable,
)
from go_prefetch.model.results import Downloaded, Failure

_FULL_DISK = re.compile("no space left on device|disk quota exceeded|not enough space on the disk")
# Words of git and ssh where they may not log in, or may not ask how to; Go's own where it tried every protocol.
_NO_LOGIN = re.compile(
    r"terminal prompts disabled|could not read (Username|Password)|Authentication failed|Permission denied \(publickey"
    r"|Host key verification failed|no secure protocol found for repository"
)
_LOGIN_HINT = (
    "git cannot read that repository from here: it lacks a login, or the host does not answer. Give it a token by a "
    "credential helper or netrc, `git config --global url.….insteadOf`, or an SSH key and known_hosts; "
    "`git ls-remote https://MODULE` shows whether it works."
)
_NO_HOST = re.compile(r"fatal: unable to access '|Could not resolve hostname|Could not resolve host:")
_LOOKUP_OFF = "module lookup disabled by GOPROXY=off"
_REFUSED = re.compile(r": (401|403|407) ")  # of an attempt at a proxy, as told()
_MOST_GROUPS = 10
_MOST_NAMES = 3


def blamed(error: PrefetchError, downloaded: Downloaded, deadline: Deadline) -> PrefetchError:
    """Go's failure, or what lies behind it: no time left, proxies that failed, modules nobody has."""
    named = [failure for failure in downloaded.failures if str(failure.file.module) in error.message]
    if isinstance(error, ChecksumMismatch):
        return _after(named, error) if named else error
    if by_words := _by_words(error):
        return by_words
    failures = [failure for failure in downloaded.failures if not failure.not_found]
    if deadline.passed():
        so_far = f"{told(failures)}\n" if failures else ""
        message = f"no time left\n{so_far}{error.message}"
        return DownloadError("deadline-passed", message, hint="Raise the deadline input.")
    if failures:
        return ProxyUnavailable(
            "proxy-unavailable",
            f"{counted(len(failures), 'file')} could not be downloaded, and Go could not get them either.\n"
            f"{told(failures)}\n{error.message}",
            hint=advice(failures),
        )
    if named:
        return ModuleNotFound(
            "module-not-found",
            f"no proxy has {len(named)} of the files Go needs.\n{told(named)}\n{error.message}",
            hint="Is the version right, and is the module public? Private ones belong in GOPRIVATE.",
        )
    return _hinted(error)


def _hinted(error: PrefetchError) -> PrefetchError:
    """Go's failure with what to do, where its words tell and nothing else explains it."""
    if isinstance(error, GoCommandError) and _NO_HOST.search(error.message):
        return GoCommandError("git-unreadable", error.message, hint=_LOGIN_HINT)
    if isinstance(error, GoCommandError) and _LOOKUP_OFF in error.message:
        hint = "GOPROXY is `off`, and the store lacks what Go needs. Name a proxy, or fill the store by a run with one."
        return GoCommandError(error.slug, error.message, hint=hint)
    return error


def _by_words(error: PrefetchError) -> PrefetchError | None:
    """What the words of Go and git alone tell: no room on the disk, no login."""
    if _FULL_DISK.search(error.message):
        return DownloadError("disk-full", error.message, hint="Free some space, or move GOMODCACHE to a larger disk.")
    if _NO_LOGIN.search(error.message) and isinstance(error, GoCommandError):
        return GoCommandError("git-unreadable", error.message, hint=_LOGIN_HINT)
    return None


def _after(failures: Sequence[Failure], error: ChecksumMismatch) -> ChecksumMismatch:
    """Go got the wrong bytes itself: what the proxies did to us before may say why."""
    message = f"{error.message}\nBefore that it could not be downloaded.\n{told(failures)}"
    return ChecksumMismatch(error.slug, message, hint=error.hint)


def advice(failures: Sequence[Failure]) -> str:
    """What to do where proxies failed."""
    attempts = [words for failure in failures for words in failure.attempts]
    if all("HTTP proxy: " in words for words in attempts):
        return (
            "It is the HTTP proxy (HTTPS_PROXY, HTTP_PROXY): check its address and login, and name hosts that need "
            "none in NO_PROXY."
        )
    if all(map(_REFUSED.search, attempts)):
        return "The proxy refuses: check the login in its URL or in netrc, and whether that may read these modules."
    return "Name another proxy in the goproxy input, separated by `|`, or try again later."


def told(failures: Sequence[Failure]) -> str:
    """What was tried, once for all files that met the same."""
    files: dict[str, list[str]] = {}
    for failure in failures:
        counts = Counter(failure.attempts)
        tried = "; ".join(f"{words} ({n} times)" if n > 1 else words for words, n in counts.items())
        files.setdefault(tried, []).append(str(failure.file))
    groups = sorted(files.items(), key=lambda group: -len(group[1]))
    lines = [f"  {some(names, _MOST_NAMES)}: {tried}" for tried, names in groups[:_MOST_GROUPS]]
    left = sum(len(names) for _, names in groups[_MOST_GROUPS:])
    return "\n".join([*lines, f"  and {left} more files"] if left else lines)
