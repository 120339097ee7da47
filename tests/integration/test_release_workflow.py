"""The shell of release.yml, job by job, on a clone whose tag is pushed: what a tag becomes.

Steps that are actions are left out, but for artifacts, which are copied. `gh` writes down what it is told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from go_prefetch import __version__
from tests.support.released import ROOT, copy_checkout

pytestmark = [pytest.mark.network, pytest.mark.nightly]

TAG = f"v{__version__}"
GH = '#!/bin/sh\nprintf "%s\\n" "$@" > "$RECORDED"\n'
IDENTITY = ("-c", "user.name=A Maintainer", "-c", "user.email=m@example.com")


class Release:
    """A repository with the tag, and the jobs that its push starts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.remote, self.artifacts = folder, folder / "remote.git", folder / "artifacts"
        self.told = folder / "gh.txt"
        self.origin = copy_checkout(folder / "origin")
        changelog = self.origin / "CHANGELOG.md"
        changelog.write_text(changelog.read_text().replace("- Unreleased", "- 2026-12-01", 1))
        git(self.origin, "init", "-q", "-b", "main")
        git(self.origin, "add", "-A")
        git(self.origin, *IDENTITY, "commit", "-qm", "tagged")
        git(self.origin, "tag", TAG)
        git(folder, "clone", "-q", "--bare", str(self.origin), str(self.remote))
        programs = folder / "bin"
        programs.mkdir()
        (programs / "gh").write_text(GH)
        (programs / "gh").chmod(0o755)
        (programs / "python").symlink_to(sys.executable)
        self.path = os.pathsep.join([str(programs), os.environ["PATH"]])
        workflow = YAML(typ="safe", pure=True).load((ROOT / ".github/workflows/release.yml").read_text())
        self.jobs = workflow["jobs"]

    def run(self, job: str, *, upload: str = "", download: str = "", **environ: str) -> dict[str, str]:
        """Run the shell of a job in a fresh checkout, and return its outputs."""
        place = self.folder / f"{job}-{upload}"
        git(self.folder, "clone", "-q", "--branch", TAG, str(self.remote), str(place))
        output = self.folder / f"{place.name}.outputs"
        output.touch()
        environ = {
            **os.environ, **environ, "PATH": self.path, "GITHUB_REF_NAME": TAG, "GITHUB_OUTPUT": str(output),
            "DOWNLOADS": f"https://github.com/org/go-prefetch/releases/download/{TAG}", "RECORDED": str(self.told),
        }  # fmt: skip
        if download:
            shutil.copytree(self.artifacts, place / download, dirs_exist_ok=True)
        for script in self.scripts(job):
            argv = ["bash", "-e", "-o", "pipefail", "-c", script]
            done = subprocess.run(argv, cwd=place, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        if upload:
            shutil.copytree(place / "dist", self.artifacts / upload)
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    def scripts(self, job: str) -> Iterator[str]:
        return (step["run"] for step in self.jobs[job]["steps"] if "run" in step)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_pushed_tag_becomes_a_release(tmp_path: Path) -> None:
    release = Release(tmp_path)
    for artifact in ("dist", "again"):
        release.run("build", upload=artifact)
    sums = release.run("compare", download="builds")["sums"]

    release.artifacts /= "dist"
    release.run("publish", download="dist", SUMS=sums)
    commit = git(release.remote, "rev-parse", TAG)
    assert git(release.remote, "rev-parse", "v1") == commit
    assert git(release.remote, "rev-parse", f"{TAG}^") == git(release.origin, "rev-parse", "HEAD")
    told = release.told.read_text().splitlines()
    assert told[:3] == ["release", "create", TAG]
    published = {Path(line).name for line in told if line.startswith("dist/")}
    top = {path.name for path in release.artifacts.iterdir() if path.is_file()}
    assert published == top | {"go-prefetch.yml"}

    # What docs/releasing.md tells readers to do with the tag.
    tree = release.folder / "tree"
    git(release.folder, "clone", "-q", "--branch", "v1", str(release.remote), str(tree))
    check = f"grep -E '  (vendored|templates)/' {release.artifacts}/SHA256SUMS | sha256sum --check --strict --quiet"
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", check], cwd=tree, check=True)

    release.run("pypi", download="dist", SUMS=sums)
    assert sorted(path.suffix for path in (release.folder / "pypi-" / "pypi").iterdir()) == [".gz", ".whl"]


def test_replaced_artifact_is_not_published(tmp_path: Path) -> None:
    """One job replaced a file and its checksum after the comparison. Neither job takes it."""
    release = Release(tmp_path)
    release.run("build", upload="dist")
    shutil.copytree(release.artifacts / "dist", release.artifacts / "again")
    sums = release.run("compare", download="builds")["sums"]
    release.artifacts /= "dist"
    (wheel,) = release.artifacts.glob("*.whl")
    wheel.write_bytes(b"planted")
    fix = f"sed -i \"s|.*  {wheel.name}|$(sha256sum < {wheel.name} | cut -d ' ' -f 1)  {wheel.name}|\" SHA256SUMS"
    subprocess.run(["sh", "-c", fix], cwd=release.artifacts, check=True)
    for job in ("publish", "pypi"):
        with pytest.raises(AssertionError, match="SHA256SUMS"):
            release.run(job, download="dist", SUMS=sums)
    assert git(release.remote, "rev-parse", TAG) == git(release.origin, "rev-parse", "HEAD")
    assert not release.told.exists()
