"""Say what lies behind a failure of Go: proxies that failed, modules nobody has, no time, no room, a stall."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import (
    ChecksumMismatch,
    DownloadError,
    GoCommandError,
    ModuleNotFound,
    Notice,
    PrefetchError,
    ProxyUnavailable,
)
from go_prefetch.golang.command import GoRun, failed
from go_prefetch.golang.download_trace import Pending
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Downloaded, Failure

_FULL_DISK = re.compile("no space left on device|disk quota exceeded|not enough space on the disk")
# Words of git and ssh where they may not log in, or may not ask how to; Go's own where it tried every protocol.
_NO_LOGIN = re.compile(
    r"terminal prompts disabled|could not read (Username|Password)|Authentication failed|Permission denied \(publickey"
    r"|Host key verification failed|no secure protocol found for repository"
)
_NO_HOST = re.compile(r"fatal: unable to access '|Could not resolve hostname|Could not resolve host:")
_LOOKUP_OFF = "module lookup disabled by GOPROXY=off"
_REFUSED = (401, 403, 407)  # a proxy wants another login


def explain_failure(error: PrefetchError, downloaded: Downloaded, deadline: Deadline) -> PrefetchError:
    """Go's failure, or what lies behind it: no time left, proxies that failed, modules nobody has."""
    named = [failure for failure in downloaded.failures if _names(error, failure.file)]
    if isinstance(error, ChecksumMismatch):
        return _after(named, error) if named else error
    if by_words := _by_words(error):
        return by_words
    failures = [failure for failure in downloaded.failures if not failure.not_found]
    if deadline.passed():
        return DownloadError("deadline-passed", failures=tuple(failures), cause=error.notice)
    if failures:
        return unavailable(failures, error.notice)
    if named:
        return ModuleNotFound("module-not-found", "go", count=len(named), failures=tuple(named), cause=error.notice)
    return _hinted(error)


def _hinted(error: PrefetchError) -> PrefetchError:
    """Go's failure with what to do, where its words tell and nothing else explains it."""
    if isinstance(error, GoCommandError) and _NO_HOST.search(error.go_stderr):
        return GoCommandError("git-unreadable", cause=error.notice)
    if isinstance(error, GoCommandError) and _LOOKUP_OFF in error.go_stderr:
        return GoCommandError("go-failed", "goproxy-off", cause=error.notice)
    return error


def _by_words(error: PrefetchError) -> PrefetchError | None:
    """What the words of Go and git alone tell: no room on the disk, no login."""
    if _FULL_DISK.search(error.go_stderr):
        return DownloadError("disk-full", "go", cause=error.notice)
    if _NO_LOGIN.search(error.go_stderr) and isinstance(error, GoCommandError):
        return GoCommandError("git-unreadable", cause=error.notice)
    return None


def _after(failures: Sequence[Failure], error: ChecksumMismatch) -> ChecksumMismatch:
    """Go got the wrong bytes itself: what the proxies did to us before may say why."""
    return ChecksumMismatch("checksum-mismatch", "not-downloaded", failures=tuple(failures), cause=error.notice)


def unavailable(failures: Sequence[Failure], cause: Notice | None = None) -> ProxyUnavailable:
    """The error for files that no proxy handed over; `cause` is what Go said to it."""
    attempts = [attempt for failure in failures for attempt in failure.attempts]
    if attempts and all(attempt.at_http_proxy for attempt in attempts):
        case = "http-proxy"
    else:
        case = "refused" if attempts and all(attempt.status in _REFUSED for attempt in attempts) else ""
    return ProxyUnavailable("proxy-unavailable", case, count=len(failures), failures=tuple(failures), cause=cause)


def _names(error: PrefetchError, file: ModuleFile) -> bool:
    """Whether the failure is about this module: Go's words name it, or the file that it refused is one of it."""
    return str(file.module) in error.go_stderr or str(file.module) in str(dict(error.notice.facts).get("module_file"))


def stalled(run: GoRun, silence: float, attempts: int, plan: Plan) -> PrefetchError:
    """The error for a Go that stood still for `silence` seconds each time it was started."""
    commands = [pending for pending in run.pending if pending.is_version_control]
    if commands:
        return _stuck_git(commands[-1], plan, silence, attempts)
    return DownloadError(
        "go-stalled", "" if run.pending else "unknown", cause=failed(run).notice, silence=silence,
        times=attempts, remotes=tuple(pending.remote for pending in run.pending),
    )  # fmt: skip


def _stuck_git(pending: Pending, plan: Plan, silence: float, attempts: int) -> PrefetchError:
    host = urlsplit(pending.remote).hostname or "its host"
    modules = tuple(_modules_of(pending.remote, plan))
    return DownloadError(
        "git-stalled", "" if modules else "unknown", command=pending.command, remote=pending.remote or "REPOSITORY",
        host=host, silence=silence, times=attempts, modules=modules,
    )  # fmt: skip


def _modules_of(remote: str, plan: Plan) -> list[ModuleVersion]:
    """The modules that live in this repository, by their path; else those that git was to bring."""
    waited_for = sorted(version for version in plan.private if not plan.folder.has_zip(version))
    root = _without_git(re.sub(r"^[a-z+]+://([^/@]*@)?", "", remote))
    in_there = [version for version in waited_for if f"{_without_git(version.path)}/".startswith(f"{root}/")]
    return (in_there if root else []) or waited_for


def _without_git(path: str) -> str:
    return re.sub(r"\.git(?=/|$)", "", path).strip("/")
