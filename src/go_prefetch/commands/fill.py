"""`go-prefetch fill DIR`: the plan's files into a GOPROXY-layout folder, without Go.

Nothing is verified here: whoever reads the folder with `GOPROXY=file://DIR,…` checks every file against go.sum.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from go_prefetch.commands.publish import publish, told_if_it_fails
from go_prefetch.commands.traced import traced
from go_prefetch.gocommand import GO_DEFAULT_PROXIES
from go_prefetch.goenvironment import environment_without_go
from go_prefetch.ports import Platform
from go_prefetch.render.units import size
from go_prefetch.report import Report
from go_prefetch.results import Admitted, Completed, Filled, Plan, Saved
from go_prefetch.retry import Deadline
from go_prefetch.settings import Settings
from go_prefetch.steps.fillfolder import fill_folder
from go_prefetch.steps.plan import make_plan
from go_prefetch.steps.report import nothing_to_report, report
from go_prefetch.steps.shortfall import left_out, left_to_go, verdict
from go_prefetch.trace import Trace
from go_prefetch.wiring import proxy_list, proxy_walk


def fill(settings: Settings, platform: Platform, environ: Mapping[str, str], stdout: TextIO, folder: Path) -> int:
    """Download what `folder` lacks, take away what the plan does not name, and report.

    Raises InputError for a folder with other things in it, DownloadError for modules that could not be had.
    """
    with told_if_it_fails(settings, platform, stdout), traced(settings, platform) as trace:
        made = _filled(settings, platform, environ, folder, trace)
    publish(made, settings, platform, stdout)
    failure = made.completed.failure
    if failure and settings.on_failure == "fail":
        raise failure
    if failure:
        platform.warn(f"{failure.message}\n{failure.hint}")
    return 0


def _filled(settings: Settings, platform: Platform, environ: Mapping[str, str], folder: Path, trace: Trace) -> Report:
    started, deadline, cancelled = time.monotonic(), Deadline.after(settings.deadline), threading.Event()
    proxies = proxy_list(settings, environ.get("GOPROXY") or GO_DEFAULT_PROXIES)
    with platform.group("Plan"):
        plan = make_plan(settings, environment_without_go(environ, folder), folder)
        platform.detail(f"{len(plan.modules)} modules, {len(plan.files)} files, proxies {proxies.shown}")
    if plan.disabled_because:
        return nothing_to_report(settings, plan, goversion="", seconds=time.monotonic() - started)
    with platform.group("Fill"):
        filled = fill_folder(
            plan, proxy_walk(settings, proxies, deadline, cancelled, trace), jobs=settings.jobs, deadline=deadline,
            cancelled=cancelled, progress=platform.progress, private_too=_keeps_private(settings, platform, folder),
        )  # fmt: skip
        platform.info(_told(folder, plan, filled))
    failure, stale = verdict(plan, filled)
    return report(
        settings, replace(plan, present=frozenset()), filled.held, filled.downloaded, Admitted(),
        Completed(failure=failure), Saved(because_not="fill keeps what it has in its folder"),
        goversion="", seconds=time.monotonic() - started,
        warnings=(*left_to_go(plan, filled.held), *left_out(filled), *stale),
    )  # fmt: skip


def _keeps_private(settings: Settings, platform: Platform, folder: Path) -> bool:
    """A folder that the CI system hands on holds private modules only where the repository is private too."""
    if settings.save_private == "auto":
        return platform.repository_is_private or not platform.carries(folder)
    return settings.save_private == "true"


def _told(folder: Path, plan: Plan, filled: Filled) -> str:
    came = filled.downloaded
    held = len(filled.held.files) + len(came.files) - len(filled.left_out)
    return (
        f"{folder}: {held} of {len(plan.files)} files, {len(came.files)} downloaded ({size(came.bytes)}), "
        f"{filled.removed} removed"
    )
