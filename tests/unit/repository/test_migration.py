"""docs/migrate.md: each diff is two whole files that work, and `init` proposes what the page adds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from go_prefetch.workflows.github import change_workflow
from go_prefetch.workflows.gitlab import GITLAB_NAME, change_pipeline
from tests.support.workflow_shapes import ONE_MODULE

ROOT = Path(__file__).parents[3]


class Move(NamedTuple):
    """One diff of the page."""

    section: str
    name: str
    before: str
    after: str


def moves() -> list[Move]:
    """The diffs of the page; `<!-- from NAME -->` names the file of each."""
    found = []
    page = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        for name, diff in re.findall(r"^<!-- from (\S+) -->\n```diff\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
            lines = diff.splitlines(keepends=True)
            before, after = ("".join(line[1:] or line for line in lines if line[0] != sign) for sign in "+-")
            found.append(Move(part.partition("\n")[0], name, before, after))
    return found


MOVES = moves()
WORKFLOWS = [move for move in MOVES if move.name.startswith(".github/")]
PIPELINES = [move for move in MOVES if move.name == GITLAB_NAME]
DOCKERFILES = [move for move in MOVES if move.name == "Dockerfile"]


def added(before: str, after: str) -> list[str]:
    """The lines that `after` has in addition, sorted, without blank ones."""
    return sorted(filter(None, (Counter(after.splitlines()) - Counter(before.splitlines())).elements()))


def test_page_has_a_diff_for_each_way() -> None:
    assert (len(WORKFLOWS), len(PIPELINES), len(DOCKERFILES)) == (4, 1, 1)
    page = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
    assert page.count("```diff") == len(MOVES)


@pytest.mark.parametrize("move", [*WORKFLOWS, *PIPELINES], ids=lambda move: f"{move.section} {move.name}")
def test_init_writes_what_the_page_adds(move: Move) -> None:
    """What the page removes is left to the reader, so only additions are compared. Image builds are not of init."""
    if move.name.endswith("image.yml"):
        assert change_workflow(move.name, move.before, ONE_MODULE).new == move.before
        return
    change = change_pipeline if move in PIPELINES else change_workflow
    result = change(move.name, move.before, ONE_MODULE)
    assert added(move.before, result.new) == added(move.before, move.after)
    removes = bool(added(move.after, move.before))
    assert {said.slug for said in result.notices} == ({"step-superfluous"} if removes else set())
    assert change(move.name, move.after, ONE_MODULE).new == move.after


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="the extra `lint` brings actionlint")
def test_workflows_pass_actionlint(tmp_path: Path) -> None:
    for number, move in enumerate(WORKFLOWS):
        (tmp_path / f"{number}-before.yml").write_text(move.before, encoding="utf-8")
        (tmp_path / f"{number}-after.yml").write_text(move.after, encoding="utf-8")
    done = subprocess.run(["actionlint", *tmp_path.glob("*.yml")], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.skipif(shutil.which("check-jsonschema") is None, reason="the extra `lint` brings check-jsonschema")
def test_pipelines_match_the_schema_of_gitlab(tmp_path: Path) -> None:
    for number, move in enumerate(PIPELINES):
        (tmp_path / f"{number}-before.yml").write_text(move.before, encoding="utf-8")
        (tmp_path / f"{number}-after.yml").write_text(move.after, encoding="utf-8")
    command = ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", *map(str, tmp_path.glob("*.yml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("move", DOCKERFILES, ids=lambda move: move.section)
def test_dockerfile_check_finds_the_old_way_only(move: Move, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.27\n", encoding="utf-8")
    (tmp_path / "go.sum").write_text("", encoding="utf-8")
    found = []
    for text in (move.before, move.after):
        (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "go_prefetch", "docker", "--check", "Dockerfile"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        found.append(re.findall(r": note: ([\w-]+):|: \w+: ([\w-]+):", done.stdout + done.stderr))
    assert found == [[("cache-mount", "")], []]
