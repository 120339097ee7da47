"""A check of a module cache that shares no code with the program: go.sum's hashes, as Go's dirhash has them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tests.support.fakes.modules import FakeModule, escape


def hash1(files: Iterable[tuple[str, bytes]]) -> str:
    """Go's `h1:` hash of files under their full names."""
    lines = sorted((name, hashlib.sha256(content).hexdigest()) for name, content in files)
    text = "".join(f"{digest}  {name}\n" for name, digest in lines)
    return "h1:" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def zip_hash(path: Path) -> str:
    """The hash of what a zip holds."""
    with zipfile.ZipFile(path) as archive:
        return hash1((name, archive.read(name)) for name in archive.namelist())


def mod_hash(path: Path) -> str:
    """Return the hash of a go.mod file."""
    return hash1([("go.mod", path.read_bytes())])


def tree_hash(tree: Path, prefix: str) -> str:
    """The hash of an unpacked module; a link in it is no file of a module."""
    paths = [Path(folder, name) for folder, _, names in os.walk(tree) for name in names]
    if any(path.is_symlink() for path in paths):
        return "a tree with a link in it"
    return hash1((f"{prefix}/{path.relative_to(tree).as_posix()}", path.read_bytes()) for path in paths)


def stem(module: FakeModule) -> str:
    """The name of a module's files below cache/download, without what tells them apart."""
    return f"{escape(module.path)}/@v/{escape(module.version)}"


def tree(module: FakeModule) -> str:
    """The name of a module's tree in the module cache."""
    return f"{escape(module.path)}@{escape(module.version)}"


def differences(modcache: Path, go_sum: str, modules: Iterable[FakeModule]) -> list[str]:
    """Every way in which the module cache is not what go.sum says, as lines to read; empty if there is none."""
    wanted = {" ".join(line.split()[:2]): line.split()[2] for line in go_sum.splitlines()}
    found = []
    for module in modules:
        name = f"{module.path} {module.version}"
        at = modcache / "cache/download" / stem(module)
        prefix = f"{module.path}@{module.version}"
        checks: tuple[tuple[str, str, Callable[[], str]], ...] = (
            ("zip", wanted[name], partial(zip_hash, Path(f"{at}.zip"))),
            ("ziphash", wanted[name], Path(f"{at}.ziphash").read_text),
            ("mod", wanted[f"{name}/go.mod"], partial(mod_hash, Path(f"{at}.mod"))),
            ("tree", wanted[name], partial(tree_hash, modcache / tree(module), prefix)),
        )
        for what, expected, actual in checks:
            try:
                said = actual()
            except (OSError, ValueError, zipfile.BadZipFile) as error:
                said = f"{type(error).__name__}: {error}"
            if said != expected:
                found.append(f"{what} of {name} is not go.sum's: {said}")
        found += info_problems(Path(f"{at}.info"), module.version)
    return found


def info_problems(path: Path, version: str) -> list[str]:
    """What is wrong with a `.info`, which go.sum says nothing of."""
    try:
        said = json.loads(path.read_bytes())
        right = said["Version"] == version and said.keys() <= {"Version", "Time"}
    except (OSError, ValueError, TypeError, KeyError) as error:
        return [f"{path}: {type(error).__name__}: {error}"]
    return [] if right else [f"{path}: {said}"]


def foreign(modcache: Path, modules: Iterable[FakeModule]) -> list[str]:
    """What lies in the module cache besides these modules and Go's own files; of a folder its name."""
    modules = list(modules)
    trees = [tree(module) for module in modules]
    own = {"cache/lock", "cache/download"}
    for module in modules:
        own |= {f"cache/download/{stem(module)}.{end}" for end in ("info", "mod", "zip", "ziphash", "lock")}
        own |= {f"cache/download/{stem(module).rpartition('/')[0]}/{name}" for name in ("list", "list.lock")}
    known = {parent.as_posix() for name in (*own, *trees) for parent in Path(name).parents} | own | set(trees)
    found = []
    for folder, folders, names in os.walk(modcache):
        here = Path(folder).relative_to(modcache)
        found += [(here / name).as_posix() for name in (*folders, *names) if (here / name).as_posix() not in known]
        folders[:] = [name for name in folders if (here / name).as_posix() in known - set(trees)]
    return sorted(found)


def shared_inodes(one: Path, other: Path) -> list[str]:
    """Files below `one` that are files below `other` too, by another name."""
    others = _inodes(other)
    return sorted(path for inode, path in _inodes(one).items() if inode in others)


def _inodes(folder: Path) -> dict[tuple[int, int], str]:
    found = {}
    for inside, _, names in os.walk(folder):
        for name in names:
            held = Path(inside, name).lstat()
            found[held.st_dev, held.st_ino] = str(Path(inside, name))
    return found


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything below a folder, with modes and bytes: to see whether somebody has changed something."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }
