"""What a repository without a workflow gets."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.github import change_workflow
from go_prefetch.workflows.new_workflow import new_pipeline, new_workflow
from tests.support.workflow_shapes import ONE_MODULE, SEVERAL, WORKSPACE, parsed

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "github-action.yml"
REPOSITORIES = {"one": ONE_MODULE, "several": SEVERAL, "workspace": WORKSPACE}


def test_new_workflow_has_the_job_of_the_example() -> None:
    """Pins and inputs too."""
    job = parsed(new_workflow(ONE_MODULE).new)["jobs"]["test"]
    assert job == parsed(EXAMPLE.read_text(encoding="utf-8"))["jobs"]["test"]


def test_example_without_the_step_gets_it_back() -> None:
    """What the tests under act show of the example is true of what `init` writes."""
    example = EXAMPLE.read_text(encoding="utf-8")
    ours = re.compile(r" +cache: false.*\n|\n +- uses: org/go-prefetch@v1\n +with:\n +build-cache: auto.*\n")
    without, count = ours.subn("", example)
    assert count == 2
    assert parsed(change_workflow("ci.yml", without, ONE_MODULE).new) == parsed(example)


def test_new_workflow_has_the_pins_of_the_example_with_versions() -> None:
    uses = [line for line in new_workflow(ONE_MODULE).new.splitlines() if "uses:" in line]
    assert set(uses) <= set(EXAMPLE.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("folders", REPOSITORIES.values(), ids=REPOSITORIES)
def test_new_workflow_builds_every_module(folders: GoFolders) -> None:
    steps = parsed(new_workflow(folders).new)["jobs"]["test"]["steps"]
    built = {step.get("working-directory", ".") for step in steps if step.get("run") == "go build ./..."}
    assert built == folders.modules


@pytest.mark.parametrize("folders", REPOSITORIES.values(), ids=REPOSITORIES)
def test_new_pipeline_extends_and_includes(folders: GoFolders) -> None:
    pipeline = parsed(new_pipeline(folders).new)
    assert pipeline["test"]["extends"] == ".go-prefetch"
    assert len(pipeline["include"]) == 1


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="the extra `lint` brings actionlint")
def test_new_workflow_passes_actionlint(tmp_path: Path) -> None:
    for name, folders in REPOSITORIES.items():
        (tmp_path / f"{name}.yml").write_text(new_workflow(folders).new, encoding="utf-8")
    done = subprocess.run(["actionlint", *tmp_path.glob("*.yml")], cwd=tmp_path, capture_output=True, check=False)
    assert (done.stdout, done.returncode) == (b"", 0)
