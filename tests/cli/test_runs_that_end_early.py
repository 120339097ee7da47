"""A run that fails before Go's verdict: outputs, summary, report file and record say so, wherever they are awaited."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from go_prefetch.render.record import Record, parse_record
from tests.cli.test_passwords import assert_hidden, on_github
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Result, Workbench

LIB = FakeModule("example.com/lib", "v1.0.0")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
PASSWORD = "s3cr3t-pass"


@dataclass(frozen=True)
class End:
    """A way to end early."""

    slug: str
    status: int
    prepare: Callable[[Workbench], dict[str, str]] = lambda bench: {}  # what it changes in the environment
    plans: bool = False  # whether there was a plan


def without_go(bench: Workbench) -> dict[str, str]:
    (bench.folder / "empty").mkdir()
    return {"PATH": str(bench.folder / "empty")}


def with_a_file_for_a_module_cache(bench: Workbench) -> dict[str, str]:
    bench.modcache.write_text("not a folder")
    return {}


def without_go_mod(bench: Workbench) -> dict[str, str]:
    (bench.project / "go.mod").unlink()
    return {}


def with_a_conflict(bench: Workbench) -> dict[str, str]:
    (bench.project / "go.sum").write_text("<<<<<<< ours\n")
    return {}


ENDS = {
    "no go": End("go-not-found", 4, without_go),
    "module cache": End("folder-unwritable", 5, with_a_file_for_a_module_cache, plans=True),
    "go.sum": End("go-sum-conflict", 3, with_a_conflict),
    "no go.mod": End("go-mod-not-found", 2, without_go_mod),
    "input": End("input-invalid", 2, lambda bench: {"GO_PREFETCH_JOBS": "many"}),
    "proxy list": End("goproxy-invalid", 2, lambda bench: {"GOPROXY": f"htps://me:{PASSWORD}@example.com"}),
}
every_end = pytest.mark.parametrize("end", [pytest.param(end, id=name) for name, end in ENDS.items()])


def ended(bench: Workbench, end: End, *arguments: str, **variables: str) -> Result:
    bench.write_project([LIB])
    changed = end.prepare(bench)
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch(*arguments, **{"goproxy": proxy.url, **variables, **lowered(changed)})
    assert result.status == end.status, result.text
    assert f"[{end.slug}]" in result.text
    assert "Traceback" not in result.text
    assert_hidden(bench, result.text, [PASSWORD])
    return result


def lowered(changed: dict[str, str]) -> dict[str, str]:
    """GOPROXY is an argument of its own on the bench."""
    return {"goproxy" if name == "GOPROXY" else name: value for name, value in changed.items()}


def recorded(result: Result) -> Record:
    (record,) = filter(None, map(parse_record, result.stdout.splitlines()))
    return record


@every_end
def test_the_record_and_the_report_file_say_what_ended_it(bench: Workbench, end: End) -> None:
    """By the schema; the plan's figures as far as there was a plan."""
    record = recorded(ended(bench, end))
    assert (record.result, record.failure) == ("failed", end.slug)
    assert record.modules == (1 if end.plans else 0)
    assert bool(record.key) == end.plans
    jsonschema.validate(bench.report, SCHEMA)
    assert bench.report["failure"]["slug"] == end.slug
    assert (bench.outputs["cache-result"], bench.outputs["cache-hit"]) == ("failed", "false")
    assert bench.outputs["cache-key"] == record.key


@every_end
def test_github_gets_outputs_and_a_summary(bench: Workbench, tmp_path: Path, end: End) -> None:
    """Every output is set, so that a later step's condition has something to go by."""
    variables = on_github(tmp_path)
    result = ended(bench, end, **variables)
    written = Path(variables["GITHUB_OUTPUT"]).read_text()
    assert all(f"{name}<<" in written for name in SCHEMA["properties"]["outputs"]["required"])
    assert "\nfailed\n" in written
    assert f"**go-prefetch: failed: {end.slug}**" in Path(variables["GITHUB_STEP_SUMMARY"]).read_text()
    assert recorded(result).failure == end.slug
    assert result.stdout.count("::error") == 1


@pytest.mark.parametrize(
    ("command", "end"),
    [
        pytest.param(command, end, id=f"{command}: {name}")
        for command in ("run", "fill")
        for name, end in ENDS.items()
        if command == "run" or name not in ("no go", "module cache")  # fill needs neither
    ],
)
def test_gitlab_gets_its_report_files(bench: Workbench, command: str, end: End) -> None:
    """Where the job collects them."""
    bench.write_project([LIB])
    gitlab = {"CI_PROJECT_DIR": str(bench.project), "CI_JOB_ID": "7", "GO_PREFETCH_REPORTS": ".reports"}
    given = ("run", "--store", "none") if command == "run" else ("fill", ".go-prefetch")
    with ModuleProxy([LIB]) as proxy:
        changed = end.prepare(bench)
        result = bench.run(*given, **{"GOPROXY": proxy.url, **gitlab, **changed})
    assert result.status == end.status, result.text
    reports = bench.project / ".reports"
    assert "GO_PREFETCH_CACHE_RESULT=failed\n" in (reports / "outputs.env").read_text()
    assert end.slug in (reports / "summary.md").read_text()
    assert (reports / "metrics.txt").read_text().endswith("# EOF\n")
    assert recorded(result).failure == end.slug


def test_warn_goes_on_and_tells_all_the_same(bench: Workbench) -> None:
    """`on-failure: warn`: exit 0, and the record is the same."""
    bench.write_project([LIB])
    bench.modcache.write_text("not a folder")
    with ModuleProxy([LIB]) as proxy:
        result = bench.prefetch("--on-failure", "warn", goproxy=proxy.url)
    assert result.status == 0, result.text
    assert recorded(result).failure == "folder-unwritable"


@pytest.mark.parametrize("name", ["go.mod/report.json", "."])
def test_report_file_that_cannot_be_written_ends_the_run_first(bench: Workbench, name: str) -> None:
    """Not after minutes of downloads."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        result = bench.quickly("run", "--report-file", name, GOPROXY=proxy.url)
        assert proxy.paths() == []
    assert result.status == 2, result.text
    assert result.stderr.count("[report-file-unwritable]") == 1
    assert result.stderr.endswith("#report-file-unwritable\n")
    assert recorded(result).failure == "report-file-unwritable"
