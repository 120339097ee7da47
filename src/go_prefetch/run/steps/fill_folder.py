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

from go_prefetch.base.retry import Cause
from go_prefetch.base.stopwatch import Stopwatch
from go_prefetch.errors import DownloadError, InputError, ModuleNotFound, Notice, notice
from go_prefetch.golang.goproxy import ProxyList, redact_list
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.failure_cause import is_late_only
from go_prefetch.model.plan import NO_PLAN, Plan
from go_prefetch.model.progress import Meter, Working
from go_prefetch.model.results import Downloaded, Failure, Filled, PassedOver, Restored
from go_prefetch.model.save_rule import ALL_FILES, SaveRule
from go_prefetch.modfiles.damage import damage
from go_prefetch.modfiles.managed_folder import folder_error, own, remove_others
from go_prefetch.modfiles.staging import content_problem, trimmed_info
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.run.steps.download import download, still_missing
from go_prefetch.run.steps.explain_failure import unavailable
from go_prefetch.run.steps.plan import decide

_HOLDING_UP = (Cause.CONTENT, Cause.SILENT)


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


def fill_folder(plan: Plan, supply: Supply) -> tuple[Plan, Filled]:
    """Check the contents of `plan.folder`, remove what is not in the plan, and download what is missing.

    Return the plan as the `.mod` files in the folder decide it, and the result with the files that could not be
    downloaded. Raises InputError for a folder with other contents and for a list without a proxy, DownloadError if the
    folder cannot be written.
    """
    supply.require_proxy(plan, plan.missing)
    own(plan.folder.path)
    removed = _remove_others(plan, supply)
    held, downloaded = Restored(store=f"folder {plan.folder}"), Downloaded()
    seen: set[ModuleFile] = set()
    while new := [file for file in plan.files if file not in seen]:
        seen.update(new)
        held, plan = held.plus(_held(plan, new, supply)), decide(plan)
        if seen.issuperset(plan.files):
            downloaded, plan = downloaded.plus(_downloaded(plan, held, downloaded, supply)), decide(plan)
    removed += _remove_others(plan, supply)
    return plan, Filled(held, downloaded, removed, supply.left_out(downloaded)).only(plan.files)


def _remove_others(plan: Plan, supply: Supply) -> int:
    """Remove what is neither planned nor a candidate. Raises DownloadError if the folder cannot be written."""
    try:
        with supply.stopwatch.step("restore"), supply.working("Check"):
            return remove_others(plan.folder.path, _staying(plan, (*plan.files, *plan.candidates), supply))
    except OSError as error:
        raise folder_error(error, plan.folder.path) from None


def _downloaded(plan: Plan, held: Restored, before: Downloaded, supply: Supply) -> Downloaded:
    """Download what neither was there nor was asked for before."""
    known = before.files.keys() | {failure.file for failure in before.failures}
    wanted = tuple(file for file in _staying(plan, plan.files, supply) if file not in known)
    with supply.stopwatch.step("download"):
        return supply.bring(plan, still_missing(replace(plan, files=wanted, present=frozenset()), held))


def _staying(plan: Plan, files: Iterable[ModuleFile], supply: Supply) -> list[ModuleFile]:
    withheld = supply.rule.withheld(replace(plan, files=(*plan.files, *plan.candidates)))
    return [file for file in files if file not in withheld]


def _held(plan: Plan, files: Iterable[ModuleFile], supply: Supply) -> Restored:
    """Return those of `files` that are there and complete. Damaged ones are removed, as a reader would fail on them.

    Raises DownloadError if the folder cannot be written.
    """
    folder = plan.folder
    there = [file for file in _staying(plan, files, supply) if folder.has(file)]
    try:
        with supply.stopwatch.step("restore"), supply.working("Check") as meter:
            meter.expect(there, sum(map(folder.size_if_there, there)))
            problems = _problems(folder, there, supply.walk.budget.jobs.least, meter)
            for file in problems:
                folder.drop(file)
            good = frozenset(there) - problems.keys()
            return Restored(files=good, bytes=sum(map(folder.size_of, good)), warnings=damage(str(folder), problems))
    except OSError as error:
        raise folder_error(error, folder.path) from None


def _problems(folder: ModuleFolder, files: Sequence[ModuleFile], jobs: int, meter: Meter) -> dict[ModuleFile, str]:
    """Return why some of the files cannot stay."""

    def read(file: ModuleFile) -> str:
        problem = _problem(folder, file)
        meter.done(file, folder.size_if_there(file))
        return problem

    with ThreadPoolExecutor(min(jobs, os.cpu_count() or 1)) as readers:
        return {file: why for file, why in zip(files, readers.map(read, files), strict=True) if why}


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
    plan: Plan, filled: Filled, proxies: ProxyList | None = None
) -> tuple[DownloadError | None, tuple[Notice, ...]]:
    """Return what a folder lacks that was filled without Go: the error, or warnings.

    A file that no proxy has may be a stale line of go.sum, unless it belongs to a module that go.mod requires. If
    `proxies`, which the readers of the folder have too, lead on to `direct`, Go fetches such a module from its
    repository.
    """
    required_zips = {version for scope in plan.scopes for version in scope.required_zips}
    failures = filled.downloaded.failures
    stale = [f for f in failures if f.not_found and f.file.module not in required_zips]
    rest = [f for f in failures if f not in stale]
    direct = {f.file.module for f in rest if proxies and _is_left_to_direct(f, proxies)}
    rest = [f for f in rest if f.file.module not in direct]
    warnings = (
        *([notice("go-sum-stale", count=len(stale), failures=tuple(stale))] if stale else []),
        *([notice("direct-left-to-go", count=len(direct), modules=tuple(sorted(direct)))] if direct else []),
    )
    return (_error(rest) if rest else None), warnings


def _is_left_to_direct(failure: Failure, proxies: ProxyList) -> bool:
    """Return whether Go goes on to `direct` after these attempts. A silent proxy or a wrong file holds it up before."""
    if proxies.ending != "direct":
        return False
    if failure.not_found:
        return True
    asked = [attempt for attempt in failure.attempts if not attempt.not_found]
    go_on = {proxy.shown for proxy in proxies.proxies if proxy.goes_on_in_go}
    return bool(asked) and all(
        one.source in go_on and one.passed_over is not PassedOver.REJECTED and one.cause not in _HOLDING_UP
        for one in asked
    )


def _error(failures: Sequence[Failure]) -> DownloadError:
    if all(failure.not_found for failure in failures):
        case = "slow-origin" if is_late_only(failures) else ""
        return ModuleNotFound("module-not-found", case, count=len(failures), failures=tuple(failures), cause=None)
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
