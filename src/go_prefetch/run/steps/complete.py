"""Let Go finish and decide: `go mod download` in every main module and workspace.

Go finds nearly everything in place, compares it with go.sum and unpacks it. It downloads private modules, and what
failed before. Only its verdict counts. A file that it rejects is downloaded once from another source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import ChecksumMismatch, Notice, PrefetchError, notice
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.model.report import RunState
from go_prefetch.model.results import Completed, Rejection
from go_prefetch.run.steps.go_download import GoDownload, ScopeFailure
from go_prefetch.run.steps.replacements import FetchAgain
from go_prefetch.verification.trees import Trees


def complete(go: GoDownload, state: RunState, trees: Trees, fetch_again: FetchAgain) -> Completed:
    """Return Go's verdict on every scope. A failure is part of the value, not raised."""
    plan = state.plan
    before = _contents(plan.scopes)
    verdict = go.verdict(state, trees, fetch_again)
    failures = [_explained(failure, state, go.budget.deadline) for failure in verdict.failures]
    failures.sort(key=lambda error: not isinstance(error, ChecksumMismatch))  # no setting ignores a wrong byte
    by_go = frozenset(file for file in plan.missing if file not in verdict.sources and plan.folder.has(file))
    return Completed(
        by_go=by_go,
        bytes_by_go=sum(map(plan.folder.size_of, by_go)),
        rejected=verdict.rejected,
        refetched=verdict.refetched,
        unverified=verdict.unverified,
        failure=failures[0] if failures else None,
        is_partial=verdict.is_partial,
        warnings=(
            *([] if failures else _dropped(state)),
            *(failure.notice for failure in failures[1:]),
            *replaced(plan, verdict.rejected),
            *verdict.warnings,
            *_changed(before, _contents(plan.scopes)),
            *_zips_without_sum(plan),
        ),
    )


def _explained(failure: ScopeFailure, state: RunState, deadline: Deadline) -> PrefetchError:
    """Return the cause of a failure. It names the module if there are several."""
    from go_prefetch.run.steps.explain_failure import explain_failure  # noqa: PLC0415 - most runs have none

    plan, scope = state.plan, failure.scope
    if scope is None:
        return explain_failure(failure.error, state.downloaded, deadline, plan)
    needed = {*scope.zips, *scope.mods}
    failed = tuple(one for one in state.downloaded.failures if one.file.module in needed)
    error = explain_failure(failure.error, replace(state.downloaded, failures=failed), deadline, plan)
    return error.about(scope.definition) if len(plan.scopes) > 1 else error


def _dropped(state: RunState) -> list[Notice]:
    """Return files that could not be downloaded and that Go did not need, except those that an earlier run reported."""
    news = [failure for failure in state.downloaded.failures if failure.file not in state.restored.unavailable]
    absent = [failure for failure in news if not state.plan.folder.has(failure.file)]
    return [notice("files-not-needed", count=len(absent), failures=tuple(absent))] if absent else []


def replaced(plan: Plan, rejections: Iterable[Rejection]) -> list[Notice]:
    """Return files that Go rejected, by their source."""
    counts = Counter((plan.folder.has(r.file), r.source) for r in rejections)
    return [
        notice("files-rejected", "replaced" if there else "removed", count=count, source=source)
        for (there, source), count in counts.items()
    ]


def _contents(scopes: Sequence[Scope]) -> dict[Path, bytes]:
    paths = {path for scope in scopes for path in (*scope.sums, scope.definition)}
    return {path: path.read_bytes() for path in paths if path.is_file()}


def _changed(before: dict[Path, bytes], after: dict[Path, bytes]) -> list[Notice]:
    """Return what Go wrote: it adds missing `/go.mod` lines, and may tidy go.mod itself."""
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return [notice("go-sum-changed", file=path, name=path.name, path=path) for path in changed]


def _zips_without_sum(plan: Plan) -> list[Notice]:
    """Return zips that Go took without a hash in go.sum. It adds no hash, and a later `go build` refuses the module."""
    found: list[Notice] = []
    for scope in plan.scopes:
        took = sorted(v for v in scope.zips_without_sum if plan.folder.has_zip(v))
        if took:
            path = scope.sums[0]
            found.append(notice("go-sum-lacks", file=path, name=path.name, path=path, modules=tuple(took)))
    return found
