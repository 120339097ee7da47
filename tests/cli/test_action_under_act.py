"""The action in a workflow, run by act: outputs, job summary, and no token in sight."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
MODULES = (FakeModule("example.com/lib", "v1.0.0", padding=50_000), FakeModule("github.com/Upper/Letters", "v0.1.0"))
TOKEN = "ghs_averysecrettoken"

HEAD = """\
on: push
jobs:
  prefetch:
    runs-on: ubuntu-latest
    env:
      GOPROXY: {goproxy}
      GOMODCACHE: {bench.modcache}
      GOSUMDB: "off"
      GOFLAGS: -modcacherw
      GITHUB_TOKEN: {token}
    steps:
      - uses: actions/checkout@v7
"""
USE = """\
      - id: {name}
        uses: ./
        with:
          working-directory: app
          store: dir:{bench.pool}
"""
GATED = """\
      - id: gate
        continue-on-error: true
        if: fromJSON(steps.cold.outputs.hit-rate || '1') < 0.9
        run: echo '::error::less than 90% of the modules came from the cache' && exit 1
      - run: printf '%s' "$GATE" > {bench.folder}/gate
        env:
          GATE: ${{{{ steps.gate.outcome }}}}
      - run: rm -rf {bench.modcache}
"""
BUILT = """\
      - if: fromJSON(steps.warm.outputs.hit-rate || '1') < 0.9
        run: echo '::error::less than 90% of the modules came from the cache' && exit 1
      - run: printf '%s' "$WARM" > {bench.folder}/warm.json
        env:
          WARM: ${{{{ toJSON(steps.warm.outputs) }}}}
      - run: cd app && GOPROXY=off go build ./...
"""


@dataclass(frozen=True)
class ActRun:
    status: int
    text: str
    summaries: list[str]


def head(proxy: ModuleProxy, bench: Workbench) -> str:
    """A workflow up to its second step."""
    return HEAD.format(goproxy=proxy.url, bench=bench, token=TOKEN)


def act(repository: Path, bench: Workbench) -> ActRun:
    argv = [
        "act", "push", "-P", "ubuntu-latest=-self-hosted", "-W", ".github/workflows/prefetch.yml", "--json",
        "--cache-server-addr", "127.0.0.1", "--cache-server-path", str(bench.folder / "actcache"),
        "--artifact-server-addr", "127.0.0.1", "--artifact-server-path", str(bench.folder / "artifacts"),
        "--artifact-server-port", str(_free_port()),  # not act's usual one: two may run side by side
        "--env", f"RUNNER_TOOL_CACHE={bench.folder / 'tools'}", "--action-offline-mode", "-s", f"GITHUB_TOKEN={TOKEN}",
    ]  # fmt: skip
    done = bench.program(argv, cwd=repository)
    rows: list[dict[str, Any]] = [json.loads(line) for line in done.text.splitlines() if line.startswith("{")]
    summaries = [row["content"] for row in rows if row.get("command") == "summary"]
    return ActRun(done.status, done.text, summaries)


def _free_port() -> int:
    """Below those that a system gives out by itself: until act takes it, nobody else is given it."""
    while True:
        port = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@pytest.fixture
def repository(bench: Workbench) -> Path:
    """This action's own files and a project that uses them, committed."""
    folder = bench.folder / "repository"
    folder.mkdir()
    for name in ("action.yml", "shim", "src", "requirements.txt", "requirements-buckets.txt"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    write_project(folder / "app", list(MODULES))
    return folder


def commit(repository: Path, text: str) -> None:
    """This workflow and all else in one commit."""
    workflow = repository / ".github" / "workflows" / "prefetch.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(text)
    for argv in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", *argv], cwd=repository, check=True)


@pytest.mark.network
def test_two_uses_in_one_job_miss_then_hit(bench: Workbench, repository: Path) -> None:
    """The second `uses: ./` of a job restores all from the pool. No package is vendored: the action installs them."""
    with ModuleProxy(MODULES) as proxy:
        cold, warm = (USE.format(name=name, bench=bench) for name in ("cold", "warm"))
        workflow = head(proxy, bench) + cold + GATED.format(bench=bench) + warm + BUILT.format(bench=bench)
        commit(repository, workflow)
        run = act(repository, bench)
        asked = proxy.paths()
    assert run.status == 0, run.text
    assert len(asked) == len(set(asked)) == 6
    assert (bench.folder / "gate").read_text() == "failure"  # the two lines of docs/report.md, after the cold run
    outputs = json.loads((bench.folder / "warm.json").read_text())
    assert outputs | {"seconds": "", "seconds-saved": "", "cache-key": "", "matched-key": "", "bytes-restored": ""} == {
        "cache-result": "exact",
        "cache-hit": "true",
        "cache-key": "",
        "matched-key": "",
        "modules": "2",
        "modules-from-cache": "2",
        "hit-rate": "1.000",
        "bytes-restored": "",
        "bytes-downloaded": "0",
        "seconds": "",
        "seconds-saved": "",
        "gomodcache": str(bench.modcache),
    }
    assert int(outputs["bytes-restored"]) > 50_000
    assert outputs["matched-key"] == outputs["cache-key"] != ""
    assert len(run.summaries) == 2
    assert "**go-prefetch: miss** " in run.summaries[0]
    assert "<strong>go-prefetch: exact hit</strong> " in run.summaries[1]
    assert TOKEN not in run.text
    assert "ACTIONS_RUNTIME_TOKEN" not in run.text
    assert "```mermaid" not in "".join(run.summaries)
