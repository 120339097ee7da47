"""The trees of a plan in the module cache: compare them with go.sum, and remove them with the files that Go trusts.

This happens under Go's own lock of a version, because other go commands may use the same module cache.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from go_prefetch.base import file_lock
from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import remove_trees
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan
from go_prefetch.model.results import RemovedTrees, TreeVerdict
from go_prefetch.verification.check_trees import check_trees
from go_prefetch.verification.private_folder import private_folder

_LONGEST_HASH = 100  # characters
_AT_ONCE = 100  # locks held at once: a process may have only a thousand open files


class Trees:
    """The trees in the module cache of `plan`, and their hashes in its go.sum."""

    def __init__(self, plan: Plan, goroot: Path, deadline: Deadline) -> None:
        self._plan = plan
        self._folder = plan.folder
        self._goroot = goroot
        self._deadline = deadline
        self._marked: set[ModuleVersion] = set()

    def check(self, versions: Iterable[ModuleVersion]) -> TreeVerdict:
        """Return Go's verdict on every tree of `versions` that is there."""
        hashes = {version: self._plan.zip_hashes.get(version, frozenset()) for version in versions}
        return check_trees(self._folder, self._goroot, hashes, self._deadline)

    def remove(self, versions: Iterable[ModuleVersion]) -> RemovedTrees:
        """Remove these trees under Go's own locks, with their `.ziphash`, so that Go hashes their zips again.

        The holder of a lock may be stuck, so the wait ends at the deadline. Under the lock the trees are checked again,
        because another go may have replaced one by a good one. Go replaces a tree that it has not finished.
        """
        removed: set[ModuleVersion] = set()
        stays: set[ModuleVersion] = set()
        found_good: set[ModuleVersion] = set()
        ordered = sorted(versions)  # in the same order in every run
        for at in range(0, len(ordered), _AT_ONCE):
            with _private_folder(self._folder) as private, contextlib.ExitStack() as locks:
                held = [v for v in ordered[at : at + _AT_ONCE] if self._locked(v, locks)]
                good = self.check(held).good
                found_good |= good
                for version in set(ordered[at : at + _AT_ONCE]) - good:
                    if version in held and self._moved_away(version, private):
                        removed.add(version)
                    elif self._folder.has_tree(version):
                        stays.add(version)
        return RemovedTrees(frozenset(removed), frozenset(stays), frozenset(found_good))

    def mark_unfinished(self, version: ModuleVersion) -> bool:
        """Make Go replace whatever appears where it will unpack a module. Return False if something is already there.

        Go replaces a tree that has a `.partial` file. It creates that file before it unpacks, and removes it at the
        end. A go command that holds the lock is unpacking this module.
        """
        if self._folder.has_tree(version):
            return False
        with contextlib.suppress(OSError), file_lock.held(self._folder.lock(version)):
            if not os.path.lexists(self._folder.tree(version)):
                partial = self._folder.partial(version)
                if os.path.lexists(partial) and not stat.S_ISREG(partial.lstat().st_mode):
                    partial.unlink()  # Go would wait at a pipe, and follow a link
                flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
                os.close(os.open(partial, flags, 0o666))
                self._marked.add(version)
        return not self._folder.has_tree(version)

    def remove_marks(self) -> None:
        """Remove the marks of modules that Go did not need to unpack, or could not."""
        for version in self._marked:
            with contextlib.suppress(OSError), file_lock.held(self._folder.lock(version)):
                if not os.path.lexists(self._folder.tree(version)):
                    self._folder.partial(version).unlink(missing_ok=True)
        self._marked.clear()

    def drop_zip(self, version: ModuleVersion) -> bool:
        """Remove a zip that Go has rejected. Return False if another go command has since accepted a zip there.

        This needs Go's own lock, as long as there is time to wait for it: Go may be hashing or unpacking this zip.
        """
        with contextlib.ExitStack() as locks:
            self._locked(version, locks)
            if self._has_good_zip(version):
                return False
            self._folder.drop(ModuleFile(version, "zip"))
            return True

    def drop_ziphash(self, version: ModuleVersion) -> None:
        """Remove the `.ziphash` of a module without a tree, which any user may have written, so that Go hashes its zip.

        This needs Go's own lock, which is waited for until the deadline. The file stays if a go command has unpacked
        the module in the meantime. A lock that no process can take, such as a link to another place, protects nothing.
        """
        ziphash = self._folder.ziphash(version)
        if self._folder.has_tree(version) or not os.path.lexists(ziphash):
            return
        with contextlib.ExitStack() as locks:
            try:
                locks.enter_context(file_lock.held(self._folder.lock(version), seconds=self._deadline.left()))
            except BlockingIOError:
                return
            except OSError:
                pass
            if not self._folder.has_tree(version):
                with contextlib.suppress(OSError):
                    ziphash.unlink()

    def _has_good_zip(self, version: ModuleVersion) -> bool:
        """Return whether the hash that Go has written is go.sum's: Go writes none for a zip that it rejects."""
        note = self._folder.ziphash(version)
        with contextlib.suppress(OSError):
            if stat.S_ISREG(note.lstat().st_mode) and note.lstat().st_size <= _LONGEST_HASH:
                noted = frozenset({note.read_text(errors="replace").strip()})
                return self._folder.has_zip(version) and self._plan.zip_hashes.get(version) == noted
        return False

    def _locked(self, version: ModuleVersion, locks: contextlib.ExitStack) -> bool:
        lock = self._folder.lock(version)
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            locks.enter_context(file_lock.held(lock, seconds=self._deadline.left()))
        except OSError:
            return False
        return True

    def _moved_away(self, version: ModuleVersion, private: Path | None) -> bool:
        """Return whether there was a tree and is none now. It is renamed first: no process sees a part of it."""
        tree = self._folder.tree(version)
        if not self._folder.has_tree(version):
            return False
        name = os.urandom(8).hex()
        # Go itself removes a file with this second name, because it once unpacked there.
        places = [private / name] if private else []
        try:
            self._folder.ziphash(version).unlink(missing_ok=True)
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
def _private_folder(folder: ModuleFolder) -> Iterator[Path | None]:
    """Return a private folder, or None if none can be created."""
    with contextlib.ExitStack() as closing:
        try:
            private = closing.enter_context(private_folder(folder.gomodcache))
        except OSError:
            private = None
        yield private


def _make_movable(tree: Path) -> None:
    """Make a folder movable: a normal user cannot move a read-only one. Follows no link."""
    if not hasattr(os, "O_NOFOLLOW"):
        return
    with contextlib.suppress(OSError):  # a file or link can be moved, and perhaps what cannot be opened
        descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, stat.S_IRWXU)
        finally:
            os.close(descriptor)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        remove_trees(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)  # the link itself, not its target
