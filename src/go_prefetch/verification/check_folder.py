"""Have Go compare the zips and `.mod` files of a folder in GOPROXY layout with go.sum, where they lie.

Zips: a small GOMODCACHE of stubs (stub_modcache.py) takes them in, so that `go mod verify` hashes each and compares it
with the hash of go.sum; nothing is unpacked. `.mod` files: check_mods.py.

Go reads the zips under names in a private folder: hard links, or copies where the disk has none. So nobody who may
write to the folder can have Go look at another file, or at none, while the wrong one is away for a moment. What such a
writer does to a file in place, or after the verdict, is not seen here; the go command that reads the folder compares
each file again.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.verification.check_mods import FileVerdict, check_mods
from go_prefetch.verification.check_trees import one_version_a_path
from go_prefetch.verification.private_folder import temporary_root
from go_prefetch.verification.stub_modcache import StubCache, Verdict


def check_folder(
    folder: ModuleFolder, goroot: Path, hashes: Mapping[ModuleFile, str], deadline: Deadline
) -> FileVerdict:
    """Go's verdict on the files of `hashes` (the one hash that go.sum has of each), all of which lie in `folder`.

    Every bad zip is named, but only one bad `.mod` of many: without it the others want to be checked again.
    """
    good: set[ModuleFile] = set()
    bad: dict[ModuleFile, str] = {}
    inconclusive: Notice | None = None
    for part in one_version_a_path({file.module: digest for file, digest in hashes.items() if file.kind == "zip"}):
        verdict = _check_zips(folder, goroot, part, deadline)
        good |= {ModuleFile(version, "zip") for version in verdict.good}
        bad |= {ModuleFile(version, "zip"): f"go.sum: {part[version]}" for version in verdict.bad}
        inconclusive = inconclusive or verdict.inconclusive
    mods = {file: digest for file, digest in hashes.items() if file.kind == "mod"}
    checked = check_mods(folder, goroot, mods, deadline)
    return FileVerdict(checked.good | good, {**bad, **checked.bad}, inconclusive or checked.inconclusive)


def _check_zips(folder: ModuleFolder, goroot: Path, hashes: Mapping[ModuleVersion, str], deadline: Deadline) -> Verdict:
    try:
        with temporary_root() as root:
            stubs = StubCache(root, goroot, hashes, writable_trees=True)
            for version in hashes:
                _take_in(folder.zip_path(version), stubs.folder.zip_path(version))
            return stubs.verify_zips(deadline)
    except OSError as error:
        return Verdict(inconclusive=notice("inconclusive", "stubs", words=error.strerror or str(error)))


def _take_in(source: Path, name: Path) -> None:
    """Give the file at `source` a second name, or else copy it. Raises OSError, also for what is no regular file."""
    try:
        os.link(source, name, follow_symlinks=False)
    except (OSError, NotImplementedError):  # another disk, a disk without links, a file of another user's, Windows
        shutil.copyfile(source, name, follow_symlinks=False)
    if not stat.S_ISREG(name.lstat().st_mode):
        raise OSError(errno.EINVAL, "no regular file")
