"""Outputs and job summary on GitHub: written where the runner says, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.0.0")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The runner's files, made by it before a step starts."""
    found = {f"GITHUB_{name}": str(tmp_path / name) for name in ("OUTPUT", "STEP_SUMMARY")}
    for path in found.values():
        Path(path).touch()
    return {"GITHUB_ACTIONS": "true", **found}


def test_outputs_and_summary_reach_the_runner(bench: Workbench, files: dict[str, str]) -> None:
    """Every output is in GITHUB_OUTPUT, the report in GITHUB_STEP_SUMMARY, and nothing of it on stdout as a command."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(goproxy=proxy.url, **files)
    assert result.status == 0, result.text
    written = Path(files["GITHUB_OUTPUT"]).read_text()
    assert all(f"{name}<<" in written for name in bench.outputs)
    assert "**go-prefetch: miss** " in Path(files["GITHUB_STEP_SUMMARY"]).read_text()
    assert "::set-output" not in result.stdout


def test_summary_false_writes_none(bench: Workbench, files: dict[str, str]) -> None:
    """`--summary false` leaves the job summary alone; outputs are written all the same."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        bench.prefetch("--summary", "false", goproxy=proxy.url, **files)
    assert Path(files["GITHUB_STEP_SUMMARY"]).read_text() == ""
    assert "cache-result<<" in Path(files["GITHUB_OUTPUT"]).read_text()


@pytest.mark.parametrize("broken", ["unset", "missing"])
def test_a_runner_without_files_is_a_warning(bench: Workbench, files: dict[str, str], broken: str) -> None:
    """The modules are there and the report is printed: status 0, no traceback."""
    bench.write_project([LIB])
    gone = {
        name: "" if broken == "unset" else path + ".gone" for name, path in files.items() if name != "GITHUB_ACTIONS"
    }
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(goproxy=proxy.url, **files | gone)
    assert result.status == 0, result.text
    assert "[outputs-refused]" in result.stdout
    assert "go-prefetch: miss" in result.stdout
    assert "Traceback" not in result.text


def test_foreign_text_is_no_workflow_command(bench: Workbench, files: dict[str, str]) -> None:
    """A go.sum line that looks like a command is printed as text."""
    bench.write_project([LIB], extra_go_sum="::set-output::x v1.0.0 h1:AAAA=\n")
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch("--verbose", goproxy=proxy.url, **files)
    assert result.status == 0, result.text
    assert not [line for line in result.stdout.splitlines() if line.lstrip().startswith("::set-output")]
