"""The Linux jobs of .github/workflows/selftest.yml as they are, run by act. The container job needs Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "selftest.yml"
SETUP_GO = "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e"
# What the jobs ask their proxy for.
UUID = FakeModule("github.com/google/uuid", "v1.6.0")
MOD = FakeModule("golang.org/x/mod", "v0.30.0", files={"semver/semver.go": "package semver\n"})

pytestmark = pytest.mark.network  # of the packages that the action imports, once


def jobs(bench: Workbench, proxy: ModuleProxy, *options: str) -> list[str]:
    """Run jobs of the workflow in a repository with this action. Return their steps' outcomes as act words them."""
    runner = ActRunner(bench, proxy, bench.folder / "repository")
    put_action(runner.repository)
    shutil.copytree(ROOT / "examples" / "service", runner.repository / "examples" / "service")
    runner.commit(WORKFLOW.read_text(encoding="utf-8"))
    stand_in = f"--local-repository={SETUP_GO}={ROOT / 'tests' / 'support' / 'fakes' / 'setup_go'}"
    done = runner("--matrix=os:ubuntu-latest", stand_in, *options)
    assert "❌" not in done.text, done.text
    return re.findall(r"✅  Success - Main (.*?)(?: \[[^\]]*\])?$", done.text, re.MULTILINE)


def test_real_project_is_restored_in_a_second_job(bench: Workbench) -> None:
    """The pool, then act's cache service.

    `nox -s programs` has downloaded and compiled the same project on this machine, so that need not be done again.
    """
    asked = ["go", "env", "GOMODCACHE", "GOCACHE", "GOPROXY"]
    modcache, gocache, network = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    variables = {"GOPROXY": f"file://{modcache}/cache/download,{network}", "GOCACHE": gocache}
    variables |= {"GOFLAGS": "-modcacherw -trimpath"}
    with ModuleProxy() as unused:
        steps = jobs(bench, unused, "--job=restored", *(f"--env={name}={value}" for name, value in variables.items()))
    assert "The warm run had every module from the pool" in steps
    assert "Every module came from the cache service" in steps
    assert steps.count("Go needs nothing more") == 2


@pytest.mark.parametrize("job", ["workspace", "private"])
def test_generated_project_comes_from_the_pool(bench: Workbench, job: str) -> None:
    """The proxy is asked for each public module, and for no private one."""
    with ModuleProxy([UUID, MOD]) as proxy:
        steps = jobs(bench, proxy, f"--job={job}")
        downloaded = {path.partition("/@v")[0] for path in proxy.paths() if path.endswith(".zip")}
    assert steps[-1] == "Go needs nothing more"
    assert downloaded == ({UUID.path, MOD.path} if job == "workspace" else {UUID.path})
