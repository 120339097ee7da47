"""What a folder that was filled without Go lacks: what fails the command, and what is only to be told."""

from __future__ import annotations

from collections.abc import Sequence

from go_prefetch.errors import DownloadError, ModuleNotFound, Notice, notice
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Failure, Filled, Restored
from go_prefetch.run.steps.explain_failure import unavailable


def verdict(plan: Plan, filled: Filled) -> tuple[DownloadError | None, tuple[Notice, ...]]:
    """A file nobody has may be a stale line of go.sum, unless it belongs to a module that go.mod requires."""
    required_zips = {version for scope in plan.scopes for version in scope.required_zips}
    failures = filled.downloaded.failures
    stale = [f for f in failures if f.not_found and f.file.module not in required_zips]
    rest = [f for f in failures if f not in stale]
    warning = (notice("go-sum-stale", count=len(stale), failures=tuple(stale)),) if stale else ()
    return (_error(rest) if rest else None), warning


def _error(failures: Sequence[Failure]) -> DownloadError:
    if all(failure.not_found for failure in failures):
        return ModuleNotFound("module-not-found", count=len(failures), failures=tuple(failures))
    return unavailable(failures)


def deferred_to_go(plan: Plan, held: Restored) -> tuple[Notice, ...]:
    """A sentence about private modules that no proxy is asked for and the folder does not hold."""
    lacking = {file.module for file in plan.files if file not in held.files} & plan.private
    if not lacking:
        return ()
    return (notice("private-left-to-go", count=len(lacking), modules=tuple(sorted(lacking))),)


def left_out(filled: Filled) -> tuple[Notice, ...]:
    """A sentence about files that came and were not to stay."""
    if not filled.left_out:
        return ()
    return (notice("credentialed-not-kept", count=len(filled.left_out)),)
