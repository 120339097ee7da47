"""Go has stopped moving: say what it was waiting for, for which module, and what to look at."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from go_prefetch.base.format import some
from go_prefetch.errors import DownloadError, PrefetchError
from go_prefetch.golang.command import GoRun, failed
from go_prefetch.golang.download_trace import Pending
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan

_MOST_NAMES = 3


def stalled(run: GoRun, silence: float, attempts: int, plan: Plan) -> PrefetchError:
    """The error for a Go that stood still for `silence` seconds each time it was started."""
    times = f"(nothing moved for {silence:g}s, {attempts} times)"
    commands = [pending for pending in run.pending if pending.is_version_control]
    if commands:
        return _stuck_git(commands[-1], plan, times)
    waiting = "".join(f"\n  waiting for {pending.remote}" for pending in run.pending[:_MOST_NAMES])
    return DownloadError(
        "go-stalled",
        f"{failed(run).message}{waiting}\n  {times}",
        hint="A server it asks does not answer. Name another proxy in the goproxy input, or raise stall-timeout.",
    )


def _stuck_git(pending: Pending, plan: Plan, times: str) -> PrefetchError:
    host = urlsplit(pending.remote).hostname or "its host"
    modules = some(_modules_of(pending.remote, plan), _MOST_NAMES) or "a module that no proxy was to bring"
    return DownloadError(
        "git-stalled",
        f"`{pending.command}` of {pending.remote or 'a repository'} did not end {times}\n  for {modules}",
        hint=f"Does `git ls-remote {pending.remote}` end on this machine, without a question? Look at: the credential "
        f"helper, GIT_ASKPASS or SSH key for {host}; whether {host} can be reached; GOPRIVATE, if a proxy has it.",
    )


def _modules_of(remote: str, plan: Plan) -> list[ModuleVersion]:
    """The modules that live in this repository, by their path; else those that git was to bring."""
    waited_for = sorted(version for version in plan.private if not plan.folder.has_zip(version))
    root = _without_git(re.sub(r"^[a-z+]+://([^/@]*@)?", "", remote))
    in_there = [version for version in waited_for if f"{_without_git(version.path)}/".startswith(f"{root}/")]
    return (in_there if root else []) or waited_for


def _without_git(path: str) -> str:
    return re.sub(r"\.git(?=/|$)", "", path).strip("/")
