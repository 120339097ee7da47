"""A small GOMODCACHE of stubs, in which `go mod verify` becomes a check against go.sum.

Its contents: a main module that requires exactly these versions, and for each of them a stub `.mod`, a stub `.info` and
a `.ziphash` written from go.sum. There is no zip during the check, so `go mod verify` compares a tree with that hash
only. A canary shows that it has checked, and checked all of them. It is a module with a wrong hash and a random name
that sorts last.

Trees can be checked before all others are there, in parts: each time with a main module and a canary of its own.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from go_prefetch.base.patience import patiently
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


def joined(verdicts: Collection[Verdict]) -> Verdict:
    """Return all verdicts as one. It is inconclusive if one of them is, which says nothing about the others."""
    return Verdict(
        good=frozenset(version for verdict in verdicts for version in verdict.good),
        bad=frozenset(version for verdict in verdicts for version in verdict.bad),
        inconclusive=next((verdict.inconclusive for verdict in verdicts if verdict.inconclusive), None),
    )


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
        self._canaries: list[ModuleVersion] = []  # Go has unpacked them, and no part has one of them yet
        self._go.main.mkdir(parents=True)
        (self._go.main / "go.mod").write_text(_MAIN.format(""))
        for version, digest in hashes.items():
            self._lay(version, digest)

    def stop(self) -> None:
        """End every Go in this cache now, and start no other."""
        self._go.stop()

    def unpack(self, versions: Iterable[ModuleVersion], deadline: Deadline) -> None:
        """Let Go unpack the zips of `versions`, and one of a canary: that saves a start of go.

        A zip that it rejects has no tree afterwards. Thread-safe.
        """
        named = [*versions]
        with suppress(OSError):  # `verify` tries again
            named.append(self._packed_canary())
        self._go.run("mod", "download", *map(str, named), deadline=deadline)
        self._canaries += [version for version in named if version not in self._versions]

    def verify(self, versions: Iterable[ModuleVersion], deadline: Deadline) -> Verdict:
        """Return Go's verdict on the trees of `versions`, after their zips are removed. Thread-safe.

        Unexpected output is inconclusive.
        """
        try:
            if not self._canaries:
                self.unpack([], deadline)
            part = self._part(versions, self._canaries.pop() if self._canaries else self._packed_canary())
            for version in (*part.versions, part.canary):
                patiently(partial(self.folder.zip_path(version).unlink, missing_ok=True))
        except OSError as error:
            return Verdict(inconclusive=notice("inconclusive", "zips", words=error.strerror))
        covered = self._covered(part, deadline)
        output = self._go.run("mod", "verify", deadline=deadline, main=part.main)
        bad = self._named(part, output)
        if bad is None:
            return Verdict(inconclusive=unexpected("go mod verify", output))
        if part.canary not in covered:
            return Verdict(inconclusive=notice("inconclusive", "trees-not-listed"))
        return Verdict(good=covered - bad - {part.canary}, bad=bad)

    def _packed_canary(self) -> ModuleVersion:
        """Create a new canary with its zip. Raises OSError."""
        canary = new_canary()
        self._lay(canary, WRONG_HASH)
        with zipfile.ZipFile(self.folder.zip_path(canary), "w") as archive:
            archive.writestr(zipfile.ZipInfo(f"{canary}/go.mod"), f"module {canary.path}\n")
        return canary

    def _part(self, versions: Iterable[ModuleVersion], canary: ModuleVersion) -> _Part:
        """Create a main module that requires these versions and a canary. Raises OSError."""
        part = _Part(self._go.main / canary.path.partition(".")[0], frozenset(versions), canary)
        required = (f"\t{version.path} {version.version}" for version in sorted({*part.versions, canary}))
        part.main.mkdir()
        (part.main / "go.mod").write_text(_MAIN.format("\n".join(required)))
        return part

    def _lay(self, version: ModuleVersion, digest: str) -> None:
        stub = self.folder.path_of(ModuleFile(version, "mod"))
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f"module {version.path}\n")
        stub.with_suffix(".info").write_text(f'{{"Version":"{version.version}"}}')
        stub.with_suffix(".ziphash").write_text(digest)

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
        Raises OSError.
        """
        part = self._part(self._versions, self._packed_canary())
        arguments = ("list", "-m", "-f", "{{.Path}}@{{.Version}}", "all")
        listed = self._go.run(*arguments, deadline=deadline, main=part.main)
        output = self._go.run("mod", "verify", deadline=deadline, main=part.main)
        bad = self._named_zips(part, output)
        if bad is None:
            return Verdict(inconclusive=unexpected("go mod verify", output))
        names = set(listed.stdout.splitlines()) if listed and listed.returncode == 0 else set()
        covered = frozenset(version for version in self._versions if str(version) in names)
        if str(part.canary) not in names or not bad <= covered:
            return Verdict(inconclusive=notice("inconclusive", "zips-not-listed"))
        return Verdict(good=covered - bad, bad=bad)

    def _named_zips(self, part: _Part, output: GoOutput | None) -> frozenset[ModuleVersion] | None:
        """Return the versions whose zips these lines reject; None unless every line rejects one, and one the canary."""
        if output is None or output.returncode != 1 or output.stdout:
            return None
        named = [match for match in map(_NAMED.fullmatch, output.stderr.splitlines()) if match]
        rejected = {ModuleVersion(match["path"], match["version"]): match["words"] for match in named}
        if len(rejected) < len(output.stderr.splitlines()) or not rejected.keys() <= part.versions | {part.canary}:
            return None
        modified = {v for v, words in rejected.items() if words == f"zip has been modified ({self.folder.zip_path(v)})"}
        damaged = {v for v, words in rejected.items() if tells_of_a_damaged_zip(words)}
        if part.canary not in modified or modified | damaged != rejected.keys():
            return None
        return frozenset(rejected) - {part.canary}
