"""Let Go read `.mod` files that no command of the user's has read, and compare them with go.sum.

`go mod download` reads the go.mod files of the modules it takes and, with `go` 1.17 or newer, of few others: the rest
of the graph is pruned (https://go.dev/ref/mod#graph-pruning). `go list -m PATH@VERSION` reads the one it is asked for.
It runs in a small GOMODCACHE of links to the files in question, with a stub `.info` for each and a go.sum of their
lines, and ends at the first that is not what go.sum says.

That it compares at all shows a canary, a `.mod` with a wrong hash; that it went through all, a line for each of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.command import in_parts
from go_prefetch.golang.go_stderr import refusals
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.verification.sandbox import WRONG_HASH, IsolatedGo, Said, new_canary, temporary_root, unexpected

_MAIN = "module x\n\ngo 1.17\n"
_TEMPLATE = "{{.Path}}@{{.Version}} {{.GoMod}}"


@dataclass(frozen=True)
class ModVerdict:
    """Versions whose `.mod` is what go.sum says; some of those whose is not, with Go's words; why it has no other."""

    good: frozenset[ModuleVersion] = frozenset()
    bad: Mapping[ModuleVersion, str] = field(default_factory=dict)
    inconclusive: Notice | None = None


def check_mods(
    folder: ModuleFolder, goroot: Path, hashes: Mapping[ModuleVersion, str], deadline: Deadline
) -> ModVerdict:
    """Go's verdict on the `.mod` files in `folder`; `hashes` are those of their lines in go.sum.

    Go names one bad file of many and looks no further: without it the others want to be checked again.
    """
    if not hashes:
        return ModVerdict()
    try:
        with temporary_root(tiny=True) as root:
            go = IsolatedGo(root, goroot)
            canary = new_canary()
            _lay(go, folder, hashes, canary)
            return _verdict(go, hashes, canary, deadline)
    except OSError as error:
        return ModVerdict(inconclusive=notice("inconclusive", "stubs", words=error.strerror or str(error)))


def _lay(go: IsolatedGo, folder: ModuleFolder, hashes: Mapping[ModuleVersion, str], canary: ModuleVersion) -> None:
    go.main.mkdir(parents=True)
    source = ModuleFolder.at(folder.path.resolve())
    for version in (*hashes, canary):
        file = ModuleFile(version, "mod")
        stub = go.folder.path_of(file)
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.with_suffix(".info").write_text(f'{{"Version":"{version.version}"}}')
        if version == canary:
            stub.write_text(f"module {version.path}\n")
        else:
            _link(source.path_of(file), stub)
    (go.main / "go.mod").write_text(_MAIN)
    sums = {**hashes, canary: WRONG_HASH}
    lines = (f"{path} {version}/go.mod {digest}\n" for (path, version), digest in sums.items())
    (go.main / "go.sum").write_text("".join(lines))


def _link(source: Path, stub: Path) -> None:
    try:
        stub.symlink_to(source)
    except OSError:  # Windows lets not everybody make links
        shutil.copyfile(source, stub)


def _verdict(
    go: IsolatedGo, hashes: Mapping[ModuleVersion, str], canary: ModuleVersion, deadline: Deadline
) -> ModVerdict:
    proof = _list(go, [str(canary)], deadline)
    if not _refused(proof, {str(canary): canary}):
        return ModVerdict(inconclusive=unexpected("go list -m of a canary", proof))
    versions = {str(version): version for version in sorted(hashes)}
    good: set[ModuleVersion] = set()
    bad: dict[ModuleVersion, str] = {}
    for names in in_parts(list(versions.values())):
        part = {name: versions[name] for name in names}
        said = _list(go, names, deadline)
        refused = _refused(said, part)
        if refused:
            bad |= refused
        elif _went_through(go, said, part):
            good |= set(part.values())
        else:
            return ModVerdict(bad=bad, inconclusive=unexpected("go list -m", said))
    return ModVerdict(good=frozenset(good), bad=bad)


def _list(go: IsolatedGo, names: Sequence[str], deadline: Deadline) -> Said | None:
    return go.run("list", "-m", "-f", _TEMPLATE, *names, deadline=deadline)


def _refused(said: Said | None, asked: Mapping[str, ModuleVersion]) -> dict[ModuleVersion, str]:
    """The one version whose `.mod` Go refused, with its words; empty if it said anything else."""
    if said is None or said.returncode != 1 or said.stdout:
        return {}
    found = refusals(said.stderr.splitlines(), frozenset())
    if len(found) != 1 or found[0].file.kind != "mod" or str(found[0].file.module) not in asked:
        return {}
    return {found[0].file.module: found[0].words}


def _went_through(go: IsolatedGo, said: Said | None, asked: Mapping[str, ModuleVersion]) -> bool:
    """Whether Go was content with every version of `asked`, and had a file for each."""
    if said is None or said.returncode != 0 or said.stderr:
        return False
    wanted = [f"{name} {go.folder.path_of(ModuleFile(version, 'mod'))}" for name, version in asked.items()]
    return said.stdout.splitlines() == wanted
