"""go.sum lines that are missing: what Go writes, and what it does not, is told at the file."""

from __future__ import annotations

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
OTHER = FakeModule("example.com/other", "v1.0.0")
MODULES = (LIB, OTHER)


def without(bench: Workbench, beginning: str) -> None:
    path = bench.project / "go.sum"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(beginning)))


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        ("example.com/lib v1.2.3/go.mod", "go.sum changed: run `go mod tidy` and commit {}"),
        ("example.com/lib v1.2.3 ", "go.sum has no hash of example.com/lib@v1.2.3: run `go mod tidy` and commit {}"),
    ],
    ids=["go.mod line", "zip line"],
)
@pytest.mark.parametrize("on_github", [False, True], ids=["terminal", "GitHub"])
def test_a_missing_line_is_a_warning_at_its_file(bench: Workbench, beginning: str, said: str, on_github: bool) -> None:
    """Go succeeds, so do we; a later `go build` may not. The file to commit is named, on GitHub as an annotation."""
    bench.write_project(MODULES)
    without(bench, beginning)
    variables = {"GITHUB_ACTIONS": "true"} if on_github else {}
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url, **variables)
    assert result.status == 0, result.text
    path = bench.project / "go.sum"
    assert said.format(path) in result.text
    assert (f"file={path}" in result.stdout) == on_github


def test_a_tidy_project_is_told_nothing(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert "go mod tidy" not in result.text
