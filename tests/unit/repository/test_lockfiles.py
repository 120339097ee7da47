"""The lock files: everything pinned by hash, nothing of the machine that made them, and they agree."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.txt", ".ci/requirements-test.txt", ".ci/requirements-dev.txt")
BUCKETS = "requirements-buckets.txt"  # what the action installs for stores in buckets
AUDIT = ".ci/requirements-audit.txt"  # what tools/audit.py starts
EXTRAS = {
    BUCKETS: ("buckets",),
    AUDIT: ("audit",),
    ".ci/requirements-test.txt": ("build", "test"),
    ".ci/requirements-dev.txt": ("build", "test", "lint", "site", "dev"),
}
_PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?: ; [^\\]+)? \\\n"
    r"(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
    r"(?:    #.*\n)*"
)


def pins(lock: str) -> dict[str, set[str]]:
    """The versions of each package; more than one where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for match in _PIN.finditer((ROOT / lock).read_text(encoding="utf-8")):
        found.setdefault(match["name"], set()).add(match["version"])
    return found


def wanted(extra: str) -> dict[str, str]:
    """What pyproject.toml pins for an extra."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(rf"^{extra} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
    assert block
    found = dict(re.findall(r'"([A-Za-z0-9._-]+)==([^";]+)', block[1]))
    return {re.sub("[._]", "-", name).lower(): version for name, version in found.items()}


@pytest.mark.parametrize("lock", [*LOCKS, BUCKETS, AUDIT])
def test_lock_file_holds_pins_with_hashes_and_nothing_else(lock: str) -> None:
    """No index, host, option or unpinned line: where packages come from is for the environment to say."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    head, first = re.match(r"(?:#.*\n)+", text), pins(lock)
    assert head
    assert "uv pip compile --universal" in head[0]
    assert _PIN.sub("", text[head.end() :]) == ""
    assert "://" not in text
    assert first


@pytest.mark.parametrize("lock", EXTRAS)
def test_lock_file_has_what_pyproject_pins(lock: str) -> None:
    locked = pins(lock)
    for extra in EXTRAS[lock]:
        for name, version in wanted(extra).items():
            assert locked.get(name) == {version}, name


def test_lock_files_agree() -> None:
    """What a user runs is what was tested."""
    released, tested, developed = map(pins, LOCKS)
    assert {name: tested.get(name) for name in released} == released
    assert {name: tested.get(name) for name in pins(BUCKETS)} == pins(BUCKETS)
    assert all(developed[name] <= versions for name, versions in tested.items() if name in developed)


@pytest.mark.parametrize(
    "path",
    [
        ".ci/venv",
        ".ci/test",
        ".ci/run",
        ".ci/nightly",
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / ".github" / "workflows").glob("*.yml")),
    ],
)
def test_ci_installs_from_lock_files_alone(path: str) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    installs = [
        line for line in lines if re.search(r"pip install|pip3 install", line) and not line.lstrip().startswith("#")
    ]
    unlocked = [line for line in installs if "--require-hashes" not in line and "--no-index" not in line]
    assert all('--upgrade "$URLLIB3" "$PYGITHUB"' in line for line in unlocked)  # a job tests other versions
    assert len(unlocked) == (1 if path.endswith("/ci.yml") else 0)


def test_lock_of_buckets_is_in_the_tree_of_a_release() -> None:
    """A release is the tagged commit and a few files more, so a file that git has is in it."""
    listed = ["git", "-C", str(ROOT), "ls-files", "--error-unmatch", BUCKETS]
    assert subprocess.run(listed, capture_output=True, check=False).returncode == 0
