"""Run Go until it is content: start it again when it stalls, replace what it rejects, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from go_prefetch.base.retry import Budget
from go_prefetch.base.trees import walk
from go_prefetch.errors import ChecksumMismatch
from go_prefetch.golang.command import GoCommand, GoRun, failed
from go_prefetch.golang.go_stderr import may_pass, refusals, tells_of_a_damaged_zip, tells_of_a_lost_zip
from go_prefetch.golang.modcache import Identity, ModuleFile
from go_prefetch.golang.watchdog import Watch
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.model.results import Downloaded, Rejection, Restored
from go_prefetch.run.steps.check_present import tree_stays
from go_prefetch.run.steps.explain_stall import stalled
from go_prefetch.verification.trees import Trees

# After this many rejected files from the store, none of its files is believed any more.
_DISTRUST_AFTER = 3

FetchAgain = Callable[[Sequence[ModuleFile], str], Downloaded]


class GoDownload:
    """Runs Go until it is content, replacing what it rejects."""

    def __init__(  # noqa: PLR0913
        self,
        go: GoCommand,
        plan: Plan,
        sources: dict[ModuleFile, str],
        restored: Restored,
        *,
        fetch_again: FetchAgain,
        variables: Mapping[str, str],
        silence: float,
        budget: Budget,
        trees: Trees,
        say: Callable[[str], None],
    ) -> None:
        self.sources = sources
        self.rejected: dict[ModuleFile, Rejection] = {}
        self.refetched = Downloaded()
        self._go = go
        self._plan = plan
        self._folder = plan.folder
        self._planned = frozenset(plan.files)
        self._placed: dict[ModuleFile, Identity] = {}  # what took the place of a rejected file
        self._exchanged: Counter[ModuleFile] = Counter()  # how often another run has put its own there
        self._trees = trees
        self._restored = restored
        self._fetch_again = fetch_again
        self._variables = variables
        self._silence = silence
        self._budget = budget
        self._say = say

    def run(self, scope: Scope, arguments: Sequence[str]) -> None:
        """Raises GoCommandError, DownloadError or ChecksumMismatch where Go is not content in the end."""
        retries = self._budget.retries()
        while True:
            run = self._go.download(scope.folder, arguments, self._variables, self._watch())
            if run.ok:
                return
            rejections = self._rejections(run) or self._damaged(scope, run)
            if rejections:
                self._replace(rejections, self._restored.files)
                continue
            # A damaged zip that nobody finds any more has been replaced meanwhile.
            disturbed = tells_of_a_lost_zip(run.errors, self._folder.path) or _is_damaged(run)
            if disturbed:
                self._look_again()
            again = run.stalled or disturbed or may_pass(run.errors)
            if not (again and retries.again()):
                if run.stalled and not self._budget.deadline.passed():
                    raise stalled(run, self._silence, retries.failed, self._plan)
                raise failed(run)
            self._say(f"go mod download {'stalled' if run.stalled else 'failed'}; attempt {retries.failed + 1} follows")

    def _watch(self) -> Watch:
        cache = self._folder.gomodcache / "cache"
        return Watch(self._silence, lambda: _growth(cache), self._say_line, self._budget.deadline)

    def _say_line(self, line: str) -> None:
        self._say(f"go: {line}")

    def _rejections(self, run: GoRun) -> list[Rejection]:
        """The files Go refused in this run. Raises ChecksumMismatch for one that cannot be replaced (again)."""
        found: dict[ModuleFile, Rejection] = {}
        mismatches: list[ChecksumMismatch] = []
        for file, is_mismatch, words in refusals(run.errors, self._planned):
            rejection = Rejection(file, self.sources.get(file, "Go's own download"), words)
            if file in self.sources and self._may_be_replaced(file):
                found[file] = rejection
            elif is_mismatch:
                mismatches.append(mismatch(rejection, self.rejected.get(file)))
        if mismatches:
            self._drop_unproven()
            raise mismatches[0]
        return list(found.values())

    def _damaged(self, scope: Scope, run: GoRun) -> list[Rejection]:
        """The zips of ours that Go could not read to their end, where it did not name them."""
        if not _is_damaged(run):
            return []
        suspects = [
            file
            for file in self.sources
            if file.kind == "zip" and self._may_be_replaced(file) and not self._proven(file)
        ]
        versions = [file.module for file in suspects]
        said = self._go.download_errors(scope.folder, versions, self._variables, self._budget.deadline)
        return [
            Rejection(file, self.sources[file], said[file.module])
            for file in suspects
            if tells_of_a_damaged_zip(said.get(file.module, ""))
        ]

    def reject(self, rejections: Sequence[Rejection], unverified: Iterable[ModuleFile]) -> None:
        """Replace files that no run of `run` asked for; what is refused a second time is only taken away.

        `unverified` are those that Go has said nothing of; those of the store go too once it is distrusted.
        """
        for rejection in rejections:
            if rejection.file in self.rejected:
                self._drop(rejection.file)
        first = [rejection for rejection in rejections if rejection.file not in self.rejected]
        if first:
            self._replace(first, unverified)

    def drop(self, files: Iterable[ModuleFile]) -> None:
        """Take files of ours away."""
        for file in files:
            self._drop(file)

    def _replace(self, rejections: Iterable[Rejection], suspects: Iterable[ModuleFile]) -> None:
        for rejection in rejections:
            self._say(f"Go rejected {rejection.file} from {rejection.source}; trying another source")
            if rejection.file in self.rejected:  # what is named in the end is what we brought
                self._exchanged[rejection.file] += 1
            self.rejected.setdefault(rejection.file, rejection)
            self._take_again([rejection.file], rejection.source)
        from_store = [r for r in self.rejected.values() if r.source == self._restored.store]
        unproven = [f for f in suspects if self.sources.get(f) == self._restored.store and not self._proven(f)]
        if len(from_store) >= _DISTRUST_AFTER and unproven:
            self._say(f"{len(from_store)} files from {self._restored.store} were wrong; leaving all of its files")
            for file in unproven:
                words = "distrusted: it came with files that Go rejected"
                self.rejected[file] = Rejection(file, self._restored.store, words)
            self._renew(unproven, self._restored.store)

    def _proven(self, file: ModuleFile) -> bool:
        return file.kind == "zip" and self._folder.accepted_by_go(file.module)

    def _may_be_replaced(self, file: ModuleFile) -> bool:
        """Whether Go refuses it for the first time, or another run has put its own in place of what we took then."""
        if file not in self.rejected:
            return True
        replaced = self._folder.identity(file) != self._placed.get(file)
        return replaced and self._exchanged[file] < self._budget.backoff.attempts

    def _look_again(self) -> None:
        """After another run has replaced files under Go's hands: what it took is ours no more, and Go fetches it.

        Go may have unpacked a zip that it had not hashed, and would keep the tree once there is a hash of the next zip.
        """
        for file in list(self.sources):
            if not self._folder.path_of(file).exists():
                del self.sources[file]
        unpacked = filter(self._folder.has_tree, self._plan.modules)
        for version in sorted(self._trees.take_away(unpacked).stays):
            raise tree_stays(self._plan, version)

    def _take_again(self, files: Iterable[ModuleFile], source: str) -> None:
        self._fetch([file for file in files if self._drop(file)], source)

    def _renew(self, files: Sequence[ModuleFile], source: str) -> None:
        """The same for files that Go has not refused: other runs may count on those that are no zips.

        They stay until others have come in their place, so that a run that is killed meanwhile takes nothing away.
        """
        self._take_again([file for file in files if file.kind == "zip"], source)
        others = [file for file in files if file.kind != "zip"]
        came = self._fetch(others, source)
        self.drop(file for file in others if file not in came.files)

    def _fetch(self, files: Sequence[ModuleFile], source: str) -> Downloaded:
        got = self._fetch_again([file for file in files if file.module not in self._plan.private], source)
        self.sources.update(got.files)
        self._placed |= {file: self._folder.identity(file) for file in files}
        self.refetched = self.refetched.plus(got)
        return got

    def _drop_unproven(self) -> None:
        """Go stops at the first wrong file: leave nothing we brought that it has not accepted to a later go command."""
        ours = [file for file in self.sources if file not in self._plan.present or file in self.rejected]
        for file in [file for file in ours if not self._proven(file)]:
            with suppress(ChecksumMismatch):  # one is about to be raised
                self._drop(file)

    def _drop(self, file: ModuleFile) -> bool:
        """Take a file of ours away; False if another go command has put a good one in its place.

        A tree beside a zip that Go rejects is nobody's, and Go would keep it. Raises ChecksumMismatch if it stays.
        """
        self.sources.pop(file, None)
        if file.kind != "zip":
            self._folder.drop(file)
            return True
        unpacked = self._folder.has_tree(file.module)
        stays = unpacked and self._trees.take_away([file.module]).stays
        dropped = self._trees.drop_zip(file.module)
        if stays:
            raise tree_stays(self._plan, file.module)
        return dropped


def _is_damaged(run: GoRun) -> bool:
    return any(map(tells_of_a_damaged_zip, run.errors))


def _growth(cache: Path) -> tuple[int, int]:
    """How many files the module cache's own folder holds, and their bytes: it changes while Go downloads."""
    count = size = 0
    for _, entries in walk(cache):
        for entry in entries:
            try:
                size += entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue  # renamed meanwhile
            count += 1
    return count, size


def mismatch(rejection: Rejection, earlier: Rejection | None) -> ChecksumMismatch:
    """The error for a file that is wrong from every source that was asked."""
    sources = (rejection.source,) if earlier is None else (earlier.source, rejection.source)
    return ChecksumMismatch("checksum-mismatch", module_file=rejection.file, sources=sources, stderr=rejection.words)
