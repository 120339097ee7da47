"""The folder for an image build: GOPROXY layout, with the same bytes wherever its files came from.

Builders find a layer in their cache by the bytes and modes of its input. So every zip is rewritten in the same way,
and modes and times do not depend on this machine. https://docs.docker.com/build/cache/invalidation/
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from go_prefetch.base.atomic_file import new_file, write_whole
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import recording
from go_prefetch.base.trees import walk
from go_prefetch.docker.template import MODULE_LIST
from go_prefetch.errors import Notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import CacheStore, Wanted
from go_prefetch.model.progress import Meter, Working
from go_prefetch.model.results import Restored
from go_prefetch.modfiles.managed_folder import folder_error, own, remove_others
from go_prefetch.modfiles.zip_repack import UnreadableZip, is_stored, stored_size, write_stored
from go_prefetch.run.steps.plan import decide

_TIME = 315532800  # 1980-01-01, as inside the zips; the earliest date that all file systems and archives support
_YEARS = 20 * 365 * 24 * 3600
_FILE, _FOLDER = 0o644, 0o755


@dataclass(frozen=True)
class Steadied:
    """What was done to the zips, and their size afterwards."""

    rewritten: int
    kept: int  # left unchanged, because rewriting them is not safe
    bytes: int


def prepare(plan: Plan) -> tuple[Plan, int]:
    """Mark the plan's folder as managed and remove files that are not in the plan.

    Return the plan as it stands afterwards, and the number of removed files. Call this before anything is written, so
    that no write follows a symbolic link in the folder.

    Raises InputError for a folder with other contents, DownloadError for one that is not writable.
    """
    own(plan.folder.path)
    listed = plan.folder.path / MODULE_LIST
    try:
        if listed.is_symlink() or not listed.is_dir():
            listed.unlink(missing_ok=True)
        removed = remove_others(plan.folder.path, (*plan.files, *plan.candidates))
    except OSError as error:
        raise folder_error(error, plan.folder.path) from None
    held = frozenset(filter(plan.folder.has, plan.present))
    return replace(plan, present=held), removed


def take_local(plan: Plan, stores: Sequence[CacheStore], deadline: Deadline, meter: Meter) -> tuple[Plan, Restored]:
    """Copy files that the plan's folder lacks from these stores, in order. Return the plan as their `.mod` decide it.

    Raises DownloadError for a folder that is not writable.
    """
    local = Restored()
    for _ in range(2):  # the `.mod` files of the first round decide which zips to copy too
        local = local.plus(_taken(plan, stores, deadline, meter))
        decided = decide(plan)
        plan = replace(decided, present=decided.present | local.files.intersection(decided.files))
    return plan, local


def _taken(plan: Plan, stores: Sequence[CacheStore], deadline: Deadline, meter: Meter) -> Restored:
    got: frozenset[ModuleFile] = frozenset()
    warnings: list[Notice] = []
    meter.expect(plan.missing)
    for store in stores:
        meter.wait_for(store.name)
        lacking = [file for file in plan.missing if file not in got]
        try:
            handed = store.restore(
                Wanted(plan.key, lacking, plan.folder), deadline,
                lambda file: meter.done(file, plan.folder.size_if_there(file)),
            )  # fmt: skip
        except OSError as error:
            raise folder_error(error, plan.folder.path) from None
        got |= handed.files
        warnings += handed.warnings
    return Restored("", files=got, warnings=tuple(warnings))


def steady(plan: Plan, working: Working) -> Steadied:
    """Make the bytes of the plan's folder independent of their source. Raises DownloadError if it is not writable."""
    try:
        with working("Pack") as meter:
            return _steady(plan, meter)
    except OSError as error:
        raise folder_error(error, plan.folder.path) from None


def _steady(plan: Plan, meter: Meter) -> Steadied:
    zips = [file for file in plan.files if file.kind == "zip" and plan.folder.has(file)]
    outcomes = {"rewritten": 0, "kept": 0, "stored": 0}
    meter.expect(zips)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # inflating releases Python's lock
        for file, outcome in zip(zips, pool.map(lambda file: _steadied(plan.folder, file), zips), strict=True):
            outcomes[outcome] += 1
            meter.done(file, plan.folder.size_if_there(file))
    _write_module_list(plan)
    size = _normalise(plan.folder.path)
    return Steadied(outcomes["rewritten"], outcomes["kept"], size)


def _steadied(folder: ModuleFolder, file: ModuleFile) -> str:
    path = folder.path_of(file)
    if is_stored(path):
        return "stored"
    if stored_size(path) is None:
        return "kept"
    try:
        with recording(folder.path) as record, new_file(folder.path, file.name, record=record) as out:
            write_stored(path, out)
    except UnreadableZip:
        return "kept"  # Go reports the problem with it
    return "rewritten"


def _write_module_list(plan: Plan) -> None:
    """Write the arguments of `go mod download`, one per line, if it would download more than the plan without them."""
    listed = sorted({version for scope in plan.scopes if scope.explicit for version in scope.zips})
    path = plan.folder.path / MODULE_LIST
    if listed:
        write_whole(path, "".join(f"{version}\n" for version in listed).encode())
    else:
        path.unlink(missing_ok=True)


def _normalise(folder: Path) -> int:
    """Set the modes and times of everything in the folder, the folder itself last. Return the bytes of its files."""
    size = 0
    for here, entries in reversed(list(walk(folder))):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                size += _normalise_file(Path(entry.path))
        _stamp(here, _FOLDER)
    return size


def _normalise_file(path: Path) -> int:
    held = path.lstat()
    if not stat.S_ISREG(held.st_mode):
        return 0
    if held.st_nlink > 1:  # shared with another name, which has the same mode and time
        write_whole(path, path.read_bytes())
    # BuildKit sends a file again only if its size or time has changed. Other files have a version in their names.
    _stamp(path, _FILE, zlib.crc32(path.read_bytes()) % _YEARS if path.name == MODULE_LIST else 0)
    return held.st_size


def _stamp(path: Path, mode: int, seconds: int = 0) -> None:
    path.chmod(mode)
    os.utime(path, (_TIME + seconds, _TIME + seconds))
