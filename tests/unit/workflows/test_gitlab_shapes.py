"""What `init` does to GitLab pipelines as real projects have them. The results are snapshots."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch.render.messages import as_warning
from go_prefetch.workflows.gitlab import change_pipeline
from go_prefetch.workflows.result import FileChange
from tests.support.snapshots import TextFile, YamlFile
from tests.support.workflow_shapes import LINE_ENDS, assert_only_inserts, folders_of, parsed, shapes, text_of

PIPELINES = shapes("gitlab")


def name_of(path: Path) -> str:
    return path.stem


def changed(path: Path, text: str) -> FileChange:
    return change_pipeline(path.name, text, folders_of(path))


@pytest.mark.parametrize("path", PIPELINES, ids=name_of)
def test_shape(path: Path, snapshot: SnapshotAssertion) -> None:
    assert changed(path, text_of(path)).new == snapshot(extension_class=YamlFile)


def test_notices_of_all_shapes(snapshot: SnapshotAssertion) -> None:
    said = [as_warning(one) for path in PIPELINES for one in changed(path, text_of(path)).notices]
    assert "\n".join(said) == snapshot(extension_class=TextFile)


@pytest.mark.parametrize("line_ends", LINE_ENDS)
@pytest.mark.parametrize("path", PIPELINES, ids=name_of)
def test_shape_keeps_every_byte(path: Path, line_ends: str) -> None:
    assert_only_inserts(changed(path, text_of(path, line_ends)), line_ends)


@pytest.mark.parametrize("line_ends", LINE_ENDS)
@pytest.mark.parametrize("path", PIPELINES, ids=name_of)
def test_second_run_changes_nothing(path: Path, line_ends: str) -> None:
    once = changed(path, text_of(path, line_ends)).new
    assert changed(path, once).new == once


@pytest.mark.parametrize("line_ends", ["lf", "no end"])
@pytest.mark.parametrize("path", PIPELINES, ids=name_of)
def test_result_is_yaml_with_more_in_it(path: Path, line_ends: str) -> None:
    """A real parser reads it. Without what is new, it has what was there."""
    old = text_of(path, line_ends)
    assert without_ours(parsed(changed(path, old).new)) == without_ours(parsed(old))


def without_ours(pipeline: Any) -> Any:
    """A pipeline without the include, `.go-prefetch` in `extends` and its cache. Single values become lists."""
    kept: dict[str, Any] = {}
    for key, value in pipeline.items():
        if isinstance(value, dict) and isinstance(value.get("<<"), dict):
            value["<<"].pop("extends", None)
        if key == "include":
            kept[key] = [one for one in as_list(value) if "go-prefetch/go-prefetch@" not in str(one)]
        elif isinstance(value, dict) and ("script" in value or key.startswith(".")):
            extended = [one for one in as_list(value.get("extends", [])) if not one.startswith(".go-prefetch")]
            caches = [one for one in as_list(value.get("cache", [])) if one != [".go-prefetch", "cache"]]
            kept[key] = {**value, "extends": extended, "cache": caches}
        else:
            kept[key] = value
    return {"include": [], **kept}


@pytest.mark.skipif(shutil.which("check-jsonschema") is None, reason="the extra `lint` brings check-jsonschema")
def test_results_match_the_schema_of_gitlab(tmp_path: Path) -> None:
    """One call for all of them. The schema lacks `!reference` in a list of caches, which GitLab takes."""
    for path in (one for one in PIPELINES if one.stem != "own-caches"):
        (tmp_path / path.name).write_text(changed(path, text_of(path)).new, encoding="utf-8")
    files = sorted(map(str, tmp_path.glob("*.yml")))
    command = ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
