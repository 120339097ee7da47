"""A small GOMODCACHE of stubs, in which `go mod verify` becomes a check against go.sum.

Its contents: a main module that requires exactly these versions, and for each of them a stub `.mod`, a stub `.info` and
a `.ziphash` written from go.sum. There is no zip during the check, so `go mod verify` compares a tree with that hash
only. A canary shows that it has checked, and checked all of them. It is a module with a wrong hash and a random name
that sorts last.

Go hashes one tree on one core, in the order of paths. Large trees are checked by a second `go mod verify` at the same
time, with a main module and a canary of its own, so that none of them begins when all others have ended.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from go_prefetch.base.background import at_once
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.go_stderr import tells_of_a_damaged_zip
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.verification.sandbox import WRONG_HASH, GoOutput, IsolatedGo, new_canary, unexpected

_MAIN = "module x\n\ngo 1.17\n\nrequire (\n{}\n)\n"
_NAMED = re.compile(r"(?P<path>\S+) (?P<version>v\S+): (?P<words>.*)")


@dataclass(frozen=True)
class Verdict:
    """The result of `go mod verify`: trees that match go.sum, trees that do not, or why it is inconclusive."""

    good: frozenset[ModuleVersion] = frozenset()
    bad: frozenset[ModuleVersion] = frozenset()
    inconclusive: Notice | None = None


@dataclass(frozen=True)
class _Part:
    """What one `go mod verify` checks: the versions that `main` requires, and a canary."""

    main: Path
    versions: frozenset[ModuleVersion]
    canary: ModuleVersion


class StubCache:
    """The stubs for `hashes` (zip hash of go.sum by module version, one version per path) in the new folder `root`."""

    def __init__(self, root: Path, goroot: Path, hashes: Mapping[ModuleVersion, str], *, writable_trees: bool) -> None:
        self._go = IsolatedGo(root, goroot, writable_trees=writable_trees)
        self.folder = self._go.folder  # `unpack` expects the zips in it, and creates the trees from them
        self._versions = frozenset(hashes)
        self._canaries = (new_canary(), new_canary())
        self._packed_canaries = [*self._canaries]  # unpacked with the first zips: no start of go for them
        self._lay({**hashes, **dict.fromkeys(self._canaries, WRONG_HASH)})
        self._all = self._part(self._go.main, self._versions, self._canaries[0])

    def stop(self) -> None:
        """End every Go in this cache now, and start no other."""
        self._go.stop()

    def unpack(self, versions: Iterable[ModuleVersion], deadline: Deadline) -> None:
        """Let Go unpack the zips of `versions`. A zip that it rejects has no tree afterwards. Thread-safe."""
        named = [*versions]
        with suppress(IndexError):
            while True:
                named.append(self._packed_canaries.pop())
        self._go.run("mod", "download", *map(str, named), deadline=deadline)

    def verify(self, deadline: Deadline, large: Collection[ModuleVersion] = ()) -> Verdict:
        """Return Go's verdict on the trees, after the zips are removed. Unexpected output is inconclusive."""
        if self._packed_canaries:
            self.unpack([], deadline)
        try:
            for version in (*self._versions, *self._canaries):
                self.folder.zip_path(version).unlink(missing_ok=True)
            parts = self._parts(self._versions & frozenset(large))
        except OSError as error:
            return Verdict(inconclusive=notice("inconclusive", "zips", words=error.strerror))
        verdicts = at_once({part: partial(self._verify, part, deadline) for part in parts}).values()
        unclear = [verdict for verdict in verdicts if verdict.inconclusive]
        good, bad = (verdict.good for verdict in verdicts), (verdict.bad for verdict in verdicts)
        return unclear[0] if unclear else Verdict(frozenset().union(*good), frozenset().union(*bad))

    def _verify(self, part: _Part, deadline: Deadline) -> Verdict:
        covered = self._covered(part, deadline)
        output = self._go.run("mod", "verify", deadline=deadline, main=part.main)
        bad = self._named(part, output)
        if bad is None:
            return Verdict(inconclusive=unexpected("go mod verify", output))
        if part.canary not in covered:
            return Verdict(inconclusive=notice("inconclusive", "trees-not-listed"))
        return Verdict(good=covered - bad - {part.canary}, bad=bad)

    def _parts(self, large: frozenset[ModuleVersion]) -> list[_Part]:
        """Return all versions as one part, or as two. Raises OSError."""
        groups = (self._versions - large, large)
        if not all(groups):
            return [self._all]
        mains = [self._go.main.with_name(name) for name in ("main-small", "main-large")]
        return [self._part(*part) for part in zip(mains, groups, self._canaries, strict=True)]

    def _part(self, main: Path, versions: frozenset[ModuleVersion], canary: ModuleVersion) -> _Part:
        """Create a main module that requires these versions. Raises OSError."""
        main.mkdir(parents=True)
        required = "\n".join(f"\t{version.path} {version.version}" for version in sorted({*versions, canary}))
        (main / "go.mod").write_text(_MAIN.format(required))
        return _Part(main, versions, canary)

    def _lay(self, hashes: Mapping[ModuleVersion, str]) -> None:
        for version, digest in hashes.items():
            stub = self.folder.path_of(ModuleFile(version, "mod"))
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.write_text(f"module {version.path}\n")
            stub.with_suffix(".info").write_text(f'{{"Version":"{version.version}"}}')
            stub.with_suffix(".ziphash").write_text(digest)
        for canary in self._canaries:
            with zipfile.ZipFile(self.folder.zip_path(canary), "w") as archive:
                archive.writestr(zipfile.ZipInfo(f"{canary}/go.mod"), f"module {canary.path}\n")

    def _covered(self, part: _Part, deadline: Deadline) -> frozenset[ModuleVersion]:
        """Return the versions whose tree Go checks, and checks here: `verify` skips others silently.

        The canary is among them, unless the output cannot be used.
        """
        template = "{{.Path}} {{.Version}} {{.Dir}}"
        output = self._go.run("list", "-m", "-f", template, "all", deadline=deadline, main=part.main)
        if output is None or output.returncode != 0:
            return frozenset()
        laid = (*part.versions, part.canary)
        wanted = {f"{version.path} {version.version} {self.folder.tree(version)}": version for version in laid}
        return frozenset(wanted[line] for line in output.stdout.splitlines() if line in wanted)

    def _named(self, part: _Part, output: GoOutput | None) -> frozenset[ModuleVersion] | None:
        """Return the versions that these lines name, for any reason; None unless every line names one.

        Return None too unless the canary is among them, for its own reason.
        """
        if output is None or output.returncode != 1 or output.stdout:
            return None
        lines = output.stderr.splitlines()
        words = f"dir has been modified ({self.folder.tree(part.canary)})"
        canary = f"{part.canary.path} {part.canary.version}: {words}"
        if lines.count(canary) != 1:
            return None
        lines.remove(canary)
        matches = [_NAMED.fullmatch(line) for line in lines]
        named = {ModuleVersion(match["path"], match["version"]) for match in matches if match}
        return frozenset(named) if None not in matches and named <= part.versions else None

    def verify_zips(self, deadline: Deadline) -> Verdict:
        """Return Go's verdict on the zips in `folder`. Nothing is unpacked, so no tree is checked.

        Bad zips have another hash, or Go cannot read them to their end. Any other unexpected output is inconclusive.
        """
        listed = self._go.run("list", "-m", "-f", "{{.Path}}@{{.Version}}", "all", deadline=deadline)
        output = self._go.run("mod", "verify", deadline=deadline)
        bad = self._named_zips(output)
        if bad is None:
            return Verdict(inconclusive=unexpected("go mod verify", output))
        names = set(listed.stdout.splitlines()) if listed and listed.returncode == 0 else set()
        covered = frozenset(version for version in self._versions if str(version) in names)
        if str(self._all.canary) not in names or not bad <= covered:
            return Verdict(inconclusive=notice("inconclusive", "zips-not-listed"))
        return Verdict(good=covered - bad, bad=bad)

    def _named_zips(self, output: GoOutput | None) -> frozenset[ModuleVersion] | None:
        """Return the versions whose zips these lines reject; None unless every line rejects one, and one the canary."""
        if output is None or output.returncode != 1 or output.stdout:
            return None
        canary = self._all.canary
        named = [match for match in map(_NAMED.fullmatch, output.stderr.splitlines()) if match]
        rejected = {ModuleVersion(match["path"], match["version"]): match["words"] for match in named}
        if len(rejected) < len(output.stderr.splitlines()) or not rejected.keys() <= self._versions | {canary}:
            return None
        modified = {v for v, words in rejected.items() if words == f"zip has been modified ({self.folder.zip_path(v)})"}
        damaged = {v for v, words in rejected.items() if tells_of_a_damaged_zip(words)}
        if canary not in modified or modified | damaged != rejected.keys():
            return None
        return frozenset(rejected) - {canary}
