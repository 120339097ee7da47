"""Hash trees that lie in the module cache against go.sum, in place, and take away those that are not what it says.

`go mod verify` is believed to do that and does not: it compares a tree with the `.ziphash` beside it, which whoever
edits the tree can edit too. Here the hashes come from go.sum: a small GOMODCACHE of stubs (stubcache.py) whose
top-level entries are links into the real one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from go_prefetch import filelock
from go_prefetch.isolatedgo import temporary_root
from go_prefetch.modcache import (
    ModuleFile,
    download_folder,
    forget_ziphash,
    has_tree,
    path_in,
    remove_trees,
    tree_in,
    walk,
)
from go_prefetch.module import ModuleVersion, escape
from go_prefetch.privatefolder import private_folder
from go_prefetch.results import Plan, Rechecked, TakenAway
from go_prefetch.retry import Deadline
from go_prefetch.stubcache import StubCache, Verdict

_CACHE = "cache"  # the module cache's own folder: the stubs have one too
_LONGEST_HASH = 100  # characters
_AT_ONCE = 100  # locks held at once: a process may have no more than a thousand files open


class Trees:
    """The trees in the module cache of `plan`, and what the hashes in its go.sum say of them."""

    def __init__(self, plan: Plan, goroot: Path, deadline: Deadline) -> None:
        self._gomodcache = plan.gomodcache
        self._plan = plan
        self._goroot = goroot
        self._deadline = deadline

    @cached_property
    def _hashes(self) -> dict[ModuleVersion, frozenset[str]]:
        return self._plan.zip_hashes  # read from all lines of go.sum, and a clean module cache has no need of it

    def recheck(self, versions: Iterable[ModuleVersion]) -> Rechecked:
        """Go's verdict on every tree of `versions` that is there.

        Unchecked are modules of which go.sum has no hash, or two.
        Bad without asking Go are trees that hold a link or a device, and what stands in a tree's place: Go leaves none.
        """
        started = time.monotonic()
        there = {version for version in versions if has_tree(self._gomodcache, version)}
        good: set[ModuleVersion] = set()
        bad = {version for version in there if not _is_plain(tree_in(self._gomodcache, version))}
        able = {v: next(iter(self._hashes[v])) for v in there - bad if len(self._hashes.get(v, ())) == 1}
        disbelieved = ""
        for part in one_version_a_path(able):
            verdict = _verdict(self._gomodcache, self._goroot, part, self._deadline)
            good |= verdict.good
            bad |= verdict.bad
            disbelieved = disbelieved or verdict.disbelieved
        return Rechecked(
            good=frozenset(good),
            bad=frozenset(bad),
            unchecked=frozenset(there - good - bad),
            seconds=time.monotonic() - started,
            disbelieved=disbelieved,
        )

    def take_away(self, versions: Iterable[ModuleVersion]) -> TakenAway:
        """Take these trees away under Go's own locks, with their `.ziphash`, so that Go hashes their zips again.

        Whoever holds a lock may be stuck: it is waited for until the deadline. Under the lock they are checked once
        more, for another go may have put a good one there. One that Go has not finished is Go's to replace.
        """
        removed: set[ModuleVersion] = set()
        stays: set[ModuleVersion] = set()
        ordered = sorted(versions)  # in the order in which every run takes locks
        for at in range(0, len(ordered), _AT_ONCE):
            with _private_folder(self._gomodcache) as private, contextlib.ExitStack() as locks:
                held = [v for v in ordered[at : at + _AT_ONCE] if self._locked(v, locks)]
                good = self.recheck(held).good
                for version in set(ordered[at : at + _AT_ONCE]) - good:
                    if version in held and self._moved_away(version, private):
                        removed.add(version)
                    elif has_tree(self._gomodcache, version):
                        stays.add(version)
        return TakenAway(frozenset(removed), frozenset(stays))

    def drop_zip(self, version: ModuleVersion) -> bool:
        """Remove a zip that Go has refused; False if another go command has found a good one there since.

        Under Go's own lock, as long as there is time to wait for it: Go may be hashing or unpacking this very zip.
        """
        file = ModuleFile(version, "zip")
        folder = download_folder(self._gomodcache)
        with contextlib.ExitStack() as locks:
            self._locked(version, locks)
            if self._has_good_zip(path_in(folder, file), version):
                return False
            path_in(folder, file).unlink(missing_ok=True)
            forget_ziphash(folder, file)
            return True

    def forget_hash(self, version: ModuleVersion) -> None:
        """Take the `.ziphash` of a packed module away, which anybody may have written, so that Go hashes its zip.

        Under Go's own lock, waited for until the deadline, and not if a go command has unpacked it meanwhile. A lock
        that nobody can take, such as a link to elsewhere, protects nobody.
        """
        zip_path = path_in(download_folder(self._gomodcache), ModuleFile(version, "zip"))
        if has_tree(self._gomodcache, version) or not os.path.lexists(zip_path.with_suffix(".ziphash")):
            return
        with contextlib.ExitStack() as locks:
            try:
                locks.enter_context(filelock.held(zip_path.with_suffix(".lock"), seconds=self._deadline.left()))
            except BlockingIOError:
                return
            except OSError:
                pass
            if not has_tree(self._gomodcache, version):
                with contextlib.suppress(OSError):
                    zip_path.with_suffix(".ziphash").unlink()

    def _has_good_zip(self, zip_path: Path, version: ModuleVersion) -> bool:
        """Whether the hash that Go has noted is go.sum's: it notes none of what it refuses."""
        note = zip_path.with_suffix(".ziphash")
        with contextlib.suppress(OSError):
            if stat.S_ISREG(note.lstat().st_mode) and note.lstat().st_size <= _LONGEST_HASH:
                noted = frozenset({note.read_text(errors="replace").strip()})
                return zip_path.is_file() and self._hashes.get(version) == noted
        return False

    def _locked(self, version: ModuleVersion, locks: contextlib.ExitStack) -> bool:
        lock = path_in(download_folder(self._gomodcache), ModuleFile(version, "zip")).with_suffix(".lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            locks.enter_context(filelock.held(lock, seconds=self._deadline.left()))
        except OSError:
            return False
        return True

    def _moved_away(self, version: ModuleVersion, private: Path | None) -> bool:
        """Whether there was a tree, and is none now. It is renamed first: nobody ever sees a half of it."""
        tree = tree_in(self._gomodcache, version)
        if not has_tree(self._gomodcache, version):
            return False
        name = secrets.token_hex(8)
        # Go itself clears away what has this second name: it once unpacked there.
        places = [private / name] if private else []
        try:
            zip_path = path_in(download_folder(self._gomodcache), ModuleFile(version, "zip"))
            zip_path.with_suffix(".ziphash").unlink(missing_ok=True)
            _make_movable(tree)
        except OSError:
            return False
        for place in (*places, tree.with_name(f"{tree.name}.tmp-{name}")):
            with contextlib.suppress(OSError):
                tree.rename(place)
                if place.parent != private:
                    _remove(place)
                return True
        return False


@contextlib.contextmanager
def _private_folder(gomodcache: Path) -> Iterator[Path | None]:
    """A private folder, or None where none can be made."""
    with contextlib.ExitStack() as closing:
        try:
            private = closing.enter_context(private_folder(gomodcache))
        except OSError:
            private = None
        yield private


def _make_movable(tree: Path) -> None:
    """A read-only folder cannot be moved elsewhere by a normal user. Follows no link."""
    if not hasattr(os, "O_NOFOLLOW"):
        return
    with contextlib.suppress(OSError):  # a file or link can be moved, and what cannot be opened perhaps
        descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, stat.S_IRWXU)
        finally:
            os.close(descriptor)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        remove_trees(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)  # a link, not what it leads to


def _verdict(gomodcache: Path, goroot: Path, hashes: Mapping[ModuleVersion, str], deadline: Deadline) -> Verdict:
    try:
        with temporary_root() as root:
            stubs = StubCache(root, goroot, hashes, writable_trees=True)
            _link(stubs.root, gomodcache, hashes)
            return stubs.verify(deadline)
    except OSError as error:
        return Verdict(disbelieved=f"the stubs could not be laid: {error.strerror}")


def _is_plain(tree: Path) -> bool:
    """Whether `tree` is a folder that holds nothing but folders and files, whose names are one line each."""
    if tree.is_symlink() or not tree.is_dir():
        return False
    return all(  # what cannot be read is Go's to name
        "\n" not in entry.name and (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False))
        for _, entries in walk(tree)
        for entry in entries
    )


def one_version_a_path(hashes: Mapping[ModuleVersion, str]) -> Iterable[dict[ModuleVersion, str]]:
    """`hashes` in parts that one go.mod can require."""
    rest = dict(hashes)
    while rest:
        part = {version.path: version for version in sorted(rest)}
        yield {version: rest.pop(version) for version in part.values()}


def _link(root: Path, gomodcache: Path, versions: Iterable[ModuleVersion]) -> None:
    """Links for top-level folders. A module whose path is one element has none to link, so its tree is copied."""
    for first in {escape(version.path).partition("/")[0] for version in versions if "/" in version.path} - {_CACHE}:
        (root / first).symlink_to(gomodcache.resolve() / first, target_is_directory=True)
    for version in (version for version in versions if "/" not in version.path):
        _copy_tree(tree_in(gomodcache, version), tree_in(root, version))


def _copy_tree(tree: Path, target: Path) -> None:
    for here, entries in walk(tree):
        there = target / here.relative_to(tree)
        there.mkdir()
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                shutil.copyfile(entry.path, there / entry.name)
