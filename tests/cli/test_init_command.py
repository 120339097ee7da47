"""`go-prefetch init` as users call it: the diff, the question, the exit status, the files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.same_process import prefetch
from tests.support.terminal import on_terminal
from tests.support.workbench import Workbench

WORKFLOW = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-go@v6
      - run: go test ./...
"""


@pytest.fixture
def workflow(bench: Workbench) -> Path:
    """A workflow without go-prefetch, in a repository with one module."""
    path = bench.project / ".github" / "workflows" / "ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(WORKFLOW)
    path.chmod(0o640)
    (bench.project / "go.mod").write_text("module example.com/x\n\ngo 1.21\n")
    return path


def test_init_without_a_terminal_prints_the_diff_only(bench: Workbench, workflow: Path) -> None:
    result = prefetch(bench, "init")
    assert (result.status, workflow.read_text()) == (0, WORKFLOW)
    assert "+      - uses: org/go-prefetch@v1\n" in result.stdout
    assert "--write" in result.stdout


def test_init_write_writes_once(bench: Workbench, workflow: Path) -> None:
    """The mode of the file stays. A second run has nothing to do."""
    result = prefetch(bench, "init", "--write")
    once = workflow.read_text()
    assert (result.status, workflow.stat().st_mode & 0o777) == (0, 0o640)
    assert "uses: org/go-prefetch@v1" in once
    assert prefetch(bench, "init", "--write").status == 0
    assert workflow.read_text() == once


def test_init_check_fails_until_it_is_written(bench: Workbench, workflow: Path) -> None:
    assert prefetch(bench, "init", "--check").status == 1
    assert workflow.read_text() == WORKFLOW
    prefetch(bench, "init", "--write")
    assert prefetch(bench, "init", "--check").status == 0


def test_init_diff_is_what_git_applies(bench: Workbench, workflow: Path) -> None:
    diff = prefetch(bench, "init").stdout.rpartition("Nothing was written")[0]
    subprocess.run(["git", "apply", "-"], cwd=bench.project, input=diff.encode(), check=True)
    assert prefetch(bench, "init", "--check").status == 0


def test_init_from_a_folder_below_finds_the_top(bench: Workbench, workflow: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=bench.project, check=True)
    below = bench.project / "internal"
    below.mkdir()
    assert prefetch(bench, "init", "--check", cwd=below).status == 1


def test_init_without_workflows_makes_one(bench: Workbench, workflow: Path) -> None:
    workflow.unlink()
    prefetch(bench, "init", "--write")
    assert "uses: org/go-prefetch@v1" in workflow.with_name("go.yml").read_text()
    assert prefetch(bench, "init", "--check").status == 0


@pytest.mark.parametrize("has_pipeline", [True, False])
def test_init_of_a_gitlab_project(bench: Workbench, workflow: Path, has_pipeline: bool) -> None:
    """With a pipeline it is changed. Without one, the remote decides what is made."""
    workflow.unlink()
    pipeline = bench.project / ".gitlab-ci.yml"
    if has_pipeline:
        pipeline.write_text("test:\n  image: golang:1.27\n  script: go test ./...\n")
    for command in ("init -q", "remote add origin https://gitlab.example.com/acme/x.git"):
        subprocess.run(["git", *command.split()], cwd=bench.project, check=True)
    prefetch(bench, "init", "--write")
    assert "extends: .go-prefetch\n" in pipeline.read_text()
    assert not workflow.with_name("go.yml").exists()
    assert prefetch(bench, "init", "--check").status == 0


def test_init_leaves_what_it_does_not_understand(bench: Workbench, workflow: Path) -> None:
    workflow.write_text("jobs:\n\ttest: {}\n")
    result = prefetch(bench, "init", "--write")
    assert (result.status, workflow.read_text()) == (0, "jobs:\n\ttest: {}\n")
    assert [one.slug for one in result.notices] == ["workflow-not-understood"]


def test_init_without_go_mod_is_an_error(bench: Workbench, workflow: Path) -> None:
    (bench.project / "go.mod").unlink()
    result = prefetch(bench, "init")
    assert result.status == 2
    assert "[go-mod-not-found]" in result.stderr


def test_init_check_and_write_exclude_each_other(bench: Workbench, workflow: Path) -> None:
    assert prefetch(bench, "init", "--check", "--write").status == 2


def test_init_writes_no_foreign_name_into_yaml(bench: Workbench, workflow: Path) -> None:
    """A folder may have any name, such as one that GitHub would evaluate or one with a line break."""
    (bench.project / "go.mod").unlink()
    names = ["d #e", "'f", " c", "${{ github.token }}", "a\nb"]
    for name in ("good", *names):
        (bench.project / name).mkdir()
        (bench.project / name / "go.mod").write_text("module example.com/x\n")
    used = "".join(f"      - run: go vet\n        working-directory: {name!r}\n" for name in ["d #e", " c"])
    workflow.write_text(WORKFLOW + used)
    prefetch(bench, "init", "--write")
    assert "org/go-prefetch@v1" in workflow.read_text()
    assert workflow.read_text().count("working-directory") == 2


def test_init_follows_no_link(bench: Workbench, workflow: Path) -> None:
    """A workflow that is a link may lead out of the repository."""
    elsewhere = bench.project.parent / "elsewhere.yml"
    workflow.rename(elsewhere)
    workflow.symlink_to(elsewhere)
    prefetch(bench, "init", "--write")
    assert elsewhere.read_text() == WORKFLOW


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("\n", False)])
def test_init_on_a_terminal_asks(bench: Workbench, workflow: Path, answer: str, written: bool) -> None:
    result = on_terminal(bench, "init", answer=answer)
    assert result.status == 0, result.stdout
    assert "[y/N]" in result.stdout
    assert ("org/go-prefetch" in workflow.read_text()) == written


@pytest.mark.parametrize("has_workflow", [True, False])
def test_init_follows_no_link_to_a_folder(bench: Workbench, workflow: Path, has_workflow: bool) -> None:
    """All of `.github` may lead out of the repository: neither a workflow there is changed, nor a new one written."""
    elsewhere = bench.folder / "elsewhere"
    workflow.parent.parent.rename(elsewhere)
    (bench.project / ".github").symlink_to(elsewhere)
    found = elsewhere / "workflows" / workflow.name
    if not has_workflow:
        found.unlink()
    result = prefetch(bench, "init", "--write")
    assert result.status == (0 if has_workflow else 2), result.text
    assert [path.read_text() for path in elsewhere.rglob("*.yml")] == [WORKFLOW] * has_workflow
