"""The job of the GitLab template, executed by a real GitLab Runner that a small coordinator gives it to.

The runner is that of January 2020, the newest one whose dependencies the public module proxy has; it knows caches,
their policies and report artifacts, but not `fallback_keys`.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.gitlab import ROOT, file_server, gitlab_ci_local, include
from tests.support.gitlab import Pipeline as Repository
from tests.support.made_once import built_once
from tests.support.released import released
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.network, pytest.mark.system]

SERVICE = ROOT / "examples" / "service"
KEY = "0_go-prefetch-1-0123456789"


def gitlab_runner() -> Path:
    """Return the runner, built by Go from its own packages."""
    environ = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"}
    build = ("go", "build", "-o", "gitlab-runner", ".")
    return built_once(ROOT / "tests/programs/gitlab_runner", *build, environ=environ) / "gitlab-runner"


class Coordinator(LoopbackService):
    """As much of GitLab as a runner talks to: it hands out one job at a time and keeps what comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[dict[str, Any]] = []
        self.trace = b""
        self.state = ""
        self.artifacts: dict[str, bytes] = {}

    def serve(self) -> LoopbackServer[Coordinator]:
        return LoopbackServer(self, _CoordinatorHandler)


class _CoordinatorHandler(Quiet, BaseHTTPRequestHandler):
    server: LoopbackServer[Coordinator]

    def do_POST(self) -> None:
        coordinator, body = self.server.owner, self._body() or self._chunks()
        if self.path.endswith("/jobs/request"):
            job = coordinator.waiting.pop() if coordinator.waiting else None
            self._answer(201 if job else 204, json.dumps(job).encode() if job else b"")
            return
        coordinator.artifacts[self.path.partition("artifact_type=")[2].partition("&")[0]] = body
        self._answer(201, b"{}")

    def do_PATCH(self) -> None:
        self.server.owner.trace += self._body()
        self.say(202, Range=f"0-{len(self.server.owner.trace)}")

    def do_PUT(self) -> None:
        self.server.owner.state = json.loads(self._body()).get("state", self.server.owner.state)
        self._answer(200, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        self.say(status, body, Content_Type="application/json")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> bytes:
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        return body


def as_job(expanded: str, name: str, repository: Path, sha: str, policy: str) -> dict[str, Any]:
    """A job of an expanded pipeline in the form in which GitLab hands it to a runner."""
    from ruamel.yaml import YAML

    job = YAML(typ="safe").load(expanded)[name]
    steps = [
        {"name": "script", "script": [*job.get("before_script", []), *job["script"]], "timeout": 600,
         "when": "on_success", "allow_failure": False},
    ]  # fmt: skip
    caches = job["cache"] if isinstance(job["cache"], list) else [job["cache"]]
    variables = {**job["variables"], "CI_JOB_ID": "7", "CI_PROJECT_VISIBILITY": "private",
                 "CI_JOB_URL": "https://gitlab.example.com/org/app/-/jobs/7"}  # fmt: skip
    reports = [
        {"name": kind, "paths": [path], "when": "always", "artifact_type": kind, "artifact_format": "gzip"}
        for kind, path in job["artifacts"]["reports"].items()
        if kind != "annotations"  # not known then
    ]
    return {
        "id": 7, "token": "job", "allow_git_fetch": True,
        "job_info": {"name": name, "stage": "test", "project_id": 1, "project_name": "app"},
        "git_info": {"repo_url": str(repository), "ref": "main", "sha": sha, "before_sha": sha, "ref_type": "branch",
                     "refspecs": ["+refs/heads/main:refs/remotes/origin/main"], "depth": 0},
        "runner_info": {"timeout": 600},
        "variables": [{"key": key, "value": value, "public": True} for key, value in variables.items()],
        "steps": steps, "artifacts": reports,
        "cache": [{"key": KEY, "policy": policy, "paths": caches[0]["paths"]}],
    }  # fmt: skip


class Machine:
    """A machine with the runner, whose shell executor keeps caches in a folder."""

    def __init__(self, bench: Workbench, runner: Path, coordinator: Coordinator) -> None:
        self._bench = bench
        self._runner = runner
        self._coordinator = coordinator
        self._caches = bench.folder / "caches"

    def execute(self, job: dict[str, Any]) -> str:
        """The log of the job, which must succeed."""
        self._coordinator.waiting.append(job)
        self._coordinator.trace, self._coordinator.state = b"", ""
        folders = ("--builds-dir", str(self._bench.folder / "builds"), "--cache-dir", str(self._caches))
        limits = ("--max-builds", "1", "--wait-timeout", "60")
        who = ("--url", self._coordinator.url, "--token", "runner", "--executor", "shell", "--shell", "bash")
        path = os.pathsep.join([str(Path(sys.executable).parent), self._bench.environ["PATH"]])
        argv = [str(self._runner), "run-single", *who, *folders, *limits]
        done = self._bench.program(argv, cwd=self._bench.folder, PATH=path)
        log = self._coordinator.trace.decode(errors="replace")
        assert self._coordinator.state == "success", log + done.text
        return log

    @property
    def cached(self) -> Path:
        """The archive of the cache."""
        (found,) = self._caches.rglob("cache.zip")
        return found


def test_real_runner_fills_then_finds_then_follows(bench: Workbench, tmp_path: Path) -> None:
    """Miss, exact (the archive is not made again), partial: then the archive holds the plan's files and no more."""
    release = released()
    repository = Repository(bench, gitlab_ci_local())
    shutil.copytree(SERVICE, repository.folder, dirs_exist_ok=True)
    with Coordinator() as coordinator, file_server(release) as url:
        machine = Machine(bench, gitlab_runner(), coordinator)
        template = release / "templates" / "go-prefetch.yml"
        repository.write(include(url, goproxy="https://proxy.golang.org"), template)

        def job() -> dict[str, Any]:
            sha = bench.program(["git", "rev-parse", "HEAD"], cwd=repository.folder).stdout.strip()
            return as_job(repository.preview(), "go-prefetch", repository.folder, sha, "pull-push")

        log = machine.execute(job())
        assert "go-prefetch: miss" in log
        assert archived(machine) == planned(repository)
        assert "GO_PREFETCH_CACHE_RESULT=miss" in unpacked(coordinator.artifacts["dotenv"])
        assert "go_prefetch_modules 53" in unpacked(coordinator.artifacts["metrics"])
        before = machine.cached.stat()

        log = machine.execute(job())
        assert "go-prefetch: exact hit" in log
        assert "Archive is up to date!" in log
        assert machine.cached.stat().st_mtime_ns == before.st_mtime_ns

        gomod = repository.folder / "go.mod"
        lines = gomod.read_text().splitlines(keepends=True)
        gomod.write_text("".join(line for line in lines if "golang-jwt" not in line))
        repository.commit()
        log = machine.execute(job())
        assert "removed" in log
        assert archived(machine) == planned(repository)
        assert "github.com/golang-jwt/jwt/v5/@v/v5.3.1.zip" not in archived(machine)


def archived(machine: Machine) -> set[str]:
    """Names of the files in the cache's archive, below the folder of modules, without the notes of cold runs."""
    with zipfile.ZipFile(machine.cached) as archive:
        names = (name for name in archive.namelist() if not name.endswith("/"))
        held = {name.removeprefix(".go-prefetch/") for name in names}
        return {name for name in held if not name.startswith(".go-prefetch/")}


def planned(repository: Repository) -> set[str]:
    said = repository.bench.run("plan", "--format", "json", cwd=repository.folder)
    return {file["name"] for file in json.loads(said.stdout)["files"]} | {".gitignore"}


def unpacked(upload: bytes) -> str:
    """The text of a report that came as a form with one gzip file."""
    import gzip

    start = upload.index(b"\x1f\x8b")
    with gzip.GzipFile(fileobj=io.BytesIO(upload[start:])) as file:
        return file.read1(1 << 20).decode()
