"""The cache service that act itself offers (v1), GitHub's cache steps around a plan, and setup-go's cache beside ours.

Each call of act is a run of its own, on a machine whose module cache is empty.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.made_once import NPM_CI, built_once
from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
LIB = FakeModule("example.com/lib", "v1.0.0", padding=50_000)
UPPER = FakeModule("github.com/Upper/Letters", "v0.1.0")
MORE = FakeModule("example.com/more", "v1.0.0")
SETUP_GO = "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae"

AUTO = """\
on: push
jobs:
  prefetch:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: modules
        uses: ./
        with:
          working-directory: app
          store: auto
      - run: printf '%s' "$OUTPUTS" > {bench.folder}/outputs.json
        env:
          OUTPUTS: ${{{{ toJSON(steps.modules.outputs) }}}}
      - run: cd app && GOPROXY=off go build ./...
"""

pytestmark = pytest.mark.network


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((LIB, UPPER, MORE)) as server:
        yield server


def test_auto_is_the_cache_service_miss_exact_partial(bench: Workbench, proxy: ModuleProxy) -> None:
    """act makes keys lower-case and offers version 1 without a token."""
    runner = ActRunner(bench, proxy, bench.folder / "repository")
    put_action(runner.repository)
    write_project(runner.repository / "app", [LIB, UPPER])
    runner.commit(AUTO.format(bench=bench))

    def outputs() -> dict[str, str]:
        values: dict[str, str] = json.loads((bench.folder / "outputs.json").read_text())
        return values

    runner()
    assert outputs()["cache-result"] == "miss"
    runner()
    assert outputs()["cache-result"] == "exact"
    assert "-full-" in outputs()["matched-key"]
    assert runner.asked == set()
    write_project(runner.repository / "app", [LIB, UPPER, MORE])
    runner.commit(AUTO.format(bench=bench))
    runner()
    assert outputs()["cache-result"] == "partial"
    assert runner.asked == {"example.com/more"}
    runner()
    assert outputs()["cache-result"] == "exact"
    assert "-delta-" in outputs()["matched-key"]
    assert runner.asked == set()


@pytest.mark.nightly
def test_github_s_own_cache_steps_around_a_plan(bench: Workbench, proxy: ModuleProxy) -> None:
    """docs/examples/official-cache.yml as it is, but for where go-prefetch is installed from, and the pool's place.

    That is part of what an entry is found by, and act has another RUNNER_TEMP in each run, other than hosted runners.
    """
    runner = ActRunner(bench, proxy, bench.folder / "repository")
    write_project(runner.repository, [LIB, UPPER])
    example = (EXAMPLES / "official-cache.yml").read_text()
    remote = "git+https://github.com/org/go-prefetch@v1"
    pool = bench.folder / "go-pool"
    assert example.count("$RUNNER_TEMP/go-pool") == 2
    assert remote in example
    example = example.replace("$RUNNER_TEMP/go-pool", str(pool))
    runner.commit(example.replace(remote, str(put_action(bench.folder / "action"))))
    official = ROOT / "tests" / "programs" / "official_client"
    actions = Path(shutil.copytree(official / "cache_action", bench.folder / "cache-action"))
    installed = built_once(official, *NPM_CI)
    shutil.copy(installed / "package.json", actions)
    shutil.copytree(installed / "node_modules", actions / "node_modules", symlinks=True)
    setup_go = ROOT / "tests" / "support" / "fakes" / "setup_go"
    local = [f"--local-repository={CACHE}={actions}", f"--local-repository={SETUP_GO}={setup_go}"]
    options = [*local, f"--env=STAND_IN_CACHE={bench.folder / 'stand-in'}"]
    first = runner(*options)
    assert "matched undefined" in first.text
    assert runner.asked == {"example.com/lib", "github.com/!upper/!letters"}
    shutil.rmtree(pool)
    second = runner(*options)
    assert "matched undefined" not in second.text
    assert runner.asked == set()
    assert "exact hit" in second.text
    shutil.rmtree(pool)
    write_project(runner.repository, [LIB, UPPER, MORE])
    runner.commit((runner.repository / ".github" / "workflows" / "ci.yml").read_text())
    runner(*options)
    assert runner.asked == {"example.com/more"}


@pytest.mark.parametrize("is_told", [True, False], ids=["as in the quick start", "setup-go as it comes"])
def test_beside_setup_go(bench: Workbench, proxy: ModuleProxy, is_told: bool) -> None:
    """With `cache: false`, it caches no module. Otherwise go-prefetch fetches nothing that is there, and says so."""
    runner = ActRunner(bench, proxy, bench.folder / "repository")
    write_project(runner.repository, [LIB, UPPER])
    example = (EXAMPLES / "github-action.yml").read_text()
    telling = "          cache: false"
    assert telling in example
    runner.commit(example if is_told else example.replace(telling, "          cache: true"))
    kept = bench.folder / "stand-in"
    options = [
        f"--local-repository={SETUP_GO}={ROOT / 'tests/support/fakes/setup_go'}",
        f"--local-repository=org/go-prefetch@v1={put_action(bench.folder / 'action')}",
        f"--env=STAND_IN_CACHE={kept}",
        "--env=RUNNER_ENVIRONMENT=github-hosted",
    ]
    runner(*options)
    assert any(kept.rglob("*.zip")) != is_told
    for path in kept.rglob("*.zip"):  # as on another day
        os.utime(path, (1_700_000_000, 1_700_000_000))
    second = runner(*options)
    assert runner.asked == set()
    assert ("[duplicate-cache]" in second.text) == (not is_told)
    assert ("exact hit" in second.text) == is_told
