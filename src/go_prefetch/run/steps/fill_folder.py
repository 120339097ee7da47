"""Fill a folder in GOPROXY layout with exactly a plan's files, for readers with `GOPROXY=file://FOLDER,…`.

No Go is needed here. If there is one, it compares the files with go.sum afterwards (verify_folder.py).

A damaged file makes a reader's job fail, so existing files are read to their last byte. Files that are not in the plan
are removed. Nothing is written unless something changes, so that a CI cache has nothing to upload.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from go_prefetch.base.stopwatch import Stopwatch
from go_prefetch.errors import DownloadError, InputError, ModuleNotFound, Notice, notice
from go_prefetch.golang.goproxy import redact_list
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import NO_PLAN, Plan
from go_prefetch.model.progress import Meter, Working
from go_prefetch.model.results import Downloaded, Failure, Filled, Restored
from go_prefetch.model.save_rule import ALL_FILES, SaveRule
from go_prefetch.modfiles.damage import damage
from go_prefetch.modfiles.managed_folder import folder_error, own, remove_others
from go_prefetch.modfiles.staging import content_problem, trimmed_info
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.run.steps.download import download, still_missing
from go_prefetch.run.steps.explain_failure import unavailable


@dataclass(frozen=True)
class Supply:
    """How files come into a folder: from which proxies, and which of them stay."""

    walk: ProxyWalk
    working: Working
    rule: SaveRule = ALL_FILES  # what may not be saved does not stay
    afterwards: Callable[[], object] = lambda: None  # called with the folder after files have arrived
    stopwatch: Stopwatch = field(default_factory=lambda: Stopwatch("plan"))

    def bring(self, plan: Plan, files: Sequence[ModuleFile], avoid: str = "") -> Downloaded:
        """Download `files` into the plan's folder, from any proxy except `avoid` if there is another.

        Raises InputError for a list without a proxy, DownloadError if the folder cannot be written.
        """
        self.require_proxy(plan, files)
        with self.working("Download") as meter:
            came = download(files, self.walk, plan.folder, avoid=avoid, meter=meter)
        for file in self.left_out(came):
            plan.folder.drop(file)
        self.afterwards()
        return came

    def left_out(self, came: Downloaded) -> frozenset[ModuleFile]:
        """Return files that came from a proxy with credentials, if those are not to stay."""
        return frozenset(self.rule.withheld(NO_PLAN, came))

    def require_proxy(self, plan: Plan, lacking: Iterable[ModuleFile]) -> None:
        """Raise InputError if files must be downloaded and there is no proxy."""
        if any(file.module not in plan.private for file in lacking) and not self.walk.names:
            raise InputError("goproxy-invalid", "fill", goproxy=redact_list(self.walk.goproxy))


def fill_folder(plan: Plan, supply: Supply) -> Filled:
    """Check the contents of `plan.folder`, remove what is not in the plan, and download what is missing.

    Raises InputError for a folder with other contents and for a list without a proxy, DownloadError if the folder
    cannot be written. The result has the files that could not be downloaded.
    """
    supply.require_proxy(plan, plan.missing)
    own(plan.folder.path)
    withheld = supply.rule.withheld(plan)
    wanted = [file for file in plan.files if file not in withheld]
    try:
        with supply.stopwatch.step("restore"), supply.working("Check") as meter:
            removed = remove_others(plan.folder.path, wanted)
            held = _held(plan.folder, wanted, supply.walk.budget.jobs, meter)
    except OSError as error:
        raise folder_error(error, plan.folder.path) from None
    lacking = still_missing(replace(plan, files=tuple(wanted), present=frozenset()), held)
    with supply.stopwatch.step("download"):
        downloaded = supply.bring(plan, lacking)
    return Filled(held, downloaded, removed, supply.left_out(downloaded))


def _held(folder: ModuleFolder, wanted: Iterable[ModuleFile], jobs: int, meter: Meter) -> Restored:
    """Return complete files that are there. Damaged files are removed, because a reader would fail on them."""
    there = list(filter(folder.has, wanted))
    meter.expect(there, sum(map(folder.size_if_there, there)))

    def read(file: ModuleFile) -> str:
        problem = _problem(folder, file)
        meter.done(file, folder.size_if_there(file))
        return problem

    with ThreadPoolExecutor(min(jobs, os.cpu_count() or 1)) as readers:
        problems = dict(zip(there, readers.map(read, there), strict=True))
    damaged = {file: problem for file, problem in problems.items() if problem}
    for file in damaged:
        folder.drop(file)
    good = frozenset(problems) - damaged.keys()
    return Restored(
        store=f"folder {folder}",
        files=good,
        bytes=sum(map(folder.size_of, good)),
        warnings=damage(str(folder), damaged),
    )


def _problem(folder: ModuleFolder, file: ModuleFile) -> str:
    """Return why a file cannot stay. An `.info` has no hash, so only one that go-prefetch wrote stays."""
    path = folder.path_of(file)
    try:
        problem = content_problem(file, path)
        if file.kind == "info" and not problem:
            content = path.read_bytes()
            return "" if content == trimmed_info(file.module, content) else "it is not as it was written"
        return problem
    except OSError as error:
        return error.strerror or str(error)


def verdict(
    plan: Plan, filled: Filled, *, goes_direct: bool = False
) -> tuple[DownloadError | None, tuple[Notice, ...]]:
    """Return what a folder lacks that was filled without Go: the error, or warnings.

    A file that no proxy has may be a stale line of go.sum, unless it belongs to a module that go.mod requires. With
    `goes_direct`, the readers of the folder fetch such a module from its repository.
    """
    required_zips = {version for scope in plan.scopes for version in scope.required_zips}
    failures = filled.downloaded.failures
    stale = [f for f in failures if f.not_found and f.file.module not in required_zips]
    rest = [f for f in failures if f not in stale]
    direct = {f.file.module for f in rest if f.not_found and goes_direct}
    rest = [f for f in rest if f.file.module not in direct]
    warnings = (
        *([notice("go-sum-stale", count=len(stale), failures=tuple(stale))] if stale else []),
        *([notice("direct-left-to-go", count=len(direct), modules=tuple(sorted(direct)))] if direct else []),
    )
    return (_error(rest) if rest else None), warnings


def _error(failures: Sequence[Failure]) -> DownloadError:
    if all(failure.not_found for failure in failures):
        return ModuleNotFound("module-not-found", count=len(failures), failures=tuple(failures))
    return unavailable(failures)


def deferred_to_go(plan: Plan, held: Restored) -> tuple[Notice, ...]:
    """Return a warning about private modules, which are not downloaded and not in the folder."""
    lacking = {file.module for file in plan.files if file not in held.files} & plan.private
    if not lacking:
        return ()
    return (notice("private-left-to-go", count=len(lacking), modules=tuple(sorted(lacking))),)


def left_out(filled: Filled) -> tuple[Notice, ...]:
    """Return a warning about files that were downloaded and are not to stay."""
    if not filled.left_out:
        return ()
    return (notice("credentialed-not-kept", count=len(filled.left_out)),)
