"""The build cache under act, and the step after the job that saves it. Each call of act is another machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
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
