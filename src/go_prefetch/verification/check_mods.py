"""Let Go read `.mod` files that no command of the user has read, and compare them with go.sum.

`go mod download` reads the go.mod files of the modules it downloads and, with `go` 1.17 or newer, few others: the rest
of the graph is pruned (https://go.dev/ref/mod#graph-pruning). `go list -m PATH@VERSION` reads the file of that version.
It runs in a small GOMODCACHE of links to these files, with a stub `.info` for each and a go.sum of their lines. It
stops at the first file that does not match go.sum.

A canary, a `.mod` with a wrong hash, shows that Go compares at all. A line of output for each file shows that Go has
read all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.base.file_copy import link_or_copy
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.command import in_parts
from go_prefetch.golang.go_stderr import refusals
from go_prefetch.golang.gosum import GoSumLine
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.verification.private_folder import temporary_root
from go_prefetch.verification.sandbox import WRONG_HASH, GoOutput, IsolatedGo, new_canary, unexpected

_MAIN = "module x\n\ngo 1.17\n"
_TEMPLATE = "{{.Path}}@{{.Version}} {{.GoMod}}"


@dataclass(frozen=True)
class FileVerdict:
    """Files that match go.sum; files that do not, with Go's message; why there is no verdict on others."""

    good: frozenset[ModuleFile] = frozenset()
    bad: Mapping[ModuleFile, str] = field(default_factory=dict)
    inconclusive: Notice | None = None


def check_mods(folder: ModuleFolder, goroot: Path, hashes: Mapping[ModuleFile, str], deadline: Deadline) -> FileVerdict:
    """Return Go's verdict on `.mod` files in `folder`; `hashes` are those of their lines in go.sum.

    Go names one bad file of many and stops. Remove that one and check the others again.
    """
    if not hashes:
        return FileVerdict()
    try:
        with temporary_root(tiny=True) as root:
            go = IsolatedGo(root, goroot)
            canary = ModuleFile(new_canary(), "mod")
            _lay(go, folder, hashes, canary)
            return _verdict(go, hashes, canary, deadline)
    except OSError as error:
        return FileVerdict(inconclusive=notice("inconclusive", "stubs", words=error.strerror or str(error)))


def _lay(go: IsolatedGo, folder: ModuleFolder, hashes: Mapping[ModuleFile, str], canary: ModuleFile) -> None:
    go.main.mkdir(parents=True)
    source = ModuleFolder.at(folder.path.resolve())
    for file in (*hashes, canary):
        stub = go.folder.path_of(file)
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.with_suffix(".info").write_text(f'{{"Version":"{file.module.version}"}}')
        if file == canary:
            stub.write_text(f"module {file.module.path}\n")
        else:
            link_or_copy(source.path_of(file), stub)
    (go.main / "go.mod").write_text(_MAIN)
    lines = (GoSumLine(file.module, "mod", digest).text for file, digest in {**hashes, canary: WRONG_HASH}.items())
    (go.main / "go.sum").write_text("".join(f"{line}\n" for line in lines))


def _verdict(go: IsolatedGo, hashes: Mapping[ModuleFile, str], canary: ModuleFile, deadline: Deadline) -> FileVerdict:
    proof = _list(go, [str(canary.module)], deadline)
    if not _refused(proof, [canary]):
        return FileVerdict(inconclusive=unexpected("go list -m of a canary", proof))
    files = {str(file.module): file for file in sorted(hashes)}
    good: set[ModuleFile] = set()
    bad: dict[ModuleFile, str] = {}
    for names in in_parts([file.module for file in files.values()]):
        part = [files[name] for name in names]
        output = _list(go, names, deadline)
        refused = _refused(output, part)
        if refused:
            bad |= refused
        elif _went_through(go, output, part):
            good |= set(part)
        else:
            return FileVerdict(bad=bad, inconclusive=unexpected("go list -m", output))
    return FileVerdict(good=frozenset(good), bad=bad)


def _list(go: IsolatedGo, names: Sequence[str], deadline: Deadline) -> GoOutput | None:
    return go.run("list", "-m", "-f", _TEMPLATE, *names, deadline=deadline)


def _refused(output: GoOutput | None, files: Sequence[ModuleFile]) -> dict[ModuleFile, str]:
    """Return the one file that Go rejected, with Go's message; nothing for any other output."""
    if output is None or output.returncode != 1 or output.stdout:
        return {}
    found = refusals(output.stderr.splitlines(), frozenset())
    return {found[0].file: found[0].words} if len(found) == 1 and found[0].file in files else {}


def _went_through(go: IsolatedGo, output: GoOutput | None, files: Sequence[ModuleFile]) -> bool:
    """Return whether Go accepted every file of `files`."""
    if output is None or output.returncode != 0 or output.stderr:
        return False
    return output.stdout.splitlines() == [f"{file.module} {go.folder.path_of(file)}" for file in files]
