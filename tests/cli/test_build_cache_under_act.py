"""The build cache under act, and the step after the job that saves it. Each call of act is another machine."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import pytest

from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.0.0")

# In place of go-prefetch: it notes what it was started with, and leaves a file for the step after the job.
SPY = """\
import json, os, pathlib, sys
noted = {{name: os.environ[name] for name in ("INPUT_MATRIX", "INPUT_JOB-STATUS")}}
pathlib.Path({noted!r}, f"{{sys.argv[-1]}}.{{os.getpid()}}").write_text(json.dumps(noted))
pathlib.Path(os.environ["GO_PREFETCH_BUILD_CACHE_STATE"]).touch()
"""
LEGS = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      max-parallel: 1
      matrix:
        race: [true, false]
    steps:
      - uses: actions/checkout@v7
      - uses: ./
      - if: matrix.race
        run: exit 1
  plain:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: ./
"""
JOB = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: ./
        with:
          working-directory: app
          build-cache: auto
      - run: cd app && go build -x ./large ./small 2>{bench.folder}/commands
"""

TESTS = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - run: rm -rf {checkout} && git clone -q {repository} {checkout}
      - uses: ./
        with:
          working-directory: {checkout}/app
          build-cache: auto
          test-cache: true
      - run: cd {checkout}/app && go test ./... >{results}
"""
READS_A_FILE = """\
package reader

import (
\t"os"
\t"testing"
)

func TestReads(t *testing.T) {
\tif data, err := os.ReadFile("testdata/data.txt"); err != nil || len(data) == 0 {
\t\tt.Fatal(err)
\t}
}
"""

pytestmark = pytest.mark.network


def noted(folder: Path, command: str) -> list[tuple[dict[str, bool], str]]:
    """The matrix and the job status of each start of this command, in the order of their JSON."""
    inputs = [json.loads(path.read_text()) for path in folder.glob(f"{command}.*")]
    return sorted(((json.loads(one["INPUT_MATRIX"]), one["INPUT_JOB-STATUS"]) for one in inputs), key=json.dumps)


def test_each_leg_has_its_matrix_and_each_post_step_the_status(bench: Workbench) -> None:
    """Defaults of action.yml with expressions are computed again after the job. A job without a matrix has `{}`."""
    with ModuleProxy([LIB]) as proxy:
        runner = ActRunner(bench, proxy, bench.folder / "repository")
        action, folder = put_action(runner.repository), bench.folder / "noted"
        folder.mkdir()
        (action / "src" / "go_prefetch" / "__main__.py").write_text(SPY.format(noted=str(folder)))
        runner.commit(LEGS)
        runner(fails=True)
    race, other, plain = {"race": True}, {"race": False}, dict[str, bool]()
    assert noted(folder, "run") == [(other, "success"), (race, "success"), (plain, "success")]
    assert noted(folder, "save") == [(other, "success"), (race, "failure"), (plain, "success")]


def test_a_job_compiles_only_what_has_changed(bench: Workbench) -> None:
    """The first job saves all, the second what it has compiled, and the third nothing.

    Packages without imports are compiled quickly. One of them is large, so that a change of the other fits a delta.
    """
    with ModuleProxy([LIB]) as proxy:
        runner = ActRunner(bench, proxy, bench.folder / "repository")
        put_action(runner.repository)
        app = runner.repository / "app"
        write_project(app, [LIB])
        write_package(app / "large", random.Random(1).randbytes(40_000).hex())
        write_package(app / "small", "before")
        runner.commit(JOB.format(bench=bench))
        first, whole = compiled_by_a_job(bench, runner)
        write_package(app / "small", "after")
        runner.commit(JOB.format(bench=bench))
        second, delta = compiled_by_a_job(bench, runner)
        third, nothing = compiled_by_a_job(bench, runner)
    assert [first, second, third] == [{"large", "small"}, {"small"}, set()]
    assert [len(whole), len(delta), len(nothing)] == [2, 1, 0]  # the first is that of the modules
    assert sum(delta) < max(whole) / 10


def test_tests_of_unchanged_sources_are_cached(bench: Workbench) -> None:
    """Each job has a new clone at the same path, as on a hosted machine. act itself has the checkout at another path.

    Without `test-cache`, the test runs again, because it opens a file (see test_stable_times.py).
    """
    results, checkout = bench.folder / "results", bench.folder / "checkout"
    with ModuleProxy([LIB]) as proxy:
        runner = ActRunner(bench, proxy, bench.folder / "repository")
        put_action(runner.repository)
        app = runner.repository / "app"
        write_project(app, [LIB])
        (app / "reader" / "testdata").mkdir(parents=True)
        (app / "reader" / "reader.go").write_text("package reader\n")
        (app / "reader" / "reader_test.go").write_text(READS_A_FILE)
        (app / "reader" / "testdata" / "data.txt").write_text("data\n")
        runner.commit(TESTS.format(checkout=checkout, repository=runner.repository, results=results))
        said = []
        for _ in range(2):
            shutil.rmtree(bench.folder / "gocache", ignore_errors=True)
            runner(f"--env=GOCACHE={bench.folder / 'gocache'}")
            said.append(results.read_text())
    assert "(cached)" not in said[0]
    assert re.findall(r"(?m)^ok .*$", said[1]) == re.findall(r"(?m)^ok .*\(cached\)$", said[1]) != []


def write_package(folder: Path, text: str) -> None:
    """Write a package without imports."""
    folder.mkdir(exist_ok=True)
    (folder / "text.go").write_text(f'package {folder.name}\n\nvar Text = "{text}"\n')


def compiled_by_a_job(bench: Workbench, runner: ActRunner) -> tuple[set[str], list[int]]:
    """Run the workflow on a new machine. Return the compiled packages, and the bytes of each new entry."""
    gocache, kept = bench.folder / "gocache", bench.folder / "actcache" / "cache"
    shutil.rmtree(gocache, ignore_errors=True)
    before = files_in(kept)
    # -trimpath, because act has the checkout at another path in each run.
    runner(f"--env=GOCACHE={gocache}", "--env=GOFLAGS=-modcacherw -trimpath")
    commands = (bench.folder / "commands").read_text()
    compiled = set(re.findall(r"/compile .* -p example\.com/app/(\w+) ", commands))
    return compiled, [path.stat().st_size for path in files_in(kept) - before]


def files_in(folder: Path) -> set[Path]:
    """The files below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}
