"""Pipelines that `init` has changed, as gitlab-ci-local expands them with the real template."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ruamel.yaml import YAML

from go_prefetch.workflows.gitlab import change_pipeline
from go_prefetch.workflows.gitlab_include import COMPONENT
from tests.support.gitlab import Pipeline, gitlab_ci_local
from tests.support.workbench import Workbench
from tests.support.workflow_shapes import ONE_MODULE, shapes, text_of

pytestmark = [pytest.mark.network, pytest.mark.system]


def expanded(bench: Workbench, shape: str) -> Any:
    """The jobs of a changed shape, with the template of this checkout in place of the component."""
    path = next(one for one in shapes("gitlab") if one.stem == shape)
    new = change_pipeline(path.name, text_of(path), ONE_MODULE).new
    new = new.replace(f"component: {COMPONENT}", "local: templates/go-prefetch.yml").replace("ci/common.yml, ", "")
    pipeline = Pipeline(bench, gitlab_ci_local())
    pipeline.write(new)
    return YAML(typ="safe").load(io.StringIO(pipeline.preview()))


@pytest.mark.parametrize(
    ("shape", "jobs"),
    [("templates", ["test", "lint"]), ("anchors", ["test", "build"])],
)
def test_jobs_of_a_changed_pipeline_read_the_folder(bench: Workbench, shape: str, jobs: list[str]) -> None:
    preview = expanded(bench, shape)
    for job in jobs:
        assert "file://" in preview[job]["variables"]["GOPROXY"]
        assert ".go-prefetch" in str(preview[job]["cache"])
    assert "go-prefetch" in preview


def test_own_cache_of_a_job_stays_next_to_that_of_go_prefetch(bench: Workbench) -> None:
    preview = expanded(bench, "own-caches")
    for job in ("mapping", "list"):
        paths = [path for cache in preview[job]["cache"] for path in cache["paths"]]
        assert ".go-build" in paths
        assert ".go-prefetch" in str(paths)
