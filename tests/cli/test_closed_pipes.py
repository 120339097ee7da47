"""A reader that has seen enough: the command ends, and complains of nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.0.0")
MANY = [FakeModule(f"example.com/{'m' * 80}{number}", "v1.0.0") for number in range(1500)]  # more than a pipe holds


@pytest.mark.parametrize("arguments", ["plan --modules", "plan --format json", "--help", "doctor --samples 1"])
def test_a_reader_that_leaves_ends_it_quietly(bench: Workbench, arguments: str) -> None:
    """Status 141, as of a program that SIGPIPE ends, and no complaint."""
    bench.write_project(MANY if "plan" in arguments else [LIB])
    with ModuleProxy([LIB]) as proxy:
        variables = {"GOPROXY": proxy.url, "GO_PREFETCH_STORE": "none"}
        with bench.start(*arguments.split(), **variables) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            said = process.stderr.read()
            status = process.wait(timeout=60)
    assert status == 141
    assert "error" not in said.lower()
    assert "Traceback" not in said


def test_head_gets_its_line(bench: Workbench) -> None:
    """The usual way to meet it."""
    bench.write_project(MANY)
    command = f"set -o pipefail; {' '.join(bench.command)} plan --modules | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=bench.project, env=bench.environ, capture_output=True, text=True, check=False
    )
    first, status = done.stdout.splitlines()
    assert first.startswith("key ")
    assert (status, done.stderr) == ("141", "")


def test_prune_blames_no_pool_for_it(bench: Workbench) -> None:
    bench.project.mkdir()
    folder = bench.pool / "example.com/lib/@v"
    folder.mkdir(parents=True)
    for number in range(2000):  # more than a pipe holds
        (folder / f"v1.{number}.0.zip").write_bytes(b"zip")
    with bench.start("prune", "--pool", str(bench.pool), "--max-size", "0", "-v") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
        status = process.wait(timeout=60)
    assert (status, said) == (141, "")


def test_a_run_puts_modules_in_place_before_it_notices(bench: Workbench) -> None:
    """Only its words at the end are lost, and nothing is left half done."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy, bench.start("run", "--store", "none", GOPROXY=proxy.url) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(timeout=60) == 141
    assert bench.module_files(bench.download_folder) == set(proxy.files)
    assert bench.leftovers() == []


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["run", "--help", "plan --jobs"])
def test_closed_streams_change_no_status(bench: Workbench, arguments: str, closed: str) -> None:
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        environ = {**bench.environ, "GOPROXY": proxy.url, "GO_PREFETCH_STORE": "none"}
        command = f"{' '.join(bench.command)} {arguments} {closed}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=bench.project, env=environ, capture_output=True, text=True, check=False
        )
    assert done.returncode == (2 if "plan" in arguments else 0), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize("arguments", ["--help", "run --help", "--version"])
def test_help_to_a_full_disk_is_an_error(bench: Workbench, arguments: str, variables: dict[str, str]) -> None:
    bench.project.mkdir()
    command = f"{' '.join(bench.command)} {arguments} >/dev/full"
    environ = {**bench.environ, **variables}
    done = subprocess.run(
        ["bash", "-c", command], cwd=bench.project, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "[system-error]" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk_says_what_failed(bench: Workbench) -> None:
    bench.write_project([LIB])
    command = f"{' '.join(bench.command)} plan >/dev/full"
    done = subprocess.run(
        ["bash", "-c", command], cwd=bench.project, env=bench.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert done.stderr.endswith("#system-error\n")
    silent = subprocess.run(["bash", "-c", f"{command} 2>&1"], cwd=bench.project, env=bench.environ, check=False)
    assert silent.returncode == 1
