"""`go-prefetch fill DIR`: the plan's files into a GOPROXY-layout folder, without Go.

Nothing is verified here: whoever reads the folder with `GOPROXY=file://DIR,…` checks every file against go.sum.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from go_prefetch.atomicfile import write_whole
from go_prefetch.errors import DownloadError, InputError, ModuleNotFound, ProxyUnavailable
from go_prefetch.gocommand import GoEnvironment
from go_prefetch.incoming import structure_problem
from go_prefetch.modcache import ModuleFile, path_in
from go_prefetch.ports import Platform
from go_prefetch.proxylist import ProxyList
from go_prefetch.render.units import size
from go_prefetch.results import Downloaded, Failure, Plan, Restored
from go_prefetch.retry import Deadline
from go_prefetch.settings import Settings
from go_prefetch.steps.blame import told
from go_prefetch.steps.download import Progress, download, folder_error, still_missing
from go_prefetch.steps.plan import make_plan
from go_prefetch.wiring import proxy_list, proxy_walk

_GO_DEFAULT_PROXIES = "https://proxy.golang.org,direct"
_IGNORE_ALL = b"*\n"
_KINDS = (".info", ".mod", ".zip")


def fill(settings: Settings, platform: Platform, environ: Mapping[str, str], stdout: TextIO, folder: Path) -> int:
    """Download what `folder` lacks and take away what the plan no longer names.

    Raises InputError for a folder with other things in it, DownloadError for modules that could not be had.
    """
    deadline = Deadline.after(settings.deadline)
    proxies = proxy_list(settings, environ.get("GOPROXY") or _GO_DEFAULT_PROXIES)
    plan = make_plan(settings, _environment(environ, folder), folder)
    for warning in plan.warnings:
        platform.warn(warning)
    if plan.disabled_because:
        print(f"nothing to do: {plan.disabled_because}", file=stdout)
        return 0
    if plan.private:
        platform.warn(f"{len(plan.private)} private module versions are left to Go: {_some(plan)}")
    downloaded = _downloaded(plan, proxies, settings, deadline, platform.progress)
    try:
        removed = _remove_others(folder, plan)
    except OSError as error:
        raise folder_error(error) from None
    held = len(plan.present) + len(downloaded.files)
    print(
        f"{folder}: {held} of {len(plan.files)} files, {len(downloaded.files)} downloaded ({size(downloaded.bytes)}), "
        f"{removed} removed",
        file=stdout,
    )
    return _verdict(plan, downloaded, settings, platform)


def _downloaded(
    plan: Plan, proxies: ProxyList, settings: Settings, deadline: Deadline, progress: Progress
) -> Downloaded:
    """Bring what the folder lacks, once it is sure that the folder is ours and that there is somebody to ask."""
    missing, cancelled = still_missing(plan, Restored("")), threading.Event()
    if missing and not proxies.proxies:
        raise InputError(
            "goproxy-invalid",
            f"goproxy: {proxies.shown!r} names no proxy, and fill asks nobody else",
            hint="Name one, e.g. https://proxy.golang.org; what is behind `direct` is Go's to fetch.",
        )
    _own(plan.folder)
    missing = (*missing, *_damaged(plan))
    return download(
        missing, proxy_walk(settings, proxies, deadline, cancelled), plan.folder,
        jobs=settings.jobs, deadline=deadline, cancelled=cancelled, progress=progress,
    )  # fmt: skip


def _damaged(plan: Plan) -> list[ModuleFile]:
    """Files that were there and cannot be what their names say; content is checked by whoever has Go."""
    return [file for file in plan.files if file in plan.present and structure_problem(file, path_in(plan.folder, file))]


def _environment(environ: Mapping[str, str], folder: Path) -> GoEnvironment:
    """Go's variables as far as the environment has them: there is no Go to ask."""
    goprivate = environ.get("GOPRIVATE", "")
    return GoEnvironment(
        goproxy=environ.get("GOPROXY", ""),
        gonoproxy=environ.get("GONOPROXY", "") or goprivate,
        goprivate=goprivate,
        gonosumdb=environ.get("GONOSUMDB", "") or goprivate,
        gomodcache=folder,
        goflags=environ.get("GOFLAGS", ""),
        goversion="",
        goroot=Path(),
    )


def _own(folder: Path) -> None:
    """Make the folder ours: empty or filled before. Git is to ignore all of it."""
    mark = folder / ".gitignore"
    try:
        if folder.is_file():
            raise InputError("folder-not-ours", f"fill: {folder} is a file", hint="Name a new or empty folder.")
        if folder.exists() and any(folder.iterdir()) and not (mark.is_file() and mark.read_bytes() == _IGNORE_ALL):
            raise InputError(
                "folder-not-ours",
                f"fill: {folder} holds other things",
                hint="Name a new or empty folder, or one that fill has filled before: it removes what the plan does "
                "not name.",
            )
        if not mark.is_file():
            write_whole(mark, _IGNORE_ALL)
    except OSError as error:
        raise folder_error(error) from None


def _remove_others(folder: Path, plan: Plan) -> int:
    """Take away module files that the plan does not name, and folders that are empty then."""
    wanted = {path_in(folder, file) for file in plan.files}
    removed = 0
    for path in list(_module_files(folder)):
        if path not in wanted:
            path.unlink()
            removed += 1
            _remove_empty(path.parent, folder)
    return removed


def _module_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.parent.name == "@v" and path.suffix in _KINDS)


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _verdict(plan: Plan, downloaded: Downloaded, settings: Settings, platform: Platform) -> int:
    """A file nobody has may be a stale line of go.sum, unless it belongs to a module that go.mod requires."""
    certain = {version for scope in plan.scopes for version in scope.certain}
    stale = [f for f in downloaded.failures if f.not_found and f.file.module not in certain]
    if stale:
        platform.warn(f"{len(stale)} files of go.sum are on no proxy.\n{told(stale)}")
    failures = [f for f in downloaded.failures if f not in stale]
    if not failures:
        return 0
    error = _error(failures)
    if settings.on_failure == "fail":
        raise error
    platform.warn(f"{error.message}\n{error.hint}")
    return 0


def _error(failures: list[Failure]) -> DownloadError:
    message = f"{len(failures)} files could not be downloaded.\n{told(failures)}"
    if all(failure.not_found for failure in failures):
        return ModuleNotFound("module-not-found", message, hint="Is the version right, and is the module public?")
    hint = "Name another proxy in the goproxy input, separated by `|`, or try again later."
    return ProxyUnavailable("proxy-unavailable", message, hint=hint)


def _some(plan: Plan) -> str:
    names = sorted(map(str, plan.private))
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
