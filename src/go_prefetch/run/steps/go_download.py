"""Run `go mod download` until it succeeds: start it again if it stalls, replace a file that it rejects once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from go_prefetch.base.retry import Budget
from go_prefetch.base.trees import walk
from go_prefetch.errors import ChecksumMismatch, Notice, PrefetchError
from go_prefetch.golang.command import GoCommand, GoRun, failed, in_parts
from go_prefetch.golang.download_trace import Pending
from go_prefetch.golang.go_stderr import may_pass, refusals, tells_of_a_damaged_zip, tells_of_a_lost_zip
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.watchdog import Watch
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.model.progress import Look, Meter
from go_prefetch.model.report import RunState
from go_prefetch.model.results import Downloaded, Rejection
from go_prefetch.run.steps.replacements import FetchAgain, Replacements, mismatch
from go_prefetch.run.steps.verify_mod_files import ModFilesVerified, verify_mod_files
from go_prefetch.verification.trees import Trees


class ScopeFailure(NamedTuple):
    """What Go failed with, and where."""

    scope: Scope | None
    error: PrefetchError


@dataclass(frozen=True)
class GoVerdict:
    """Go's verdict on the files in the module cache."""

    sources: Mapping[ModuleFile, str]  # sources of the files that are there, except those that Go downloaded itself
    rejected: tuple[Rejection, ...]
    refetched: Downloaded  # replacements of rejected files
    unverified: frozenset[ModuleFile]  # files of this run that no go command has read
    warnings: tuple[Notice, ...]
    failures: tuple[ScopeFailure, ...]
    is_partial: bool = False  # some scopes failed, and the others are complete


@dataclass(frozen=True)
class GoDownload:
    """How `go mod download` is run."""

    go: GoCommand
    goroot: Path
    variables: Mapping[str, str]
    silence: float  # seconds without progress after which it has stalled
    budget: Budget
    say: Callable[[str], None]
    meter: Meter
    goes_on: bool  # whether the other scopes are completed after one has failed

    def verdict(self, state: RunState, trees: Trees, fetch_again: FetchAgain) -> GoVerdict:
        """Return Go's verdict on every scope, and on the `.mod` files that it did not need. A failure is part of it."""
        plan = state.plan
        files = Replacements(state, trees, fetch_again, most=self.budget.backoff.attempts, say=self.say)
        self.meter.expect_modules(sum(file.kind == "zip" for file in plan.files))
        complete, failures = self._scopes(state, files)
        files.drop_unproven(plan.missing_toolchains)  # a go with another GOPROXY may run one without a check
        unverified = ModFilesVerified(frozenset())
        went_on = not any(isinstance(failure.error, ChecksumMismatch) for failure in failures)
        is_partial = bool(complete and failures) and went_on and len(complete) + len(failures) == len(plan.scopes)
        if is_partial or not failures:
            read = [version for scope in complete for version in scope.zips]
            try:
                unverified = verify_mod_files(files, plan, self.goroot, self.budget.deadline, read)
            except PrefetchError as error:
                failures, is_partial = [*failures, ScopeFailure(None, error)], False
        return GoVerdict(
            sources=dict(files.sources),
            rejected=tuple(files.rejected.values()),
            refetched=files.refetched,
            unverified=unverified.files,
            warnings=unverified.warnings,
            failures=tuple(failures),
            is_partial=is_partial,
        )

    def _scopes(self, state: RunState, files: Replacements) -> tuple[list[Scope], list[ScopeFailure]]:
        """Return the scopes that are complete, and those that failed. A wrong byte and the deadline end the work."""
        complete: list[Scope] = []
        failures: list[ScopeFailure] = []
        for scope in state.plan.scopes:
            try:
                for arguments in _argument_lists(scope, state):
                    self._run(scope, arguments, state.plan, files)
                complete.append(scope)
            except PrefetchError as error:
                failures.append(ScopeFailure(scope, error))
                if not self.goes_on or isinstance(error, ChecksumMismatch) or self.budget.deadline.passed():
                    break
        return complete, failures

    def _run(self, scope: Scope, arguments: Sequence[str], plan: Plan, files: Replacements) -> None:
        """Run it. Raises GoCommandError, DownloadError or ChecksumMismatch if Go fails in the end."""
        retries = self.budget.retries()
        while True:
            if scope.is_for_toolchain:
                run = self.go.switch_toolchain(scope.folder, self.variables, self._watch(plan))
            else:
                run = self.go.download(scope.folder, arguments, self.variables, self._watch(plan))
            if run.ok:
                return
            rejections = _rejections(run, plan, files) or self._damaged(scope, run, files)
            if rejections:
                files.replace(rejections)
                continue
            # A damaged zip that cannot be found any more has been replaced in the meantime.
            disturbed = tells_of_a_lost_zip(run.errors, plan.folder.path) or _is_damaged(run)
            if disturbed:
                files.look_again()
            again = run.stalled or disturbed or may_pass(run.errors)
            if not (again and retries.again()):
                if run.stalled and not self.budget.deadline.passed():
                    from go_prefetch.run.steps.explain_failure import stalled  # noqa: PLC0415

                    raise stalled(run, self.silence, retries.failed, plan)
                raise failed(run)
            self.say(f"go mod download {'stalled' if run.stalled else 'failed'}, starting attempt {retries.failed + 1}")

    def _watch(self, plan: Plan) -> Watch:
        cache = plan.folder.gomodcache / "cache"
        zips = [file.module for file in plan.files if file.kind == "zip"]

        def note_pending(pending: tuple[Pending, ...]) -> None:
            waiting_for = _shown(pending[0]) if pending else "Go to check and unpack modules"
            self.meter.watch(lambda: Look(modules=sum(map(plan.folder.accepted_by_go, zips)), waiting_for=waiting_for))

        note_pending(())
        return Watch(
            self.silence, lambda: _growth(cache), lambda line: self.say(f"go: {line}"), self.budget.deadline,
            note_pending,
        )  # fmt: skip

    def _damaged(self, scope: Scope, run: GoRun, files: Replacements) -> list[Rejection]:
        """Return the zips of this run that Go could not read to their end, if it did not name them."""
        if not _is_damaged(run):
            return []
        zips = [file for file in files.sources if file.kind == "zip"]
        suspects = [file for file in zips if files.may_be_replaced(file) and not files.is_proven(file)]
        versions = [file.module for file in suspects]
        errors = self.go.download_errors(scope.folder, versions, self.variables, self.budget.deadline)
        return [
            Rejection(file, files.sources[file], errors[file.module])
            for file in suspects
            if tells_of_a_damaged_zip(errors.get(file.module, ""))
        ]


def _shown(pending: Pending) -> str:
    return f"`{pending.command}` of {pending.remote}" if pending.is_version_control else pending.remote


def _argument_lists(scope: Scope, state: RunState) -> list[tuple[str, ...]]:
    """Yield no argument, or the explicit list in parts, without zips that every proxy denies (perhaps not needed)."""
    if not scope.explicit:
        return [()]
    plan = state.plan
    gone = {file.module for file in _denied(scope, state)} - plan.private
    return in_parts([version for version in scope.zips if version not in gone or plan.folder.has_zip(version)])


def _denied(scope: Scope, state: RunState) -> frozenset[ModuleFile]:
    """Return files that every proxy denies. A store's record counts if no proxy answered and no go.mod names them."""
    unanswered = {failure.file for failure in state.downloaded.failures} & state.restored.unavailable
    return state.downloaded.unavailable | {file for file in unanswered if file.module not in scope.required_zips}


def _rejections(run: GoRun, plan: Plan, files: Replacements) -> list[Rejection]:
    """Return the files that Go rejected in this run. Raises ChecksumMismatch for one that cannot be replaced again."""
    found: dict[ModuleFile, Rejection] = {}
    mismatches: list[ChecksumMismatch] = []
    for file, is_mismatch, words in refusals(run.errors, frozenset(plan.files)):
        rejection = Rejection(file, files.sources.get(file, "Go's own download"), words)
        if files.may_be_replaced(file):
            found[file] = rejection
        elif is_mismatch:
            mismatches.append(mismatch(rejection, files.rejected.get(file)))
    if mismatches:
        files.drop_unproven()
        raise mismatches[0]
    return list(found.values())


def _is_damaged(run: GoRun) -> bool:
    return any(map(tells_of_a_damaged_zip, run.errors))


def _growth(cache: Path) -> tuple[int, int]:
    """Return the number of files in the module cache's own folder, and their bytes, which change while Go downloads."""
    count = size = 0
    for _, entries in walk(cache):
        for entry in entries:
            try:
                size += entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue  # renamed in the meantime
            count += 1
    return count, size
