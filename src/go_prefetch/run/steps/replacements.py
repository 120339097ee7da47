"""The files of this run in the module cache: their sources, what Go rejected, and the replacements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress

from go_prefetch.errors import ChecksumMismatch
from go_prefetch.golang.modcache import Identity, ModuleFile
from go_prefetch.model.report import RunState
from go_prefetch.model.results import Downloaded, Rejection
from go_prefetch.run.steps.check_present import tree_stays
from go_prefetch.verification.trees import Trees

# After this many rejected files of one source, none of its files is trusted any more.
DISTRUST_AFTER = 3

FetchAgain = Callable[[Sequence[ModuleFile], str], Downloaded]


class Replacements:
    """The files that a run found or downloaded, and the replacement of those that Go rejects.

    `most` is how often a file is replaced that other runs exchange again and again.
    """

    def __init__(
        self, state: RunState, trees: Trees, fetch_again: FetchAgain, *, most: int, say: Callable[[str], None]
    ) -> None:
        self.sources = {
            **{file: store.store for store in state.restored.of_each_store for file in store.files},
            **state.downloaded.files,
            **dict.fromkeys(state.plan.present, "the module cache"),
        }
        self.rejected: dict[ModuleFile, Rejection] = {}
        self.refetched = Downloaded()
        self._plan = state.plan
        self._folder = state.plan.folder
        self._restored = state.restored
        self._joined = set(state.downloaded.joined)
        self._trees = trees
        self._fetch_again = fetch_again
        self._most = most
        self._say = say
        self._placed: dict[ModuleFile, Identity] = {}  # replacements of rejected files
        self._exchanged: Counter[ModuleFile] = Counter()  # how often another run has put its own file there

    def is_proven(self, file: ModuleFile) -> bool:
        """Return whether Go has compared this file with go.sum."""
        return file.kind == "zip" and self._folder.accepted_by_go(file.module)

    def may_be_replaced(self, file: ModuleFile) -> bool:
        """Return whether a file of this run is rejected for the first time, or another run has exchanged it."""
        if file not in self.sources:
            return False
        if file not in self.rejected:
            return True
        replaced = self._folder.identity(file) != self._placed.get(file)
        return replaced and self._exchanged[file] < self._most

    def replace(self, rejections: Iterable[Rejection]) -> None:
        """Replace files that `go mod download` rejected; all files of the store too, once it is distrusted."""
        self._replace(rejections, self._restored.files)

    def replace_once(self, rejections: Sequence[Rejection], unverified: Collection[ModuleFile]) -> None:
        """Replace files that `go mod download` did not read. A file that is rejected a second time is only removed.

        `unverified` are files without a verdict. Those of the store are replaced too once it is distrusted.
        """
        self.drop(rejection.file for rejection in rejections if rejection.file in self.rejected)
        first = [rejection for rejection in rejections if rejection.file not in self.rejected]
        if first:
            self._replace(first, unverified)

    def drop(self, files: Iterable[ModuleFile]) -> None:
        """Remove files of this run."""
        for file in files:
            self._drop(file)

    def drop_unproven(self, among: Iterable[ModuleFile] | None = None) -> None:
        """Remove unproven files of this run. Go stops at the first wrong file, so others may follow."""
        files = list(self.sources if among is None else self.sources.keys() & set(among))
        ours = [file for file in files if file not in self._plan.present or file in self.rejected]
        for file in [file for file in ours if not self.is_proven(file)]:
            with suppress(ChecksumMismatch):  # one is about to be raised
                self._drop(file)

    def look_again(self) -> None:
        """Check which files are still those of this run, after another run has replaced some. Go downloads the others.

        Go may have unpacked a zip that it had not hashed, and would keep the tree once there is a hash of the next zip.
        """
        for file in list(self.sources):
            if not self._folder.path_of(file).exists():
                del self.sources[file]
        unpacked = filter(self._folder.has_tree, self._plan.modules)
        for version in sorted(self._trees.remove(unpacked).stays):
            raise tree_stays(self._plan, version)

    def _replace(self, rejections: Iterable[Rejection], suspects: Collection[ModuleFile]) -> None:
        for rejection in rejections:
            if rejection.file in self._joined:  # no verdict on a source
                self._say(f"Go rejected {rejection.file}, which came in several parts; downloading it whole")
                self._joined.discard(rejection.file)
                self._take_again([rejection.file], "")
                continue
            self._say(f"Go rejected {rejection.file} from {rejection.source}; trying another source")
            if rejection.file in self.rejected:  # the error names what this run brought
                self._exchanged[rejection.file] += 1
            self.rejected.setdefault(rejection.file, rejection)
            self._take_again([rejection.file], rejection.source)
        for restored in self._restored.of_each_store:
            self._distrust(restored.store, suspects)

    def _distrust(self, store: str, suspects: Collection[ModuleFile]) -> None:
        """Replace the suspects that came from a store of which several files were wrong."""
        wrong = sum(rejection.source == store for rejection in self.rejected.values())
        unproven = [file for file in suspects if self.sources.get(file) == store and not self.is_proven(file)]
        if wrong >= DISTRUST_AFTER and unproven:
            self._say(f"{wrong} files from {store} were wrong, so none of its files is used")
            self.rejected |= {file: distrusted(file, store) for file in unproven}
            self._renew(unproven, store)

    def _take_again(self, files: Iterable[ModuleFile], source: str) -> None:
        self._fetch([file for file in files if self._drop(file)], source)

    def _renew(self, files: Sequence[ModuleFile], source: str) -> None:
        """Replace files that Go has not rejected. Other runs may rely on those that are not zips.

        They stay until their replacement has arrived, so that a killed run removes nothing.
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

    def _drop(self, file: ModuleFile) -> bool:
        """Remove a file of this run. Return False if another go command has put a good one in its place.

        A tree next to a zip that Go rejects is unproven, and Go would keep it. Raises ChecksumMismatch if it stays.
        """
        self.sources.pop(file, None)
        if file.kind != "zip":
            self._folder.drop(file)
            return True
        unpacked = self._folder.has_tree(file.module)
        stays = unpacked and self._trees.remove([file.module]).stays
        dropped = self._trees.drop_zip(file.module)
        if stays:
            raise tree_stays(self._plan, file.module)
        return dropped


def distrusted(file: ModuleFile, source: str) -> Rejection:
    """Return the rejection of a file without a verdict: too many others of its source were wrong."""
    return Rejection(file, source, "distrusted: it came with files that Go rejected")


def mismatch(rejection: Rejection, earlier: Rejection | None) -> ChecksumMismatch:
    """Return the error for a file that is wrong from every source."""
    sources = (rejection.source,) if earlier is None else (earlier.source, rejection.source)
    return ChecksumMismatch("checksum-mismatch", module_file=rejection.file, sources=sources, stderr=rejection.words)
