"""The Linux jobs of .github/workflows/selftest.yml as they are, run by act."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.act import ActRunner, put_action
from tests.support.docker_engine import IMAGE, docker_engine, options_of_machine
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "selftest.yml"
# What the jobs ask their proxy for.
UUID = FakeModule("github.com/google/uuid", "v1.6.0")
MOD = FakeModule("golang.org/x/mod", "v0.30.0", files={"semver/semver.go": "package semver\n"})

pytestmark = [
    pytest.mark.network,  # of the packages that the action imports, once
    pytest.mark.skipif(sys.platform == "win32", reason="the jobs are those of Linux"),
]


def jobs(bench: Workbench, proxy: ModuleProxy, *options: str, is_real: bool = False, container: str = "") -> list[str]:
    """Run jobs of the workflow in a repository with this action. Return the names of the steps that succeeded.

    Without `is_real`, examples/service is a project with one small module. `container` replaces that of the workflow.
    """
    runner = ActRunner(bench, proxy, bench.folder / "repository")
    put_action(runner.repository)
    service = runner.repository / "examples" / "service"
    if is_real:
        shutil.copytree(ROOT / "examples" / "service", service)
    else:
        write_project(service, [UUID])
    workflow, containers = re.subn(
        r"^ +container: .+@sha256:.*$", container or r"\g<0>", WORKFLOW.read_text("utf-8"), flags=re.MULTILINE
    )
    assert containers == 1
    runner.commit(workflow)
    (setup_go,) = set(re.findall(r"actions/setup-go@[0-9a-f]{40}", workflow))
    stand_in = f"--local-repository={setup_go}={ROOT / 'tests' / 'support' / 'fakes' / 'setup_go'}"
    done = runner("--matrix=os:ubuntu-latest", stand_in, *options)
    assert "❌" not in done.text, done.text
    return re.findall(r"✅  Success - Main (.*?)(?: \[[^\]]*\])?$", done.text, re.MULTILINE)


def test_project_is_restored_in_a_second_job(bench: Workbench) -> None:
    """The pool, then act's cache service. Only what fills either of them asks the proxy."""
    with ModuleProxy([UUID]) as proxy:
        check_two_jobs(jobs(bench, proxy, "--job=restored"))
        assert sum(path.endswith(".zip") for path in proxy.paths()) == 2


@pytest.mark.nightly
def test_real_project_is_restored_in_a_second_job(bench: Workbench) -> None:
    """The same with the real examples/service, which is compiled for minutes on a busy machine."""
    asked = ["go", "env", "GOMODCACHE", "GOPROXY"]
    modcache, network = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    goproxy = f"--env=GOPROXY=file://{modcache}/cache/download,{network}"  # what this machine has anyway, at first
    with ModuleProxy() as unused:
        check_two_jobs(jobs(bench, unused, "--job=restored", goproxy, is_real=True))


def check_two_jobs(steps: list[str]) -> None:
    """Both jobs have come to their ends, with every check."""
    assert "The cold run missed" in steps
    assert "The warm run had every module from the pool" in steps
    assert "The cache service has had nothing" in steps
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


@pytest.mark.system
def test_job_in_a_container_restores_from_its_pool(bench: Workbench) -> None:
    """A real container, on this machine's programs: no registry is at hand. Go compiles into the tests' build cache."""
    go = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    node = os.path.realpath(shutil.which("node") or "")
    gocache, path = bench.environ["GOCACHE"], "/opt/go/bin:/opt/node:/usr/bin:/bin"
    Path(gocache).mkdir(exist_ok=True)
    mounts = (f"{go}:/opt/go:ro", f"{node}:/opt/node/node:ro", f"{gocache}:/gocache")
    options = options_of_machine(*mounts, PATH=path, GOCACHE="/gocache", GOTOOLCHAIN="local")
    container = f"    container:\n      image: {IMAGE}\n      options: {options}"
    with ModuleProxy([UUID]) as proxy, docker_engine() as address:
        bench.environ["DOCKER_HOST"] = address
        act = ("--pull=false", "--network=host", "--container-daemon-socket=-", f"--env=PATH={path}")
        steps = jobs(bench, proxy, "--job=container", *act, "--env=GOMODCACHE=/root/go/pkg/mod", container=container)
        assert sum(path.endswith(".zip") for path in proxy.paths()) == 1
    assert "The warm run had every module from the pool" in steps
    assert "Go needs nothing more" in steps
