"""Workflows of docs/recipes.md and docs/migrate.md under act: the second run of each downloads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cache_service_under_act import SETUP_GO
from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.workbench import Workbench
from tests.unit.repository.test_migration import WORKFLOWS, Move

pytestmark = [pytest.mark.network, pytest.mark.nightly]

ROOT = Path(__file__).parents[2]
LIB = FakeModule("example.com/lib", "v1.0.0", padding=50_000)
MORE = FakeModule("example.com/more", "v1.0.0")
POOL = "/var/cache/go-prefetch"


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((LIB, MORE)) as server:
        yield server


def recipes(section: str) -> list[str]:
    """The workflows below a heading of the page."""
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [
        f"on: push\n\n{block}" for block in re.findall(r"^```yaml\n(jobs:\n.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


def run_twice(bench: Workbench, proxy: ModuleProxy, runner: ActRunner, workflow: str) -> str:
    """Run a workflow on two machines with one cache service; return what the second run printed."""
    runner.commit(workflow)
    options = [
        f"--local-repository={SETUP_GO}={ROOT / 'tests/support/fakes/setup_go'}",
        f"--local-repository=org/go-prefetch@v1={put_action(bench.folder / 'action')}",
        f"--env=STAND_IN_CACHE={bench.folder / 'stand-in'}",
        "-P=self-hosted=-self-hosted",
    ]
    runner(*options)
    assert runner.asked >= {"example.com/lib"}
    second = runner(*options)
    assert runner.asked == set()
    return second.text


@pytest.fixture
def runner(bench: Workbench, proxy: ModuleProxy) -> ActRunner:
    return ActRunner(bench, proxy, bench.folder / "repository")


def test_recipe_of_a_matrix_with_a_job_in_front(bench: Workbench, proxy: ModuleProxy, runner: ActRunner) -> None:
    """The systems of the first one are not here."""
    write_project(runner.repository, [LIB, MORE])
    for name in ("api", "worker"):
        (runner.repository / name).mkdir()
        (runner.repository / name / "one.go").write_text(f"package {name}\n", encoding="utf-8")
    _, workflow = recipes("Matrix")
    assert "exact hit" in run_twice(bench, proxy, runner, workflow)


def test_recipe_of_a_monorepo(bench: Workbench, proxy: ModuleProxy, runner: ActRunner) -> None:
    for name, module in (("services/api", LIB), ("services/worker", MORE), ("tools", LIB)):
        write_project(runner.repository / name, [module])
    (workflow,) = recipes("Monorepo")
    run_twice(bench, proxy, runner, workflow)


def test_recipe_of_a_self_hosted_runner(bench: Workbench, proxy: ModuleProxy, runner: ActRunner) -> None:
    write_project(runner.repository, [LIB, MORE])
    (workflow,) = recipes("Self-hosted runners")
    assert POOL in workflow
    workflow = workflow.replace(POOL, str(bench.folder / "machine"))
    assert "exact hit" in run_twice(bench, proxy, runner, workflow)


@pytest.mark.parametrize("move", WORKFLOWS[:2], ids=lambda move: move.section)
def test_workflow_after_a_move_runs(bench: Workbench, proxy: ModuleProxy, runner: ActRunner, move: Move) -> None:
    write_project(runner.repository, [LIB, MORE])
    assert "exact hit" in run_twice(bench, proxy, runner, move.after)
