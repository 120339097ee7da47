"""Turn a tagged commit into a release: what must agree, what its notes are, what its tags hold.

python tools/release.py check v1.2.3
python tools/release.py notes v1.2.3
python tools/release.py tag v1.2.3 DIST [--url URL] [--push REMOTE]

`tag` makes one commit on top of the one that is checked out: with the packages that the action imports (DIST/vendored)
and the GitLab template that names the archive, as tools/make_archive.py wrote them. It makes DIST a second time, from
the checkout and the locked wheels, and refuses every file that differs. The tag is moved onto that commit, and so is
the tag of its major version, `v1`, unless a newer release has that. docs/releasing.md says why.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_TAG = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_CREDENTIALS = ("GH_TOKEN", "GITHUB_TOKEN", "ACTIONS_", "GIT_CONFIG_")
# Files that tell readers which version to use, and how they name it.
_DOCUMENTS = ("README.md", "docs/**/*.md", "docs/**/*.yml", "examples/**/*.yml")
_NAMED = re.compile(
    r"go-prefetch/go-prefetch@(?P<version>[\w.]+)"
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
        for match in _NAMED.finditer(path.read_text(encoding="utf-8")):
            if match["version"] not in (None, str(version)) or match["major"] not in (None, str(version.major)):
                yield f"{path.relative_to(root).as_posix()} tells readers to use {' '.join(match[0].split())}"


def notes(version: Version, root: Path) -> str:
    """Return what CHANGELOG.md says of this version; the empty string if it says nothing."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## {re.escape(str(version))} - \d{{4}}-\d\d-\d\d$\n"
    match = re.search(heading + r"(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


def files_of(dist: Path) -> dict[str, Path]:
    """Return the files of a release besides the source, by name. Raises ReleaseError if DIST lacks them."""
    template = dist / "templates" / "go-prefetch.yml"
    packages = sorted(path for path in (dist / "vendored").rglob("*") if path.is_file())
    if not packages or not template.is_file():
        raise ReleaseError(f"{dist} lacks vendored/ or the template: run tools/make_archive.py {dist}")
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


def tagged(tag: str, dist: Path, url: str | None, remote: str | None) -> str:
    """Make the commit of a release, push the tags if a remote is given, and say what was done. Raises ReleaseError."""
    clone = Repository(ROOT)
    unclean = clone.unclean()
    if unclean:
        raise ReleaseError(f"the checkout is not what was tagged: {', '.join(unclean)}")
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, str(ROOT / "tools" / "make_archive.py"), folder, *(("--url", url) if url else ())]
        # pip needs neither the token that pushes tags nor what signs attestations.
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_CREDENTIALS)}
        if subprocess.run(argv, stdout=subprocess.DEVNULL, env=environ, check=False).returncode != 0:
            raise ReleaseError("make_archive.py failed, so there is nothing to compare with")
        wrong = list(differences(dist, Path(folder)))
    if wrong:
        raise ReleaseError(f"{dist} is not what was to be released:\n  " + "\n  ".join(wrong))
    commit = clone.release_commit(tag, files_of(dist))
    moved = clone.push(remote, tag, commit) if remote else ()
    return f"{commit}{': ' if moved else ''}{', '.join(moved)}"


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("check", "notes", "tag"))
    parser.add_argument("tag", metavar="TAG")
    parser.add_argument("dist", type=Path, nargs="?", metavar="DIST", help="for `tag`: what make_archive.py wrote")
    parser.add_argument("--url", help="for `tag`: the archive's, as make_archive.py was given it")
    parser.add_argument("--push", metavar="REMOTE", help="move the tags there; without it only the commit is made")
    given = parser.parse_args(arguments)
    try:
        version = parse_tag(given.tag)
        if given.what == "check":
            found = list(problems(version, ROOT))
            print("\n".join(found) or f"{given.tag}: all agree")
            return 1 if found else 0
        if given.what == "notes":
            print(notes(version, ROOT))
            return 0
        if given.dist is None:
            parser.error("tag: DIST is missing")
        print(tagged(given.tag, given.dist, given.url, given.push))
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
