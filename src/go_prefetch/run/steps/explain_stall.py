"""Go has stopped moving: say what it was waiting for, for which module, and what to look at."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from go_prefetch.errors import DownloadError, PrefetchError
from go_prefetch.golang.command import GoRun, failed
from go_prefetch.golang.download_trace import Pending
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan


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
