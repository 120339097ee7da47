"""Make a folder in GOPROXY layout hold exactly a plan's files, without Go: for readers with `GOPROXY=file://FOLDER,…`.

A file that cannot be read turns a reader's job red, so what lies there already is read to its last byte; what goes is
what the plan does not name. Nothing is written where nothing is to be changed: a CI cache then has nothing to upload.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from go_prefetch.errors import InputError
from go_prefetch.incoming import content_problem
from go_prefetch.keptfolder import folder_error, own, remove_others
from go_prefetch.modcache import ModuleFile, path_in
from go_prefetch.proxies.walk import ProxyWalk
from go_prefetch.proxylist import redact_list
from go_prefetch.results import Filled, Plan, Restored
from go_prefetch.retry import Deadline
from go_prefetch.steps.download import Progress, download, still_missing


def fill_folder(  # noqa: PLR0913 - what to bring, from where, and three limits
    plan: Plan,
    walk: ProxyWalk,
    *,
    jobs: int,
    deadline: Deadline,
    cancelled: threading.Event,
    progress: Progress,
    private_too: bool = True,
) -> Filled:
    """Look at what `plan.folder` holds, take away what does not belong there, and download what it lacks.

    With `private_too` false neither private modules nor files of a proxy with credentials stay in the folder.

    Raises InputError for a folder with other things in it and for a list without a proxy, DownloadError where the
    folder cannot be written. What could not be had is in the result.
    """
    _require_proxy(plan.missing, plan, walk)
    own(plan.folder)
    wanted = [file for file in plan.files if private_too or file.module not in plan.unsaved]
    try:
        removed = remove_others(plan.folder, wanted)
        held = _held(plan.folder, wanted, jobs)
    except OSError as error:
        raise folder_error(error, plan.folder) from None
    lacking = [file for file in still_missing(replace(plan, present=frozenset()), held) if file in set(wanted)]
    _require_proxy(lacking, plan, walk)
    downloaded = download(
        lacking, walk, plan.folder, jobs=jobs, deadline=deadline, cancelled=cancelled, progress=progress
    )
    left_out = frozenset() if private_too else downloaded.credentialed
    for file in left_out:
        path_in(plan.folder, file).unlink(missing_ok=True)
    return Filled(held, downloaded, removed, left_out)


def _held(folder: Path, wanted: Iterable[ModuleFile], jobs: int) -> Restored:
    """What is there and whole; what is there and not whole is taken away, for a reader would stumble over it."""
    started = time.monotonic()
    there = [file for file in wanted if path_in(folder, file).is_file()]
    with ThreadPoolExecutor(min(jobs, os.cpu_count() or 1)) as readers:
        problems = dict(zip(there, readers.map(lambda file: _problem(folder, file), there), strict=True))
    damaged = [file for file, problem in problems.items() if problem]
    for file in damaged:
        path_in(folder, file).unlink()
    good = frozenset(problems) - frozenset(damaged)
    return Restored(
        store=f"folder {folder}",
        files=good,
        bytes=sum(path_in(folder, file).stat().st_size for file in good),
        seconds=time.monotonic() - started,
        warnings=tuple(f"{folder} held a damaged {file}: {problems[file]}" for file in damaged),
    )


def _problem(folder: Path, file: ModuleFile) -> str:
    try:
        return content_problem(file, path_in(folder, file))
    except OSError as error:
        return error.strerror or str(error)


def _require_proxy(lacking: Iterable[ModuleFile], plan: Plan, walk: ProxyWalk) -> None:
    if any(file.module not in plan.private for file in lacking) and not walk.names:
        raise InputError(
            "goproxy-invalid",
            f"goproxy: {redact_list(walk.goproxy)!r} names no proxy, and fill asks nobody else",
            hint="Name one, e.g. https://proxy.golang.org; what is behind `direct` is Go's to fetch.",
        )
