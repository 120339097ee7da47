"""Explain a failure of Go: failed proxies, missing modules, no time, no disk space, a stall."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
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
from go_prefetch.model.failure_cause import common_cause, hosts, is_late_only, meant_hosts
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Downloaded, Failure
from go_prefetch.modfiles.zip_inspect import plain_space

_FULL_DISK = re.compile("no space left on device|disk quota exceeded|not enough space on the disk")
# Messages of git and ssh without a login or a prompt for one, and Go's own after it tried every protocol. Forges say
# "not found" too, so as not to reveal which repositories there are.
_NO_LOGIN = re.compile(
    r"terminal prompts disabled|could not read (Username|Password)|Authentication failed|Permission denied \(publickey"
    r"|Host key verification failed|no secure protocol found for repository|The requested URL returned error: 40[13]"
    r"|fatal: repository '[^'\n]*' not found|ERROR: Repository not found"
)
_BLOCK = 4096  # bytes, as on most disks
# Messages that give the cause if nothing else does, with the case of the error.
_HINTS = (
    (
        re.compile("SSL certificate problem|server certificate verification failed|SSL: no alternative certificate"),
        ("git-unreadable", "certificate"),
    ),
    (re.compile(r"The requested URL returned error: (429|5\d\d)"), ("git-unreadable", "server")),
    (re.compile("x509: |tls: failed to verify certificate"), ("go-failed", "certificate")),
    (re.compile("module lookup disabled by GOPROXY=off"), ("go-failed", "goproxy-off")),
    (
        re.compile(r"golang\.org/toolchain@\S+: verifying module: (?!checksum mismatch)"),
        ("go-failed", "toolchain-unverified"),
    ),
    (re.compile(r"verifying (module|go\.mod): [^\n]*/(lookup|tile|latest)\b"), ("go-failed", "sumdb")),
    (
        re.compile(
            r"fatal: unable to access '|Could not resolve hostname|Could not resolve host:|ssh: connect to host"
            r"|\?go-get=1\": "
        ),
        ("git-unreadable", "no-host"),
    ),
    (re.compile(r"requires go >= \S+ \(running go "), ("go-failed", "go-too-old")),
    (re.compile("toolchain not available"), ("go-failed", "no-toolchain")),
    (re.compile(r"errors parsing (\S+/)?go\.(mod|work):"), ("go-failed", "malformed")),
)
_SUMDB = re.compile(r"//sum\.golang\.(org|google\.cn)/|/sumdb/|//[^/]+/(lookup|tile)/")


def explain_failure(error: PrefetchError, downloaded: Downloaded, deadline: Deadline, plan: Plan) -> PrefetchError:
    """Return Go's failure, or its cause: no time left, failed proxies, modules that no proxy has."""
    named = [failure for failure in downloaded.failures if _names(error, failure.file)]
    if isinstance(error, ChecksumMismatch):
        return _after(named, error) if named else error
    if by_words := _by_words(error, plan):
        return by_words
    failures = [failure for failure in downloaded.failures if not failure.not_found]
    if deadline.passed():
        return DownloadError("deadline-passed", failures=tuple(failures), cause=error.notice)
    if failures:
        return unavailable(failures, error.notice)
    if named:
        case = "slow-origin" if is_late_only(named) else "go"
        return ModuleNotFound("module-not-found", case, count=len(named), failures=tuple(named), cause=error.notice)
    return hinted(error)


def hinted(error: PrefetchError) -> PrefetchError:
    """Return Go's failure with a hint, if its message gives the cause and nothing else does."""
    found = (kind for words, kind in _HINTS if isinstance(error, GoCommandError) and words.search(error.go_stderr))
    kind = next(found, None)
    return GoCommandError(*kind, cause=error.notice) if kind else error


def _by_words(error: PrefetchError, plan: Plan) -> PrefetchError | None:
    """Return the failure that the messages of Go and git alone describe: no disk space, no login."""
    if _FULL_DISK.search(error.go_stderr):
        return _disk_full(error, plan)
    if _NO_LOGIN.search(error.go_stderr) and isinstance(error, GoCommandError):
        return GoCommandError("git-unreadable", cause=error.notice)
    return None


def _disk_full(error: PrefetchError, plan: Plan) -> DownloadError:
    """Return the error with what is free, and what Go needs to unpack the zips that have no tree."""
    packed = [version for version in plan.modules if plan.folder.has_zip(version) and not plan.folder.has_tree(version)]
    needed = free = 0
    with suppress(OSError):
        free = free_bytes(plan.folder.path)
        spaces = [plain_space(plan.folder.zip_path(version), _BLOCK) for version in packed]
        needed = sum(space.bytes for space in spaces if space)
    return DownloadError("disk-full", "go", cause=error.notice, free=free, needed=needed, place=plan.folder.gomodcache)


def _after(failures: Sequence[Failure], error: ChecksumMismatch) -> ChecksumMismatch:
    """Add what the proxies did before. Go downloaded the wrong bytes itself, so that may be the cause."""
    case = "content" if common_cause(failures) == "content" else "not-downloaded"
    return ChecksumMismatch("checksum-mismatch", case, failures=tuple(failures), cause=error.notice)


def unavailable(failures: Sequence[Failure], cause: Notice | None = None) -> ProxyUnavailable:
    """Return the error for files that no proxy delivered; `cause` is Go's message about them."""
    return ProxyUnavailable(
        "proxy-unavailable", common_cause(failures), count=len(failures), failures=tuple(failures), cause=cause,
        hosts=hosts(failures), meant=meant_hosts(failures),
    )  # fmt: skip


def _names(error: PrefetchError, file: ModuleFile) -> bool:
    """Return whether the failure is about this module: Go's message names it, or the rejected file belongs to it."""
    return str(file.module) in error.go_stderr or str(file.module) in str(dict(error.notice.facts).get("module_file"))


def stalled(run: GoRun, silence: float, attempts: int, plan: Plan) -> PrefetchError:
    """Return the error for a Go that made no progress for `silence` seconds each time it was started."""
    commands = [pending for pending in run.pending if pending.is_version_control]
    if commands:
        return _stuck_git(commands[-1], plan, silence, attempts)
    remotes = tuple(pending.remote for pending in run.pending)
    case = ("sumdb" if all(map(_SUMDB.search, remotes)) else "") if remotes else "unknown"
    if not remotes and any(map(partial(_is_unverified, plan), plan.toolchains)):
        case = "toolchain-unverified"  # Go reads no flag before, and so prints no trace
    return DownloadError("go-stalled", case, cause=failed(run).notice, silence=silence, times=attempts, remotes=remotes)


def _is_unverified(plan: Plan, version: ModuleVersion) -> bool:
    return plan.folder.has_zip(version) and not plan.folder.accepted_by_go(version)


def _stuck_git(pending: Pending, plan: Plan, silence: float, attempts: int) -> PrefetchError:
    host = urlsplit(pending.remote).hostname or "its host"
    modules = tuple(_modules_of(pending.remote, plan))
    return DownloadError(
        "git-stalled", "" if modules else "unknown", command=pending.command, remote=pending.remote or "REPOSITORY",
        host=host, silence=silence, times=attempts, modules=modules,
    )  # fmt: skip


def _modules_of(remote: str, plan: Plan) -> list[ModuleVersion]:
    """Return the modules that belong to this repository, by their path; otherwise those that git was to download."""
    waited_for = sorted(version for version in plan.private if not plan.folder.has_zip(version))
    root = _without_git(re.sub(r"^[a-z+]+://([^/@]*@)?", "", remote))
    in_there = [version for version in waited_for if f"{_without_git(version.path)}/".startswith(f"{root}/")]
    return (in_there if root else []) or waited_for


def _without_git(path: str) -> str:
    return re.sub(r"\.git(?=/|$)", "", path).strip("/")
