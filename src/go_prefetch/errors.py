"""Everything that can end a run, as one tree.

    PrefetchError                  exit status
    ├── InputError            2    an input, flag or file name the user gave is wrong
    ├── GoSumError            3    go.mod, go.work or go.sum is missing, unreadable or malformed
    ├── GoCommandError        4    go is missing, too old, or failed
    ├── DownloadError         5    modules could not be had
    │   ├── ModuleNotFound         404 or 410 everywhere; never retried
    │   ├── ProxyUnavailable       every attempt at every proxy failed
    │   └── ChecksumMismatch       Go rejected it from a second source too
    ├── ApiError              1    GitHub's or GitLab's API gave no answer to work with (`report`, `prune`)
    │   └── RateLimitError         it takes no more requests for a while
    ├── GateError             6    a gate of `report` was missed
    └── StoreError            -    becomes a miss or a warning; never ends a run

Ctrl-C and termination signals are KeyboardInterrupt, exit status 130. Imports nothing of ours, so that anything may
raise anything. Each slug is a heading of docs/errors.md.
"""

from __future__ import annotations

import re

_SLUG = re.compile(r"[a-z]+(-[a-z]+)*")


class PrefetchError(Exception):
    """What happened (`message`), under which name (`slug`), and what to do next (`hint`)."""

    exit_status = 1

    def __init__(self, slug: str, message: str, *, hint: str) -> None:
        if not _SLUG.fullmatch(slug):
            raise ValueError(f"slug is not kebab-case: {slug!r}")
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.hint = hint


class InputError(PrefetchError):
    """An input, flag or folder the user gave is wrong."""

    exit_status = 2


class GoSumError(PrefetchError):
    """go.mod, go.work or go.sum is missing, unreadable or malformed."""

    exit_status = 3


class GoCommandError(PrefetchError):
    """Go is missing, too old, or failed."""

    exit_status = 4


class DownloadError(PrefetchError):
    """Modules could not be had."""

    exit_status = 5


class ModuleNotFound(DownloadError):  # noqa: N818 - the tree above reads as sentences
    """Every proxy answered 404 or 410."""


class ProxyUnavailable(DownloadError):  # noqa: N818
    """Every attempt at every proxy failed."""


class ChecksumMismatch(DownloadError):  # noqa: N818
    """Go rejected a module's zip or go.mod from a second source too."""


class ApiError(PrefetchError):
    """GitHub's or GitLab's API did not answer, or not with sense."""


class RateLimitError(ApiError):
    """The API takes no more requests until the moment `until` (Unix time, seconds)."""

    def __init__(self, slug: str, message: str, *, hint: str, until: float) -> None:
        super().__init__(slug, message, hint=hint)
        self.until = until


class GateError(PrefetchError):
    """A figure of a report is worse than was asked for."""

    exit_status = 6


class StoreError(PrefetchError):
    """The cache store failed: a miss or a warning, never a failed run."""
