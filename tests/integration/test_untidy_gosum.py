"""go.sum lines that are missing: a warning at the file, for what Go adds and for what it does not."""

from __future__ import annotations

import pytest

from go_prefetch.golang.module import ModuleVersion
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
OTHER = FakeModule("example.com/other", "v1.0.0")
MODULES = (LIB, OTHER)


def without(bench: Workbench, beginning: str) -> None:
    path = bench.project / "go.sum"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(beginning)))


@pytest.mark.parametrize(
    ("beginning", "slug", "known"),
    [
        ("example.com/lib v1.2.3/go.mod", "go-sum-changed", {}),
        ("example.com/lib v1.2.3 ", "go-sum-lacks", {"modules": (ModuleVersion("example.com/lib", "v1.2.3"),)}),
    ],
    ids=["go.mod line", "zip line"],
)
def test_a_missing_line_is_a_warning_at_its_file(
    bench: Workbench, beginning: str, slug: str, known: dict[str, tuple[ModuleVersion, ...]]
) -> None:
    """Go succeeds, so do we; a later `go build` may not. The file to commit is named."""
    bench.write_project(MODULES)
    without(bench, beginning)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    path = bench.project / "go.sum"
    warning = result.notice(slug)
    assert (warning.file, facts(warning)) == (path, {"name": "go.sum", "path": path, **known})
    assert f"file={path}" not in result.stdout


@pytest.mark.parametrize("beginning", ["example.com/lib v1.2.3/go.mod", "example.com/lib v1.2.3 "])
def test_on_github_it_is_an_annotation_of_the_file(bench: Workbench, beginning: str) -> None:
    bench.write_project(MODULES)
    without(bench, beginning)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url, GITHUB_ACTIONS="true")
    (annotation,) = [line for line in result.stdout.splitlines() if "[go-sum-" in line]
    assert annotation.startswith("::warning ")
    assert f"file={bench.project / 'go.sum'}" in annotation


def test_a_tidy_project_has_no_such_warning(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert bench.warnings == []
