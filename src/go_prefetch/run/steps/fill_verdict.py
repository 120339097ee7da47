"""What a folder that was filled without Go lacks: what fails the command, and what is only to be told."""

from __future__ import annotations

from collections.abc import Sequence

from go_prefetch.base.format import counted, some
from go_prefetch.errors import DownloadError, ModuleNotFound, ProxyUnavailable
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Failure, Filled, Restored
from go_prefetch.run.steps.explain_failure import advice, told

_MOST_NAMES = 5


def verdict(plan: Plan, filled: Filled) -> tuple[DownloadError | None, tuple[str, ...]]:
    """A file nobody has may be a stale line of go.sum, unless it belongs to a module that go.mod requires."""
    required_zips = {version for scope in plan.scopes for version in scope.required_zips}
    failures = filled.downloaded.failures
    stale = [f for f in failures if f.not_found and f.file.module not in required_zips]
    rest = [f for f in failures if f not in stale]
    warning = (f"{len(stale)} files of go.sum are on no proxy.\n{told(stale)}",) if stale else ()
    return (_error(rest) if rest else None), warning


def _error(failures: Sequence[Failure]) -> DownloadError:
    message = f"{counted(len(failures), 'file')} could not be downloaded.\n{told(failures)}"
    if all(failure.not_found for failure in failures):
        return ModuleNotFound("module-not-found", message, hint="Is the version right, and is the module public?")
    return ProxyUnavailable("proxy-unavailable", message, hint=advice(failures))


def deferred_to_go(plan: Plan, held: Restored) -> tuple[str, ...]:
    """A sentence about private modules that no proxy is asked for and the folder does not hold."""
    lacking = {file.module for file in plan.files if file not in held.files} & plan.private
    if not lacking:
        return ()
    return (f"{len(lacking)} private module versions are left to Go: {some(sorted(lacking), _MOST_NAMES)}",)


def left_out(filled: Filled) -> tuple[str, ...]:
    """A sentence about files that came and were not to stay."""
    if not filled.left_out:
        return ()
    return (
        f"{len(filled.left_out)} files came from a proxy with credentials and are not kept: this repository is not "
        "known to be private (save-private: true keeps them)",
    )
