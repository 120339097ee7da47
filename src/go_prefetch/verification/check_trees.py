"""Hash trees in the module cache against go.sum, in place.

`go mod verify` alone does not do that. It compares a tree with the `.ziphash` next to it, and a program that edits the
tree can edit that too. Here the hashes come from go.sum: a small GOMODCACHE of stubs (stub_modcache.py) has links into
the real one as its top-level entries, or on Windows copies of the trees.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import walk
from go_prefetch.base.windows_names import IS_WINDOWS, extended
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.module import ModuleVersion, escape
from go_prefetch.model.plan import Hashes, unambiguous
from go_prefetch.model.results import TreeVerdict
from go_prefetch.verification.private_folder import temporary_root
from go_prefetch.verification.stub_modcache import StubCache, Verdict

_CACHE = "cache"  # the module cache's own folder: the stubs have one too


def check_trees(folder: ModuleFolder, goroot: Path, hashes: Hashes, deadline: Deadline) -> TreeVerdict:
    """Return Go's verdict on every tree of `hashes` (zip hashes of go.sum) that is there.

    Unchecked are modules without a hash, or with two.
    Bad without a check by Go are trees with a link or a device, and a link or file in place of a tree: Go creates none.
    """
    started = time.monotonic()
    there = {version for version in hashes if folder.has_tree(version)}
    good: set[ModuleVersion] = set()
    bad = {version for version in there if not _is_plain(folder.tree(version))}
    able = unambiguous({version: hashes[version] for version in there - bad})
    inconclusive: Notice | None = None
    for part in one_version_a_path(able):
        verdict = _verdict(folder, goroot, part, deadline)
        good |= verdict.good
        bad |= verdict.bad
        inconclusive = inconclusive or verdict.inconclusive
    return TreeVerdict(
        good=frozenset(good),
        bad=frozenset(bad),
        unchecked=frozenset(there - good - bad),
        seconds=time.monotonic() - started,
        inconclusive=inconclusive,
    )


def _verdict(folder: ModuleFolder, goroot: Path, hashes: Mapping[ModuleVersion, str], deadline: Deadline) -> Verdict:
    try:
        with temporary_root() as root:
            stubs = StubCache(root, goroot, hashes, writable_trees=True)
            _link(stubs.folder, folder, hashes)
            return stubs.verify(hashes, deadline)
    except OSError as error:
        return Verdict(inconclusive=notice("inconclusive", "stubs", words=error.strerror or str(error)))


def _is_plain(tree: Path) -> bool:
    """Return whether `tree` is a folder with nothing but folders and files, whose names are one line each."""
    if tree.is_symlink() or not tree.is_dir():
        return False
    return all(  # Go names what is not readable
        "\n" not in entry.name and (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False))
        for _, entries in walk(tree)
        for entry in entries
    )


def one_version_a_path(hashes: Mapping[ModuleVersion, str]) -> Iterable[dict[ModuleVersion, str]]:
    """Yield `hashes` in parts that one go.mod can require."""
    rest = dict(hashes)
    while rest:
        part = {version.path: version for version in sorted(rest)}
        yield {version: rest.pop(version) for version in part.values()}


def _link(stubs: ModuleFolder, folder: ModuleFolder, versions: Iterable[ModuleVersion]) -> None:
    """Link top-level folders. A module whose path is one element has none to link, so its tree is copied.

    Windows does not let all users create links, so there all trees are copied.
    """
    linked = set() if IS_WINDOWS else {version for version in versions if "/" in version.path}
    for first in {escape(version.path).partition("/")[0] for version in linked} - {_CACHE}:
        (stubs.gomodcache / first).symlink_to(folder.gomodcache.resolve() / first, target_is_directory=True)
    for version in (version for version in versions if version not in linked):
        _copy_tree(folder.tree(version), stubs.tree(version))


def _copy_tree(tree: Path, target: Path) -> None:
    for here, entries in walk(tree):
        there = target / here.relative_to(tree)
        Path(extended(str(there))).mkdir(parents=True)
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                shutil.copyfile(extended(entry.path), extended(str(there / entry.name)))
