"""Which entries a job may use: what changes compiled code, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from go_prefetch.config.settings import read_settings
from go_prefetch.golang.environment import GoEnvironment, environment_without_go
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import cache_key
from go_prefetch.model.plan import NO_PLAN
from go_prefetch.run.build_job import BuildJob, state_file
from go_prefetch.stores.cache_service.build_store import Access, BuildStore
from go_prefetch.stores.cache_service.compression import PLAIN

PLAN = replace(NO_PLAN, key=cache_key("example.com/project", []))
GO = replace(
    environment_without_go({}, Path("/go/pkg/mod")),
    goversion="go1.27.3",
    goroot=Path("/usr/local/go"),
    compiled_by={"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0", "GOFLAGS": ""},
)


def job(environment: GoEnvironment = GO, name: str = "build", **environ: str) -> BuildJob:
    """Return the build cache of a job; nothing is requested."""

    def connect() -> None:
        raise AssertionError

    store = BuildStore("none", connect, PLAIN, Access("1.1"))  # type: ignore[arg-type]
    return BuildJob(store, read_settings({}, environ, Path("/project")), environ, environment, name)


def changed(**variables: str) -> GoEnvironment:
    """Return Go's environment with other variables."""
    return replace(GO, compiled_by={**GO.compiled_by, **variables})


@pytest.mark.parametrize(
    "other",
    [
        changed(GOOS="windows"), changed(GOARCH="arm64"), changed(GOFLAGS="-race"), changed(GOAMD64="v3"),
        changed(CGO_ENABLED="1"), replace(GO, goversion="go1.27.4"), replace(GO, goroot=Path("/opt/go")),
        replace(GO, gomodcache=Path("/other/mod")),
    ],
)  # fmt: skip
def test_lineage_differs_with_what_changes_compiled_code(other: GoEnvironment) -> None:
    assert job(other).lineage(PLAN).shared != job().lineage(PLAN).shared


def test_lineage_with_trimpath_does_not_depend_on_places() -> None:
    one = changed(GOFLAGS="-trimpath")
    other = replace(one, goroot=Path("/opt/go"), gomodcache=Path("/other/mod"))
    assert job(one).lineage(PLAN) == job(other).lineage(PLAN)


def test_lineage_of_another_job_shares_a_prefix() -> None:
    one, other = job(name="build").lineage(PLAN), job(name="test").lineage(PLAN)
    assert one.own != other.own
    assert one.shared == other.shared
    assert one.own.startswith(one.shared)


def test_lineage_depends_on_the_selected_toolchain() -> None:
    plan = replace(PLAN, toolchains=(ModuleVersion("golang.org/toolchain", "v0.0.1-go1.28.0.linux-amd64"),))
    assert job().lineage(plan).shared != job().lineage(PLAN).shared


def test_lineage_depends_on_the_image_only_with_cgo() -> None:
    """Go does not notice other C headers."""
    cgo = changed(CGO_ENABLED="1")
    assert job(cgo, ImageOS="ubuntu24").lineage(PLAN) != job(cgo, ImageOS="ubuntu26").lineage(PLAN)
    assert job(ImageOS="ubuntu24").lineage(PLAN) == job(ImageOS="ubuntu26").lineage(PLAN)


def test_state_file_is_that_of_the_settings_or_of_the_folder() -> None:
    given = {"GO_PREFETCH_BUILD_CACHE_STATE": "/tmp/state.json"}
    assert state_file(read_settings({}, given, Path("/project")), given) == Path("/tmp/state.json")
    home = {"HOME": "/home/ci", "LOCALAPPDATA": "/home/ci/.cache"}  # the second one is for Windows
    one, other = (state_file(read_settings({}, home, Path(folder)), home) for folder in ("/project", "/other"))
    assert one != other
    assert one.is_relative_to("/home/ci/.cache/go-prefetch")
