"""If there is a Go, let it compare a filled folder with go.sum, and replace a file that it rejects, once.

Go alone, as the reader of the folder, stops at the first wrong file. It would stop there again in the next pipeline,
because a cache keeps the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from go_prefetch.base.format import counted
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import ChecksumMismatch, GoCommandError, Notice, notice
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import Completed, Downloaded, FailedAttempt, Failure, Filled, PassedOver, Rejection
from go_prefetch.run.steps.complete import replaced
from go_prefetch.run.steps.fill_folder import Supply
from go_prefetch.run.steps.replacements import DISTRUST_AFTER, distrusted, mismatch
from go_prefetch.verification.check_folder import check_folder

# Bytes per second that even a slow machine hashes. A Go that takes longer hangs.
_SLOWEST_HASHING = 10_000_000


@dataclass(frozen=True)
class GoAtHand:
    """The Go for the check, or why there is none; `warning` if that is unexpected."""

    goroot: Path = Path()
    goversion: str = ""
    skipped_reason: Notice | None = None
    warning: Notice | None = None


def go_at_hand(environ: Mapping[str, str], folder: Path) -> GoAtHand:
    """Return the go on PATH, if it is new enough and works."""
    try:
        variables = GoCommand(environ).variables(folder, ("GOROOT",))
    except GoCommandError as error:
        if error.slug == "go-not-found":
            return GoAtHand(skipped_reason=error.notice)
        return GoAtHand(skipped_reason=error.notice, warning=notice("folder-not-verified", cause=error.notice))
    return GoAtHand(Path(variables["GOROOT"]), variables["GOVERSION"])


def verify_folder(
    plan: Plan,
    sources: Mapping[ModuleFile, str],
    joined: frozenset[ModuleFile],
    go: GoAtHand,
    supply: Supply,
    silence: float,
) -> Completed:
    """Return Go's verdict on the files of `sources` (their sources by file). Wrong ones are replaced once.

    A wrong file of `joined`, which consists of parts of several answers, is downloaded whole before that counts.

    A file that is wrong a second time is the failure of the result, and unproven files are removed. A `.mod` that `go
    mod download` does not read is only removed. Go has `silence` seconds and the time for hashing. If its check is
    inconclusive, the files stay, with a warning.

    Raises DownloadError if the folder cannot be written.
    """
    if go.skipped_reason:
        return Completed(unverified_because=go.skipped_reason, warnings=(go.warning,) if go.warning else ())
    verification = _Verification(plan, sources, joined, supply)
    failure: ChecksumMismatch | None = None
    inconclusive: Notice | None = None
    try:
        inconclusive = verification.run(go.goroot, silence)
    except ChecksumMismatch as error:
        failure = error
    return Completed(
        rejected=tuple(verification.rejected.values()),
        refetched=verification.refetched,
        failure=failure,
        verified=len(verification.good),
        unverified=verification.unverified,
        unverified_because=inconclusive,
        warnings=(
            *replaced(plan, verification.rejected.values()),
            *((notice("folder-not-verified", cause=inconclusive),) if inconclusive else ()),
        ),
    )


def sources_of(filled: Filled) -> dict[ModuleFile, str]:
    """Return the sources of the files of a folder: the folder itself, or a proxy."""
    sources = {**dict.fromkeys(filled.held.files, filled.held.store), **filled.downloaded.files}
    return {file: source for file, source in sources.items() if file not in filled.left_out}


def after_verification(filled: Filled, completed: Completed, supply: Supply) -> Filled:
    """Return the state of the folder in the end."""
    rejected = {rejection.file for rejection in completed.rejected}
    held = replace(filled.held, files=filled.held.files - rejected)
    came = filled.downloaded.plus(completed.refetched)
    return Filled(held, came, filled.removed, supply.left_out(came))


class _Verification:
    """Rounds of verdict and replacement."""

    def __init__(
        self, plan: Plan, sources: Mapping[ModuleFile, str], joined: frozenset[ModuleFile], supply: Supply
    ) -> None:
        self.good: set[ModuleFile] = set()
        self.rejected: dict[ModuleFile, Rejection] = {}
        self.refetched = Downloaded()
        self._plan = plan
        self._sources = dict(sources)
        self._joined = set(joined)
        self._supply = supply

    def run(self, goroot: Path, silence: float) -> Notice | None:
        """Return why Go gave no verdict in the end, or None. Raises ChecksumMismatch for a file that is wrong twice."""
        while True:
            unproven = self._unproven()
            hashes = {file: digest for file, digest in self._plan.hashes.items() if file in unproven}
            with self._supply.working("Verify") as meter:
                meter.say(f"comparing {counted(len(hashes), 'file')} with go.sum")
                meter.wait_for("go mod verify")
                verdict = check_folder(self._plan.folder, goroot, hashes, self._limit(hashes, silence))
            self.good |= verdict.good
            joined = self._joined & verdict.bad.keys()
            if joined:
                self._joined -= joined
                self._drop(joined)
                self._take_again(sorted(joined), "")
            bad = {file: words for file, words in verdict.bad.items() if file not in joined}
            if bad:
                self._reject(bad)
            if verdict.inconclusive or not verdict.bad:
                return verdict.inconclusive

    def _limit(self, files: Iterable[ModuleFile], silence: float) -> Deadline:
        size = 0
        for file in files:
            with suppress(OSError):  # removed in the meantime, which is not an error here
                size += self._plan.folder.size_of(file)
        return self._supply.walk.budget.deadline.earlier_of(silence + size / _SLOWEST_HASHING)

    @property
    def unverified(self) -> frozenset[ModuleFile]:
        """Return the files of the folder without a verdict of Go, except those that it does not read here."""
        skipped = self._plan.toolchains
        return frozenset(f for f in self._sources if f.kind != "info" and f.module not in skipped) - self.good

    def _unproven(self) -> frozenset[ModuleFile]:
        return frozenset(self._sources.keys() & self._plan.hashes.keys()) - self.good

    def _reject(self, bad: Mapping[ModuleFile, str]) -> None:
        rejections = [Rejection(file, self._sources[file], words) for file, words in sorted(bad.items())]
        for rejection in (rejection for rejection in rejections if rejection.file in self.rejected):
            if self._is_certain_to_be_read(rejection.file):
                self._drop(self._unproven())
                raise mismatch(rejection, self.rejected[rejection.file])
            self._drop([rejection.file])
        first = [rejection for rejection in rejections if rejection.file not in self.rejected]
        self.rejected |= {rejection.file: rejection for rejection in first}
        first += self._distrusted()
        self.rejected |= {rejection.file: rejection for rejection in first}
        self._drop(rejection.file for rejection in first)
        for source in sorted({rejection.source for rejection in first}):
            self._take_again([rejection.file for rejection in first if rejection.source == source], source)

    def _is_certain_to_be_read(self, file: ModuleFile) -> bool:
        """Return whether `go mod download` reads it. Those of pruned versions are skipped, and must not fail a job."""
        return file.kind == "zip" or file.module in self._plan.modules

    def _distrusted(self) -> list[Rejection]:
        """Return `.mod` files without a verdict, from a source of several wrong files, that a proxy may replace.

        Go names one wrong `.mod` at a time.
        """
        if not self._supply.walk.names:
            return []
        wrong = Counter(rejection.source for rejection in self.rejected.values())
        doubtful = (file for file in sorted(self._unproven() - self.rejected.keys()) if file.kind == "mod")
        found = (distrusted(f, self._sources[f]) for f in doubtful if f.module not in self._plan.private)
        return [rejection for rejection in found if wrong[rejection.source] >= DISTRUST_AFTER]

    def _take_again(self, files: list[ModuleFile], source: str) -> None:
        public = [file for file in files if file.module not in self._plan.private]
        if self._supply.walk.names:
            came = self._supply.bring(self._plan, public, source)
        else:
            why = (FailedAttempt(source, passed_over=PassedOver.REJECTED),)
            came = Downloaded(failures=tuple(Failure(file, not_found=False, attempts=why) for file in public))
        stayed = came.files.keys() - self._supply.left_out(came)
        self._sources |= {file: came.files[file] for file in stayed}
        self.refetched = self.refetched.plus(came)

    def _drop(self, files: Iterable[ModuleFile]) -> None:
        for file in list(files):
            self._plan.folder.drop(file)
            self._sources.pop(file, None)
