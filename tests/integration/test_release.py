"""What makes a release of a tagged commit: what must agree first, what its commit holds, which tags move onto it."""

from __future__ import annotations

import base64
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from go_prefetch import __version__
from go_prefetch.render.record import parse_record
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.released import copy_sources, make_release, released
from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
EXAMPLE = "docs/examples/docker/gitlab-ci.yml"
RECIPE = "examples/image/Containerfile"
RECORD = "docs/record.md"
STATED = ("src/go_prefetch/__init__.py", "CHANGELOG.md", "README.md", "docs/gitlab.md", EXAMPLE, RECIPE, RECORD)


def load(name: str) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        return importlib.import_module(name)


release, locked_wheels = load("release"), load("locked_wheels")


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


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def checkout(folder: Path, version: str, major: str, changes: str) -> Path:
    """The files that state a version, as a release of `version` would have them."""
    for name in STATED:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text(encoding="utf-8").replace(__version__, version)
        for before in ("org/go-prefetch@v", "org/go-prefetch/archive/refs/tags/v"):
            text = text.replace(f"{before}1", f"{before}{major}")
        path.write_text(text, encoding="utf-8")
    changelog = folder / "CHANGELOG.md"
    text = re.sub("^## .* - Unreleased$", f"## Unreleased\n\n{changes}", text_of(changelog), flags=re.MULTILINE)
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


def test_this_checkout_lacks_the_date_of_its_release_at_most() -> None:
    """`main` has the version that comes next in all documents. The date is written on the day of the release."""
    found = list(release.problems(release.parse_tag(f"v{__version__}"), ROOT))
    assert [problem for problem in found if "write the date" not in problem] == []


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
    with pytest.raises(release.ReleaseError, match=r"release\.py dist"):
        release.files_of(dist)


def write_wheel(path: Path, files: Mapping[str, bytes], *, unrecorded: Mapping[str, bytes] | None = None) -> Path:
    """A wheel whose RECORD has `files`; `unrecorded` are added to it afterwards, or take the place of what it has."""
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}"
        for name, content in files.items()
    ]
    record = "\n".join([*rows, "pack-1.dist-info/RECORD,,", ""]).encode()
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in {**files, "pack-1.dist-info/RECORD": record, **(unrecorded or {})}.items():
            wheel.writestr(name, content)
    return path


PACK = {"pack/__init__.py": b"# pack\n", "pack-1.dist-info/METADATA": b"Name: pack\n"}


def test_wheel_that_agrees_with_its_record_is_read(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "pack-1-py3-none-any.whl", PACK)
    assert dict(locked_wheels.packages([wheel])) == PACK


@pytest.mark.parametrize(
    ("files", "unrecorded", "named"),
    [
        (PACK, {"pack/extra.py": b""}, "pack/extra.py"),
        (PACK, {"other/__init__.py": b""}, "other/__init__.py"),
        (PACK, {"pack/__init__.py": b"import os\n"}, "pack/__init__.py is not what RECORD has"),
        ({**PACK, "pack.pth": b"import os\n"}, {}, "pack.pth is no source"),
        ({**PACK, "pack/fast.cpython-312-x86_64-linux-gnu.so": b"\x7fELF"}, {}, "fast.cpython-312-x86_64-linux-gnu.so"),
        ({**PACK, "pack/__pycache__/a.cpython-310.pyc": b""}, {}, "a.cpython-310.pyc is no source"),
        ({**PACK, "../action.yml": b""}, {}, "../action.yml leads elsewhere"),
        ({**PACK, "go_prefetch/cli.py": b""}, {}, "go_prefetch/cli.py takes the place"),
        ({**PACK, "__Main__.py": b""}, {}, "__Main__.py takes the place"),
        ({**PACK, "Pack/__init__.py": b""}, {}, "Pack/__init__.py is in pack-1-py3-none-any.whl too"),
    ],
)
def test_wheel_with_anything_odd_is_refused(
    tmp_path: Path, files: dict[str, bytes], unrecorded: dict[str, bytes], named: str
) -> None:
    """By the name of the file."""
    wheel = write_wheel(tmp_path / "pack-1-py3-none-any.whl", files, unrecorded=unrecorded)
    with pytest.raises(locked_wheels.WheelError, match=named.replace(".", r"\.")):
        list(locked_wheels.packages([wheel], taken=("__main__.py", "go_prefetch")))


def test_file_of_two_wheels_is_refused(tmp_path: Path) -> None:
    wheels = [write_wheel(tmp_path / f"{name}-1-py3-none-any.whl", PACK) for name in ("one", "two")]
    with pytest.raises(locked_wheels.WheelError, match=r"pack/__init__\.py is in one-1-py3-none-any\.whl too"):
        list(locked_wheels.packages(wheels))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What a build job makes."""
    return Path(shutil.copytree(released(), tmp_path / "made"))


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A fresh checkout of a tag, with the files at hand."""
    folder = copy_sources(tmp_path / "tagged")
    identity = ("-c", "user.name=A Maintainer", "-c", "user.email=m@example.com")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "tagged")):
        subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)
    return folder


def tool(checkout: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(checkout / "tools" / "release.py"), *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def digest(dist: Path) -> str:
    return hashlib.sha256((dist / "SHA256SUMS").read_bytes()).hexdigest()


@pytest.mark.network
def test_release_of_what_was_built_is_made(made: Path, tagged: Path) -> None:
    compared = tool(tagged, "compare", made)
    assert (compared.stdout, compared.stderr) == (f"{digest(made)}\n", "")
    done = tool(tagged, "tag", f"v{__version__}", made, "--sums", compared.stdout.strip())
    assert done.returncode == 0, done.stderr
    commit = done.stdout.strip()
    shown = subprocess.run(
        ["git", "-C", str(tagged), "show", "--name-only", "--format=", commit],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {path.relative_to(made).as_posix() for path in (made / "vendored").rglob("*") if path.is_file()}
    assert set(shown.stdout.split()) == wanted | {"templates/go-prefetch.yml"}


@pytest.mark.network
def test_release_with_planted_files_is_refused(made: Path, tagged: Path) -> None:
    """Each by its name, whatever it is: in the folder of the action and in the archive for GitLab jobs."""
    dist, sums = made, digest(made)
    planted = (
        "sitecustomize.py",
        "requests/extra.py",
        "yaml/__init__.py",
        "evil.pth",
        "idna/core.cpython-310.pyc",
        "x.so",
    )
    for name in planted:
        (dist / "vendored" / name).parent.mkdir(exist_ok=True)
        (dist / "vendored" / name).write_bytes(b"import os\n")
    (dist / "vendored" / "requests" / "api.py").write_bytes(b"import os\n")
    (dist / "vendored" / "certifi" / "core.py").unlink()
    (dist / "vendored" / "urllib3" / "fields.py").unlink()
    (dist / "vendored" / "urllib3" / "fields.py").symlink_to("/etc/passwd")
    pyz = next(dist.glob("*.pyz"))
    with zipfile.ZipFile(pyz, "a") as changed:
        changed.writestr("go_prefetch/evil.py", "import os\n")
    unfit = tool(tagged, "tag", f"v{__version__}", dist, "--sums", sums)
    assert (unfit.returncode, unfit.stdout) == (1, "")
    assert "vendored/evil.pth" in unfit.stderr
    done = tool(tagged, "compare", dist)
    assert (done.returncode, done.stdout) == (1, "")
    refused = [line.strip() for line in done.stderr.splitlines()[1:]]
    differs = "is not what the locked wheels and this commit give"
    assert sorted(refused) == sorted([
        *(f"vendored/{name} is in no locked wheel" for name in planted),
        f"vendored/requests/api.py {differs}",
        "vendored/certifi/core.py is missing",
        "vendored/urllib3/fields.py is a link or no file",
        f"{pyz.name} {differs}",
        f"{pyz.name}/go_prefetch/evil.py is in no locked wheel",
    ])  # fmt: skip


@pytest.mark.network
def test_release_of_a_changed_checkout_is_refused(made: Path, tagged: Path) -> None:
    """Changed and untracked sources would get into the archive that is compared with."""
    (tagged / "src" / "go_prefetch" / "planted.py").write_text("import os\n")
    with (tagged / "requirements.txt").open("a") as lock:
        lock.write("evil==1\n")
    for arguments in (("compare", made), ("tag", f"v{__version__}", made, "--sums", digest(made))):
        done = tool(tagged, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "requirements.txt, src/go_prefetch/planted.py" in done.stderr


@pytest.mark.network
def test_tag_of_other_files_than_compared_is_refused(made: Path, tagged: Path) -> None:
    """A file and its checksum are changed after the comparison."""
    sums, changed = digest(made), made / "vendored" / "idna" / "core.py"
    before = hashlib.sha256(changed.read_bytes()).hexdigest()
    changed.write_bytes(b"import os\n")
    after = hashlib.sha256(changed.read_bytes()).hexdigest()
    (made / "SHA256SUMS").write_text((made / "SHA256SUMS").read_text().replace(before, after))
    done = tool(tagged, "tag", f"v{__version__}", made, "--sums", sums)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not the file that was compared" in done.stderr


def test_dist_with_other_files_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")
    done = tool(ROOT, "dist", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.network
def test_wheel_of_another_hash_is_refused(made: Path, tagged: Path) -> None:
    """By pip, before anything is read of it."""
    lock = tagged / "requirements.txt"
    lines = [f"    --hash=sha256:{'0' * 64}" if "--hash" in line else line for line in lock.read_text().splitlines()]
    lock.write_text("\n".join(f"{line} \\" if "--hash" in line or "==" in line else line for line in lines) + "\n")
    done = tool(tagged, "dist", tagged / "dist")
    assert done.returncode == 1
    assert not (tagged / "dist").exists()


def another_python() -> str:
    """The oldest Python of this machine that is of another version than the one of the test, and has pip."""
    places = (*Path.home().glob(".pyenv/versions/3.*/bin/python"), *Path("/usr/bin").glob("python3.*[0-9]"))
    for minor in (minor for minor in range(10, 30) if minor != sys.version_info.minor):
        for path in (path for path in places if f"3.{minor}" in str(path)):
            if subprocess.run([str(path), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
                return str(path)
    return sys.executable


@pytest.mark.network
def test_two_builds_in_two_folders_have_the_same_bytes(made: Path, tagged: Path, tmp_path: Path) -> None:
    """From two checkouts, by two Pythons (if there are two), with other locales, time zones, umasks and hash seeds."""
    other = tmp_path / "else" / "where"
    otherwise = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    make_release(other, tagged, python=another_python(), umask=0o077, env={**os.environ, **otherwise})
    assert list(release.differences(other, made)) == []
    assert list(release.differences(made, other)) == []


@pytest.mark.network
def test_the_action_runs_with_the_packages_of_a_release_alone(bench: Workbench, tmp_path: Path) -> None:
    """No site-packages, no virtual environment: what the launcher imports is in vendored/."""
    action = tmp_path / "action"
    for folder in (ROOT / "src", ROOT / "shim", released() / "vendored"):
        shutil.copytree(folder, action / folder.name)
    lib = FakeModule("example.com/lib", "v1.2.3")
    bench.write_project([lib])
    launcher = [sys.executable, "-I", "-S", str(action / "shim" / "launch.py"), "", "run", "--store", "none"]
    with ModuleProxy([lib]) as proxy:
        result = bench.program(launcher, GOPROXY=proxy.url, GITHUB_ACTIONS="true")
    assert result.status == 0, result.text
    (record,) = filter(None, map(parse_record, result.stdout.splitlines()))
    assert (record.result, record.modules, record.bytes_restored) == ("miss", 1, 0)
