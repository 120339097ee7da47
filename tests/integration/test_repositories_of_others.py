"""A repository that belongs to another user: git's own protection holds, and the CI's checkout alone is exempt."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.base.retry import Deadline
from go_prefetch.run.steps.stable_times import give_stable_times
from tests.integration.test_foreign_repositories import checkout, git, promisor
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="files of another user need root"),
]

STRANGER = 65534
NAMES = ["a/go.mod", "deep/b/go.mod"]


def give_away(folder: Path) -> None:
    """Make the folder and what is in it another user's."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def tracked(bench: Workbench, folder: Path, **variables: object) -> list[str]:
    environ = {**bench.environ, **{name: str(value) for name, value in variables.items()}}
    return sorted(map(str, GitCommand(environ).tracked(folder, "**/go.mod") or ()))


@pytest.fixture
def foreign(bench: Workbench) -> Path:
    """A checkout of another user's."""
    checkout(bench, bench.project)
    give_away(bench.project)
    return bench.project


@pytest.mark.parametrize("below", ["", "deep/empty"])
@pytest.mark.parametrize("variable", ["", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_what_a_repository_of_another_names_is_not_started(bench: Workbench, below: str, variable: str) -> None:
    """Nor where the CI says that it is the checkout."""
    checkout(bench, bench.project)
    mark = bench.folder / "harm"
    promisor(bench, f"touch {shlex.quote(str(mark))}")
    give_away(bench.project)
    (bench.project / "deep/empty").mkdir(parents=True)
    variables = {variable: str(bench.project)} if variable else {}
    done = prefetch(bench, "plan", cwd=bench.project / below, **variables)
    asked = prefetch(bench, "report", cwd=bench.project / below, **variables)
    assert not mark.exists()
    assert done.status == (0 if variable and not below else 2), done.text
    refused = [one.slug for one in (*done.notices, *asked.notices) if "not-trusted" in one.case]
    assert refused == ([] if variable else ["go-mod-not-found", "repository-unknown"])


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/../project", "link"])
def test_the_checkout_that_the_ci_names_is_listed(
    bench: Workbench, foreign: Path, variable: str, spelling: str
) -> None:
    """In a container the user is root and the checkout the runner's."""
    (bench.folder / "link").symlink_to(foreign)
    named = bench.folder / "link" if spelling == "link" else spelling.format(foreign)
    assert tracked(bench, foreign, **{variable: named}) == NAMES
    done = bench.run("plan", **{variable: str(named)})
    assert done.status == 0, done.text


def test_no_other_repository_is_trusted_with_the_checkout(bench: Workbench, foreign: Path) -> None:
    """One below it, one above it, and one beside it."""
    inner = foreign / "deep/b/inner"
    inner.mkdir()
    checkout(bench, inner)
    give_away(inner)
    beside = bench.folder / "beside"
    beside.mkdir()
    checkout(bench, beside)
    give_away(beside)
    for folder, named in ((inner, foreign), (foreign, foreign / "deep"), (beside, foreign), (foreign, bench.folder)):
        with pytest.raises(NotTrustedError):
            tracked(bench, folder, GITHUB_WORKSPACE=named)


@pytest.mark.parametrize("named", ["*", "/*", "{}/*", "{}/*/", "{}/*/.", "/", "~", "%(prefix)", "", "."])
def test_a_checkout_is_one_folder(bench: Workbench, foreign: Path, named: str) -> None:
    """What git would read as many folders trusts none."""
    with pytest.raises(NotTrustedError):
        tracked(bench, foreign, GITHUB_WORKSPACE=named.format(foreign.parent))


@pytest.mark.parametrize("has_checkout", [False, True])
def test_what_the_user_trusts_is_listed(bench: Workbench, foreign: Path, has_checkout: bool) -> None:
    """His own `safe.directory` counts, also in a job."""
    git(bench, "config", "--global", "safe.directory", str(foreign))
    variables = {"GITHUB_WORKSPACE": str(bench.folder / "elsewhere")} if has_checkout else {}
    assert tracked(bench, foreign, **variables) == NAMES


@pytest.mark.parametrize("variable", ["", "GITHUB_WORKSPACE"])
def test_stable_times_are_for_trusted_repositories(bench: Workbench, foreign: Path, variable: str) -> None:
    """In a container, the runner's files get them from root, and stay the runner's."""
    git_of_ci = GitCommand({**bench.environ, variable or "X": str(foreign)})
    given = give_stable_times(git_of_ci, [foreign], Deadline())
    assert [warning.case for warning in given.warnings] == ([] if variable else ["not-trusted"])
    assert given.files == (6 if variable else 0)
    assert (foreign / "a/main.go").stat().st_uid == STRANGER
    git(bench, "config", "--global", "safe.directory", str(foreign))
    assert (git(bench, "diff-files", "--name-only", folder=foreign).stdout == "") is bool(variable)


def test_odd_names_of_checkouts_reach_git_as_they_are(bench: Workbench) -> None:
    """They are quoted in the configuration that is made for git."""
    folder = bench.folder / 'a "b" \\c; #d \t\x01 é'
    folder.mkdir()
    checkout(bench, folder)
    give_away(folder)
    assert tracked(bench, folder, GITHUB_WORKSPACE=folder) == NAMES


def test_a_line_of_a_name_is_no_line_of_the_configuration(bench: Workbench, foreign: Path) -> None:
    named = f'/x"\n\tdirectory = {foreign}\n[core]\n\tx = "'
    with pytest.raises(NotTrustedError):
        tracked(bench, foreign, GITHUB_WORKSPACE=named)
