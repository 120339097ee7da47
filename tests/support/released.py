"""The files of a release of this checkout, and copies of the action with what a release adds to it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from go_prefetch import __version__
from tests.support.made_once import alone, kept, made_once

ROOT = Path(__file__).parents[2]
# All that a release is made from.
SOURCES = (
    "src", "tools", "templates", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml",
    "requirements.txt", ".ci/requirements-test.txt",
)  # fmt: skip


def copy_sources(folder: Path) -> Path:
    """Copy what a release is made from."""
    for name in SOURCES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def make_release(dist: Path, checkout: Path = ROOT, python: str = sys.executable, **options: object) -> None:
    """Make the files of a release."""
    argv = [python, str(checkout / "tools" / "release.py"), "dist", str(dist)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr


def released() -> Path:
    """Return the files of a release of this checkout. They are made again only if a source has changed."""
    outer = kept() / "release"
    with alone(outer):
        folder, mark, sources = outer / "made", outer / "sources", _sources()
        if not mark.exists() or mark.read_text() != sources:
            mark.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            make_release(folder)
            mark.write_text(sources)
    return folder


def put_vendored(action: Path) -> None:
    """Add the packages that a release carries to a copy of the action."""
    shutil.copytree(released() / "vendored", action / "vendored")


def _sources() -> str:
    """Return a digest of all that a release is made from."""
    digest = hashlib.sha256()
    for path in sorted(
        path for name in SOURCES for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
    ):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def locked_packages() -> Path:
    """Return a folder with the wheels of requirements.txt for this Python."""
    lock = ROOT / "requirements.txt"
    with made_once("locked-packages", f"{sys.version}\n{lock.read_text()}") as (folder, is_new):
        if is_new:
            options = ("--quiet", "--require-hashes", "--only-binary", ":all:", "--dest", str(folder))
            subprocess.run([sys.executable, "-m", "pip", "download", *options, "-r", str(lock)], check=True)
    return folder


def copy_checkout(folder: Path) -> Path:
    """Copy every file that git has, as it is now."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def release_tree(folder: Path) -> Path:
    """Write what a runner downloads of a release's tag, which tools/release.py makes of this checkout."""
    checkout, dist = copy_checkout(folder.with_name(f"{folder.name}-checkout")), released()
    identity = ("-c", "user.name=A Maintainer", "-c", "user.email=m@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "tagged")):
        subprocess.run(["git", "-C", str(checkout), *words], check=True)
    sums = hashlib.sha256((dist / "SHA256SUMS").read_bytes()).hexdigest()
    argv = [sys.executable, str(checkout / "tools" / "release.py"), "tag", f"v{__version__}", str(dist), "--sums", sums]
    commit = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    folder.mkdir()
    packed = subprocess.run(["git", "-C", str(checkout), "archive", commit], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder
