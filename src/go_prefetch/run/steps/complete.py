"""Let Go finish and judge: `go mod download` in every main module and workspace.

Go finds nearly everything in place, checks it against go.sum and unpacks it; what is private or failed here it fetches
itself. Only its verdict counts. A file it rejects is taken once from another source.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from go_prefetch.base.retry import Budget
from go_prefetch.errors import Notice, PrefetchError, notice
from go_prefetch.golang.command import GoCommand, in_parts
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.model.results import Completed, Downloaded, Rejection, Restored
from go_prefetch.run.steps.explain_failure import blamed
from go_prefetch.run.steps.go_download import FetchAgain, GoDownload
from go_prefetch.run.steps.verify_mod_files import ModFilesVerified, verify_mod_files
from go_prefetch.verification.trees import Trees


def complete(  # noqa: PLR0913 - Go's verdict takes in every step before
    go: GoCommand,
    plan: Plan,
    restored: Restored,
    downloaded: Downloaded,
    *,
    fetch_again: FetchAgain,
    variables: Mapping[str, str],
    silence: float,
    budget: Budget,
    goroot: Path,
    trees: Trees,
    say: Callable[[str], None],
) -> Completed:
    """Go's verdict on every scope, as a value: a failure is told, not raised."""
    started = time.monotonic()
    before = _contents(plan.scopes)
    sources = {**dict.fromkeys(restored.files, restored.store), **downloaded.files}
    sources.update(dict.fromkeys(plan.present, "the module cache"))
    go_download = GoDownload(
        go,
        plan,
        sources,
        restored,
        fetch_again=fetch_again,
        variables=variables,
        silence=silence,
        budget=budget,
        trees=trees,
        say=say,
    )
    failure: PrefetchError | None = None
    unverified = ModFilesVerified(frozenset())
    try:
        for scope in plan.scopes:
            for arguments in _argument_lists(scope, plan, _denied(scope, restored, downloaded)):
                go_download.run(scope, arguments)
        unverified = verify_mod_files(go_download, plan, goroot, budget.deadline)
    except PrefetchError as error:
        failure = blamed(error, downloaded, budget.deadline)
    by_go = frozenset(file for file in plan.missing if file not in go_download.sources and plan.folder.has(file))
    return Completed(
        by_go=by_go,
        bytes_by_go=sum(map(plan.folder.size_of, by_go)),
        rejected=tuple(go_download.rejected.values()),
        seconds=time.monotonic() - started,
        refetched=go_download.refetched,
        unverified=unverified.files,
        failure=failure,
        warnings=(
            *_dropped(plan, restored, downloaded, failure),
            *replaced(plan, go_download.rejected.values()),
            *unverified.warnings,
            *_changed(before, _contents(plan.scopes)),
            *_zips_without_sum(plan),
        ),
    )


def _denied(scope: Scope, restored: Restored, downloaded: Downloaded) -> frozenset[ModuleFile]:
    """Files that every proxy denies. A store's word on that counts where none answered, and no go.mod names it."""
    unanswered = {failure.file for failure in downloaded.failures} & restored.unavailable
    return downloaded.unavailable | {file for file in unanswered if file.module not in scope.required_zips}


def _argument_lists(scope: Scope, plan: Plan, unavailable: frozenset[ModuleFile]) -> list[tuple[str, ...]]:
    """No argument, or the explicit list in parts; a zip that every proxy denies is left out: no build may need it."""
    if not scope.explicit:
        return [()]
    gone = {file.module for file in unavailable} - plan.private
    return in_parts([v for v in scope.zips if v not in gone or plan.folder.has_zip(v)])


def _dropped(plan: Plan, restored: Restored, downloaded: Downloaded, failure: PrefetchError | None) -> list[Notice]:
    """Files that could not be had and that Go did without; not those of which a run before has told."""
    if failure:
        return []
    news = [failure for failure in downloaded.failures if failure.file not in restored.unavailable]
    absent = [failure for failure in news if not plan.folder.has(failure.file)]
    return [notice("files-not-needed", count=len(absent), failures=tuple(absent))] if absent else []


def replaced(plan: Plan, rejections: Iterable[Rejection]) -> list[Notice]:
    """Files that Go refused, by where they came from."""
    counts = Counter((plan.folder.has(r.file), r.source) for r in rejections)
    return [
        notice("files-rejected", "replaced" if there else "removed", count=count, source=source)
        for (there, source), count in counts.items()
    ]


def _contents(scopes: Sequence[Scope]) -> dict[Path, bytes]:
    paths = {path for scope in scopes for path in (*scope.sums, scope.definition)}
    return {path: path.read_bytes() for path in paths if path.is_file()}


def _changed(before: dict[Path, bytes], after: dict[Path, bytes]) -> list[Notice]:
    """What Go wrote: it adds missing `/go.mod` lines, and may tidy go.mod itself."""
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return [notice("go-sum-changed", file=path, name=path.name, path=path) for path in changed]


def _zips_without_sum(plan: Plan) -> list[Notice]:
    """Zips that Go took though go.sum has no hash of them: it adds none, and a later `go build` refuses."""
    found: list[Notice] = []
    for scope in plan.scopes:
        took = sorted(v for v in scope.zips_without_sum if plan.folder.has_zip(v))
        if took:
            path = scope.sums[0]
            found.append(notice("go-sum-lacks", file=path, name=path.name, path=path, modules=tuple(took)))
    return found
