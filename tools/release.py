"""Turn a tagged commit into a release: what must agree, what its notes are, what it holds, where its tags lead.

python tools/release.py check v1.2.3            compare version, changelog and documents
python tools/release.py notes v1.2.3            print what CHANGELOG.md says of it
python tools/release.py dist DIST [--url URL]   make all files of the release
python tools/release.py compare DIST [--url URL]
python tools/release.py tag v1.2.3 DIST --sums DIGEST [--push REMOTE]

`compare` makes the files again, from the checkout and the locked wheels, and refuses every file of DIST that differs.
It prints the SHA-256 of DIST/SHA256SUMS, which stands for all of them. `tag` takes a DIST with that digest only. It
makes one commit on top of the one that is checked out: with the packages that the action imports, and the GitLab
template that names the archive. The tag is moved onto that commit, and so is the tag of its major version, `v1`, unless
a newer release has that. docs/releasing.md says why.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from locked_wheels import WheelError
from release_files import DOWNLOADS, SUMS, contents, version, write_files

ROOT = Path(__file__).parents[1]
_TAG = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
# Files that tell readers which version to use, and how they name it.
_DOCUMENTS = ("README.md", "docs/**/*.md", "docs/**/*.yml", "examples/**/*.yml", "examples/**/Containerfile")
_EXPLAINS_RELEASES = "docs/releasing.md"  # with v1.2.3 for any version
_NAMED = re.compile(
    r"go-prefetch/go-prefetch@(?P<version>[\w.]+)"
    r"|go-prefetch[-/:](?P<file>\d+\.\d+\.\d+)"
    r"|-record/1 \{\"version\":\"(?P<record>[^\"]+)"
    r"|org/go-prefetch(?:@|\s+ref: |/archive/refs/tags/)v(?P<major>[\w.]+?)(?:\.tar\.gz)?(?![\w.])"
)


class ReleaseError(Exception):
    """Why there is no release, in words."""


class Version(NamedTuple):
    """The numbers of a tag."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse_tag(tag: str) -> Version:
    """Return the version that a tag names. Raises ReleaseError for a tag of another form."""
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ReleaseError(f"{tag} is no tag of a release, which is called as v1.2.3 is")
    return Version(*map(int, match.groups()))


def problems(version: Version, root: Path) -> Iterator[str]:
    """Yield what in the checkout at `root` does not agree with this version: one sentence each."""
    package = (root / "src" / "go_prefetch" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "(.+)"$', package, re.MULTILINE)
    if match is None or match[1] != str(version):
        yield f"src/go_prefetch/__init__.py says version {match[1] if match else 'nothing'}"
    if not notes(version, root):
        unreleased = f"## {version} - Unreleased" in (root / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        advice = ": write the date of the release in place of `Unreleased`" if unreleased else ", or nothing in it"
        yield f"CHANGELOG.md has no section `## {version} - YYYY-MM-DD`{advice}"
    for path in sorted(path for pattern in _DOCUMENTS for path in root.glob(pattern)):
        name = path.relative_to(root).as_posix()
        if name == _EXPLAINS_RELEASES:
            continue
        for match in _NAMED.finditer(path.read_text(encoding="utf-8")):
            wanted = str(version.major) if match["major"] else str(version)
            if wanted not in match.groups():
                yield f"{name} names another version: {' '.join(match[0].split())}"


def notes(version: Version, root: Path) -> str:
    """Return what CHANGELOG.md says of this version; the empty string if it says nothing."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## {re.escape(str(version))} - \d{{4}}-\d\d-\d\d$\n"
    match = re.search(heading + r"(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


def make(dist: Path, url: str) -> None:
    """Make all files of a release in DIST. Raises ReleaseError if DIST has other files."""
    if dist.is_dir() and any(dist.iterdir()) and not (dist / SUMS).is_file():
        raise ReleaseError(f"{dist} has files that are no release, and they would be removed. Name another folder")
    try:
        with tempfile.TemporaryDirectory() as folder:
            write_files(dist, contents(url, Path(folder)))
    except WheelError as error:
        raise ReleaseError(str(error)) from error


def compared(dist: Path, url: str) -> str:
    """Return the digest of DIST, if the checkout and the locked wheels give the same files. Raises ReleaseError."""
    unclean = Repository(ROOT).unclean()
    if unclean:
        raise ReleaseError(f"the checkout is not what was tagged: {', '.join(unclean)}")
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), url)
        wrong = list(differences(dist, Path(folder)))
    if wrong:
        raise ReleaseError(f"{dist} is not what was to be released:\n  " + "\n  ".join(wrong))
    return digest_of(dist)


def digest_of(dist: Path) -> str:
    """Return the SHA-256 of DIST's checksums. Raises ReleaseError unless they fit all files of DIST, and no other."""
    sums = dist / SUMS
    stated = dict(line.split("  ", 1)[::-1] for line in sums.read_text().splitlines()) if sums.is_file() else {}
    found = {name: content for name, content in _contents(dist).items() if ".pyz/" not in name and name != SUMS}
    wrong = [
        name
        for name in sorted(stated.keys() | found.keys())
        if stated.get(name) != hashlib.sha256(found.get(name) or b"").hexdigest()
    ]
    if wrong or not stated:
        raise ReleaseError(f"{sums} does not fit: {', '.join(wrong) or 'it has no checksum'}")
    return hashlib.sha256(sums.read_bytes()).hexdigest()


def files_of(dist: Path) -> dict[str, Path]:
    """Return what the tag of a release has besides the source, by name. Raises ReleaseError if DIST lacks it."""
    template = dist / "templates" / "go-prefetch.yml"
    packages = sorted(path for path in (dist / "vendored").rglob("*") if path.is_file())
    if not packages or not template.is_file():
        raise ReleaseError(f"{dist} lacks vendored/ or the template: run tools/release.py dist {dist}")
    return {"templates/go-prefetch.yml": template, **{path.relative_to(dist).as_posix(): path for path in packages}}


def differences(dist: Path, made: Path) -> Iterator[str]:
    """Yield a sentence for each file of DIST that the locked wheels and this checkout do not give."""
    found, wanted = _contents(dist), _contents(made)
    for name in sorted(found.keys() | wanted.keys()):
        content = found.get(name)
        if content is None:
            yield f"{name} is a link or no file" if name in found else f"{name} is missing"
        elif name not in wanted:
            yield f"{name} is in no locked wheel"
        elif content != wanted[name]:
            yield f"{name} is not what the locked wheels and this commit give"


def _contents(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder by its name, those inside an archive too; no content for what is no regular file."""
    contents: dict[str, bytes | None] = {}
    for path in folder.rglob("*"):
        name, is_plain = path.relative_to(folder).as_posix(), path.is_file() and not path.is_symlink()
        if path.is_dir() and not path.is_symlink():
            continue
        contents[name] = path.read_bytes() if is_plain else None
        if is_plain and path.suffix == ".pyz" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents |= {f"{name}/{member}": archive.read(member) for member in archive.namelist()}
    return contents


class Repository:
    """The clone at `root`, by git's own programs; neither its files nor its index are changed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def git(self, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
        """Return what git prints. Raises ReleaseError with its words."""
        argv = ["git", "-C", str(self._root), *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, **(environ or {})})
        if done.returncode != 0:
            raise ReleaseError(f"git {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def unclean(self) -> list[str]:
        """Files that would get into a release and are not in the commit that is checked out, or should not be there."""
        changed = self.git("diff", "--name-only", "HEAD").splitlines()
        untracked = self.git("ls-files", "--others", "--", "src", "shim", "templates", "tools").splitlines()
        vendored = self.git("ls-tree", "-r", "--name-only", "HEAD", "--", "vendored").splitlines()
        return changed + [name for name in untracked if "/__pycache__/" not in name] + vendored

    def release_commit(self, tag: str, files: Mapping[str, Path]) -> str:
        """Make a commit with these files on top of the one that is checked out; the same in every clone."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            self.git("read-tree", "HEAD", environ=index)
            for name, path in files.items():
                blob = self.git("hash-object", "-w", "--no-filters", str(path.resolve()))
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", environ=index)
            tree = self.git("write-tree", environ=index)
        name, mail, date = self.git("show", "-s", "--format=%cn%n%ce%n%cI", "HEAD").split("\n")
        person = {"NAME": name, "EMAIL": mail, "DATE": date}
        identity = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in person.items()}
        message = f"Release {tag}: the packages that the action imports, the template that names the archive"
        return self.git("commit-tree", tree, "-p", "HEAD", "-m", message, environ=identity)

    def tags(self, remote: str) -> dict[str, tuple[str, str]]:
        """Return the tags of `remote`: the object that each is, and the commit that it leads to."""
        found: dict[str, tuple[str, str]] = {}
        for line in self.git("ls-remote", "--tags", remote).splitlines():
            object_id, _, ref = line.partition("\t")
            name = ref.removeprefix("refs/tags/")
            if name.endswith("^{}"):  # an annotated tag comes twice: itself, and what it is a tag of
                found[name[:-3]] = (found[name[:-3]][0], object_id)
            else:
                found[name] = (object_id, object_id)
        return found

    def push(self, remote: str, tag: str, commit: str) -> tuple[str, ...]:
        """Move the tag, and that of its major version, onto the release commit; return their names.

        Raises ReleaseError where somebody has moved the tag meanwhile.
        """
        there, head = self.tags(remote), self.git("rev-parse", "HEAD")
        object_id, leads_to = there.get(tag, ("", ""))
        if leads_to not in (head, commit):
            raise ReleaseError(f"{tag} is {leads_to or 'nowhere'} on {remote}, and {head} is checked out")
        version = parse_tag(tag)
        others = [parse_tag(name) for name in there if _TAG.fullmatch(name)]
        is_newest = version >= max(other for other in others if other.major == version.major)
        moved = (tag, f"v{version.major}") if is_newest else (tag,)
        specs = [f"+{commit}:refs/tags/{name}" for name in moved]
        self.git("push", "--atomic", f"--force-with-lease=refs/tags/{tag}:{object_id}", remote, *specs)
        return moved


def tagged(tag: str, dist: Path, sums: str, remote: str | None) -> str:
    """Make the commit of a release, push the tags if a remote is given, and say what was done. Raises ReleaseError."""
    clone = Repository(ROOT)
    unclean = clone.unclean()
    if unclean:
        raise ReleaseError(f"the checkout is not what was tagged: {', '.join(unclean)}")
    if digest_of(dist) != sums:
        raise ReleaseError(f"{dist / SUMS} is not the file that was compared")
    commit = clone.release_commit(tag, files_of(dist))
    moved = clone.push(remote, tag, commit) if remote else ()
    return f"{commit}{': ' if moved else ''}{', '.join(moved)}"


def answer(given: argparse.Namespace) -> str:
    """Do what is asked, and return what to print. Raises ReleaseError."""
    if given.what == "dist":
        make(given.dist, given.url)
        return f"{given.dist}: {digest_of(given.dist)}"
    if given.what == "compare":
        return compared(given.dist, given.url)
    version = parse_tag(given.tag)
    if given.what == "notes":
        return notes(version, ROOT)
    if given.what == "tag":
        return tagged(given.tag, given.dist, given.sums, given.push)
    found = list(problems(version, ROOT))
    if found:
        raise ReleaseError("\n".join(found))
    return f"{given.tag}: all agree"


def main(arguments: list[str] | None = None) -> int:
    """Print what was done. The exit status is 1 if it could not be done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="what", required=True)
    for name in ("check", "notes", "tag"):
        commands.add_parser(name).add_argument("tag", metavar="TAG")
    for name in ("dist", "compare"):
        commands.add_parser(name).add_argument("--url", default=DOWNLOADS.format(version()), help="of the downloads")
    for name in ("dist", "compare", "tag"):
        commands.choices[name].add_argument("dist", type=Path, metavar="DIST")
    commands.choices["tag"].add_argument("--sums", required=True, metavar="DIGEST", help="what `compare` has printed")
    commands.choices["tag"].add_argument(
        "--push", metavar="REMOTE", help="move the tags there, not only make the commit"
    )
    try:
        print(answer(parser.parse_args(arguments)))
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
