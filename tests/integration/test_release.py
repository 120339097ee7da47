"""What makes a release of a tagged commit: what must agree first, what its commit holds, which tags move onto it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from go_prefetch import __version__
from tests.fakes.module_proxy import ModuleProxy
from tests.fakes.modules import FakeModule
from tests.gitlab import make_archive
from tests.workbench import Workbench

ROOT = Path(__file__).parents[2]
STATED = ("pyproject.toml", "src/go_prefetch/__init__.py", "CHANGELOG.md", "README.md", "docs/gitlab.md")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["release"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release = load()


class Clone:
    """A clone with one commit, and the repository that it was pushed to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.remote = folder / "remote.git"
        self.tools = release.Repository(self.folder)
        self.folder.mkdir()
        for name in ("action.yml", "templates/go-prefetch.yml"):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{name}\n")
        subprocess.run(["git", "init", "-q", "--bare", str(self.remote)], check=True)
        self.git("init", "-q")
        self.git("add", "-A")
        self.commit("one")
        self.git("remote", "add", "origin", str(self.remote))

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=A Maintainer", "-c", "user.email=m@example.com")
        argv = ["git", "-C", str(self.folder), *identity, *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, *options: str) -> None:
        self.git("tag", *options, name)
        self.git("push", "-q", "origin", f"refs/tags/{name}")

    def leads_to(self, tag: str) -> str:
        """What the remote has under this tag."""
        return str(self.tools.tags("origin").get(tag, ("", ""))[1])


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    for name in ("vendored/requests/__init__.py", "vendored/idna-3.dist-info/METADATA", "templates/go-prefetch.yml"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"released {name}\r\n".encode())
    return folder


def checkout(folder: Path, version: str, major: str, changes: str) -> Path:
    """The files that state a version, as a release of `version` would have them."""
    for name in STATED:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text(encoding="utf-8").replace(__version__, version)
        path.write_text(text.replace("org/go-prefetch@v1", f"org/go-prefetch@v{major}"), encoding="utf-8")
    changelog = folder / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8").replace("## Unreleased", f"## Unreleased\n\n{changes}")
    changelog.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3-rc.1", "v01.2.3", "v1.2.3\n", "v1", "vv1.2.3"])
def test_a_tag_of_another_form_is_no_release(tag: str) -> None:
    with pytest.raises(release.ReleaseError, match=r"v1\.2\.3"):
        release.parse_tag(tag)


def test_what_states_the_version_must_agree(tmp_path: Path) -> None:
    """Each of the places is looked at, and a section of the changelog must have something to say."""
    version = release.parse_tag("v2.3.4")
    good = checkout(tmp_path / "good", "2.3.4", "2", "## 2.3.4 - 2026-12-01\n\n### Added\n\n- Much.\n")
    assert list(release.problems(version, good)) == []
    assert release.notes(version, good).startswith("### Added\n\n- Much.")
    stale = checkout(tmp_path / "stale", "2.3.3", "1", "## 2.3.4 - soon\n\n- Much.\n")
    found = "\n".join(release.problems(version, stale))
    assert [name for name in STATED if name not in found] == []
    assert "go-prefetch/go-prefetch@2.3.3" in found
    assert "org/go-prefetch@v1" in found
    empty = checkout(tmp_path / "empty", "2.3.4", "2", "## 2.3.4 - 2026-12-01\n\n## 2.3.3 - 2026-11-01\n\n- Old.\n")
    assert [problem.split()[0] for problem in release.problems(version, empty)] == ["CHANGELOG.md"]


def test_the_commit_of_a_release(clone: Clone, dist: Path) -> None:
    """The tagged commit, and on top of it the packages and the template, byte for byte; the same each time."""
    files = release.files_of(dist)
    commit = clone.tools.release_commit("v1.0.0", files)
    assert clone.tools.release_commit("v1.0.0", files) == commit
    assert clone.git("rev-parse", f"{commit}^") == clone.git("rev-parse", "HEAD")
    changed = clone.git("diff", "--name-status", "HEAD", commit).split()
    assert dict(zip(changed[1::2], changed[::2], strict=True)) == {
        "templates/go-prefetch.yml": "M",
        "vendored/idna-3.dist-info/METADATA": "A",
        "vendored/requests/__init__.py": "A",
    }
    shown = subprocess.run(
        ["git", "-C", str(clone.folder), "show", f"{commit}:vendored/requests/__init__.py"],
        capture_output=True,
        check=True,
    )
    assert shown.stdout == b"released vendored/requests/__init__.py\r\n"
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize("options", [(), ("-a", "-m", "signed and sealed")], ids=["lightweight", "annotated"])
def test_both_tags_move_onto_it_and_stay_when_asked_again(clone: Clone, dist: Path, options: tuple[str, ...]) -> None:
    clone.tag("v1.0.0", *options)
    commit = clone.tools.release_commit("v1.0.0", release.files_of(dist))
    for _ in range(2):
        assert clone.tools.push("origin", "v1.0.0", commit) == ("v1.0.0", "v1")
        assert clone.leads_to("v1.0.0") == clone.leads_to("v1") == commit


def test_an_older_release_leaves_the_major_tag_alone(clone: Clone, dist: Path) -> None:
    """A fix for 1.2 after 1.10; a release of another major version has its own."""
    files = release.files_of(dist)
    for tag in ("v1.10.0", "v2.0.0", "v1.2.9"):
        clone.commit(tag)
        clone.tag(tag)
        clone.tools.push("origin", tag, clone.tools.release_commit(tag, files))
    assert clone.leads_to("v1") == clone.leads_to("v1.10.0") != clone.leads_to("v1.2.9")
    assert clone.leads_to("v2") == clone.leads_to("v2.0.0")


def test_a_tag_that_somebody_moved_is_not_touched(clone: Clone, dist: Path) -> None:
    clone.tag("v1.0.0")
    commit = clone.tools.release_commit("v1.0.0", release.files_of(dist))
    clone.commit("two")
    clone.tag("v1.0.1")
    clone.git("push", "-q", "-f", "origin", "refs/tags/v1.0.1:refs/tags/v1.0.0")
    clone.git("checkout", "-q", "HEAD~1")
    with pytest.raises(release.ReleaseError, match=r"v1\.0\.0 is "):
        clone.tools.push("origin", "v1.0.0", commit)
    assert clone.leads_to("v1.0.0") == clone.leads_to("v1.0.1")
    assert clone.leads_to("v1") == ""


def test_no_release_without_its_files(tmp_path: Path, dist: Path) -> None:
    (dist / "templates" / "go-prefetch.yml").unlink()
    with pytest.raises(release.ReleaseError, match="make_archive"):
        release.files_of(dist)


@pytest.mark.network
def test_the_action_runs_with_the_packages_of_a_release_alone(bench: Workbench, tmp_path: Path) -> None:
    """No site-packages, no virtual environment: what the launcher imports is in vendored/."""
    make_archive(tmp_path)
    action = tmp_path / "action"
    for folder in (ROOT / "src", ROOT / "shim", tmp_path / "vendored"):
        shutil.copytree(folder, action / folder.name)
    lib = FakeModule("example.com/lib", "v1.2.3")
    bench.write_project([lib])
    launcher = [sys.executable, "-I", "-S", str(action / "shim" / "launch.py"), "run", "--store", "none"]
    with ModuleProxy([lib]) as proxy:
        result = bench.program(launcher, timeout=60, GOPROXY=proxy.url, GITHUB_ACTIONS="true")
    assert result.status == 0, result.text
    assert "1 downloaded" in result.stdout
