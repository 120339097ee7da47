"""Let Go compare the zips and `.mod` files of a folder in GOPROXY layout with go.sum, in place.

Zips: `go mod verify` hashes each zip in a small GOMODCACHE of stubs (stub_modcache.py) and compares it with the hash of
go.sum. Nothing is unpacked. `.mod` files: check_mods.py.

Go reads the zips under names in a private folder: hard links, or copies where the disk has none. A user who can write
to the folder therefore cannot make Go read another file while the wrong one is away for a moment. Changes to a file in
place, or after the check, are not found here. The go command that reads the folder compares each file again.
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
    """Return Go's verdict on the files of `hashes` (the only hash of each in go.sum), all of which are in `folder`.

    It names every bad zip, but only one bad `.mod` of many. Remove that one and check the others again.
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
    """Give the file at `source` a second name, or else copy it. Raises OSError, also if it is not a regular file."""
    try:
        os.link(source, name, follow_symlinks=False)
    except (OSError, NotImplementedError):  # another disk, a disk without links, another user's file, Windows
        shutil.copyfile(source, name, follow_symlinks=False)
    if not stat.S_ISREG(name.lstat().st_mode):
        raise OSError(errno.EINVAL, "no regular file")
