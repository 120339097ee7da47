"""Let Go compare files with the checksum database, where go.sum has no line of them.

`go mod download -json` reads them from the folder as a proxy, in a module cache and a main module of its own. It says
a hash only of a file that it has compared. A canary, a module that no database has, shows that Go compares at all: with
GOSUMDB=off it accepts everything.

The proxies behind the folder are there for the database, which Go looks for at each of them. Go finds all files of the
modules in the folder, so it requests none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import notice
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.go_stderr import refusals
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import TOOLCHAIN, ModuleVersion
from go_prefetch.verification.check_mods import FileVerdict
from go_prefetch.verification.private_folder import temporary_root
from go_prefetch.verification.sandbox import new_canary

_MAIN = "module x\n\ngo 1.21\n"


def check_by_database(
    folder: ModuleFolder, go: GoCommand, goproxy: str, files: Collection[ModuleFile], deadline: Deadline
) -> FileVerdict:
    """Return Go's verdict on zips and `.mod` files in `folder`, where files that Go needs as well are added.

    Only this process may write to the folder. A zip without its `.mod` there, or with a wrong one, gets no verdict.
    Go asks the database for each module, so private ones must not be in `files`.
    """
    canary = new_canary()
    versions = {file.module for file in files if file.module.path == TOOLCHAIN or folder.has(file._replace(kind="mod"))}
    try:
        with temporary_root() as root:
            _write(folder, ModuleFile(canary, "mod"), f"module {canary.path}\n")
            for version in (*versions, canary):
                _complete(folder, version)
            (root / "main").mkdir(parents=True)
            (root / "main" / "go.mod").write_text(_MAIN)
            proxies = f"{folder.path.resolve().as_uri()},{goproxy}"  # a list, or Go would not check toolchains
            said = _ask(go, proxies, root, sorted(versions), deadline)
            proof = _ask(go, proxies, root, [canary], deadline).get(canary, {})
    except OSError as error:
        return FileVerdict(inconclusive=notice("inconclusive", "stubs", words=error.strerror or str(error)))
    if proof.get("GoModSum") or not proof.get("Error"):
        return FileVerdict(inconclusive=notice("inconclusive", "no-database"))
    bad = {file: words for file, words in _refused(said, frozenset(files)) if file in files}
    good = frozenset(file for file in files if file not in bad and _accepted(file, said.get(file.module, {})))
    return FileVerdict(good, bad)


def _complete(folder: ModuleFolder, version: ModuleVersion) -> None:
    """Add what Go asks for too. It refuses the zip that is none, after it has compared the `.mod`."""
    if not folder.has(ModuleFile(version, "info")):
        _write(folder, ModuleFile(version, "info"), f'{{"Version":"{version.version}"}}')
    if version.path == TOOLCHAIN:  # all of them have the same go.mod, and a pool keeps the zip alone
        _write(folder, ModuleFile(version, "mod"), f"module {TOOLCHAIN}\n")
    if not folder.has_zip(version):
        _write(folder, ModuleFile(version, "zip"), "none")


def _write(folder: ModuleFolder, file: ModuleFile, text: str) -> None:
    folder.path_of(file).parent.mkdir(parents=True, exist_ok=True)
    folder.path_of(file).write_bytes(text.encode())


def _ask(
    go: GoCommand, goproxy: str, root: Path, versions: list[ModuleVersion], deadline: Deadline
) -> dict[ModuleVersion, Mapping[str, Any]]:
    variables = {
        "GOMODCACHE": str(root / "mod"),
        "GOPROXY": goproxy,
        "GONOPROXY": "none",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GO111MODULE": "on",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
    }
    return go.downloaded(root / "main", versions, variables, deadline)


def _refused(
    said: Mapping[ModuleVersion, Mapping[str, Any]], files: frozenset[ModuleFile]
) -> Iterator[tuple[ModuleFile, str]]:
    for answer in said.values():
        for refusal in refusals(str(answer.get("Error", "")).splitlines(), files):
            yield refusal.file, refusal.words


def _accepted(file: ModuleFile, answer: Mapping[str, Any]) -> bool:
    return bool(answer.get("Sum" if file.kind == "zip" else "GoModSum"))
