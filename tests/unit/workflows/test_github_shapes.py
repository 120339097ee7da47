"""What `init` does to GitHub workflows as real projects have them. The results are snapshots."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch.render.messages import as_warning
from go_prefetch.workflows.github import change_composite, change_workflow, folder_of_action
from go_prefetch.workflows.insertions import diff_of
from go_prefetch.workflows.result import FileChange
from tests.support.snapshots import TextFile, YamlFile
from tests.support.workflow_shapes import LINE_ENDS, assert_only_inserts, folders_of, parsed, shapes, text_of

WORKFLOWS = shapes("github")
COMPOSITES = shapes("composite")
EVERY = [*WORKFLOWS, *COMPOSITES]
SERVED = {"./.github/actions/setup"}


def name_of(path: Path) -> str:
    return path.stem


def changed(path: Path, text: str) -> FileChange:
    folders = folders_of(path)
    if path in COMPOSITES:
        return change_composite(f".github/actions/{path.stem}/action.yml", text, folders)
    return change_workflow(path.name, text, folders, SERVED)


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_shape(path: Path, snapshot: SnapshotAssertion) -> None:
    assert changed(path, text_of(path)).new == snapshot(extension_class=YamlFile)


def test_notices_of_all_shapes(snapshot: SnapshotAssertion) -> None:
    said = [as_warning(one) for path in EVERY for one in changed(path, text_of(path)).notices]
    assert "\n".join(said) == snapshot(extension_class=TextFile)


@pytest.mark.parametrize("line_ends", LINE_ENDS)
@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_shape_keeps_every_byte(path: Path, line_ends: str) -> None:
    assert_only_inserts(changed(path, text_of(path, line_ends)), line_ends)


@pytest.mark.parametrize("line_ends", LINE_ENDS)
@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_second_run_changes_nothing(path: Path, line_ends: str) -> None:
    once = changed(path, text_of(path, line_ends)).new
    again = changed(path, once)
    assert again.new == once


@pytest.mark.parametrize("line_ends", ["lf", "no end"])
@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_result_is_yaml_with_more_steps(path: Path, line_ends: str) -> None:
    """A real parser reads it. Without the new steps and the cache of setup-go, it has what was there."""
    old, new = text_of(path, line_ends), changed(path, text_of(path, line_ends)).new
    assert without_ours(parsed(new)) == without_ours(parsed(old))


def without_ours(value: object) -> object:
    if isinstance(value, list):
        return [without_ours(one) for one in value if not (isinstance(one, dict) and is_new(one))]
    if isinstance(value, dict):
        kept = {key: without_ours(one) for key, one in value.items()}
        given = value.get("with", {})
        if "setup-go" in str(value.get("uses")) and isinstance(given, dict):
            kept["with"] = {key: one for key, one in given.items() if key != "cache"}
        return kept
    return value


def is_new(step: dict[str, object]) -> bool:
    return step.get("uses") == "org/go-prefetch@v1"


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="the extra `lint` brings actionlint")
def test_results_pass_actionlint(tmp_path: Path) -> None:
    """One call for all of them. Versions of other actions may be old."""
    for path in WORKFLOWS:
        (tmp_path / path.name).write_text(changed(path, text_of(path)).new, encoding="utf-8")
    texts = ("deprecated", "retired", "too old", "reusable workflow", "local action", "self-hosted")
    ignored = [argument for text in texts for argument in ("-ignore", text)]
    command = ["actionlint", "-shellcheck=", "-pyflakes=", *ignored, *sorted(map(str, tmp_path.glob("*.yml")))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_diff_is_applied_by_git(tmp_path: Path) -> None:
    """Every line end: what is printed is what is written."""
    expected = {}
    diff = ""
    for path in WORKFLOWS:
        for line_ends in LINE_ENDS:
            name = f"{line_ends.replace(' ', '-')}-{path.name}"
            change = changed(path, text_of(path, line_ends))
            (tmp_path / name).write_bytes(change.old.encode())
            expected[name] = change.new
            diff += diff_of(name, change.old, change.new)
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=tmp_path, input=diff.encode(), check=True)
    assert {name: (tmp_path / name).read_bytes().decode() for name in expected} == expected


def test_folder_of_an_action_is_what_uses_names() -> None:
    assert folder_of_action(".github/actions/setup/action.yml") == "./.github/actions/setup"
